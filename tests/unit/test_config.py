"""What the environment may not say, each with the words that name the cure."""

from __future__ import annotations

import secrets

import pytest

from app.core.config import DEVELOPMENT_MASTER_KEY, Settings, load_settings
from app.kit import failpoints
from app.kit.errors import ConfigurationError
from app.kit.redis import place
from app.workloads import WORKLOADS
from tests.support.deployment import only_environment

MINIMUM = {"DATABASE_URL": "postgresql://u:secret-word@h/db", "REDIS_URL": "redis://:secret-word@localhost:6379"}
STRONG = secrets.token_urlsafe(48)
PRODUCTION = MINIMUM | {"APP_ENV": "production", "MASTER_KEY": STRONG}


def load(**environment: str) -> Settings:
    with only_environment(MINIMUM | environment):
        return load_settings()


def refused(environment: dict[str, str]) -> ConfigurationError:
    with only_environment(environment), pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert caught.value.cure
    assert "secret-word" not in str(caught.value)
    return caught.value


def test_two_urls_are_enough() -> None:
    settings = load()
    assert {name: place(queue.redis_url)[2] for name, queue in settings.queues.items()} == {
        workload.name: workload.redis_db for workload in WORKLOADS
    }
    assert place(settings.shared_redis_url) == ("localhost", 6379, 0)
    assert (settings.worker.lease, settings.worker.heartbeat) == (10.0, 2.0)
    assert not settings.app.production


@pytest.mark.parametrize("variable", MINIMUM)
@pytest.mark.parametrize("value", [None, "", "   "], ids=["unset", "empty", "blank"])
def test_a_missing_url_is_named(variable: str, value: str | None) -> None:
    environment = {name: url for name, url in MINIMUM.items() if name != variable}
    if value is not None:
        environment[variable] = value
    refusal = refused(environment)
    assert f"{variable} is not set" in refusal.problem
    assert "://" in refusal.cure


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://:secret-word@localhost"),
        ("REDIS_URL", "redis://:secret-word@localhost:port"),
        ("REDIS_URL", "redis://[::1"),
        ("CHAT_REDIS_URL", "redis://:secret-word@localhost:99999"),
        ("CHAT_REDIS_URL", "redis://localhost/chat"),
        ("CHAT_REDIS_URL", "unix:///run/redis.sock"),
        ("DATABASE_URL", "mysql://u:secret-word@h/db"),
        ("DATABASE_URL", "postgresql://u:secret-word@h:port/db"),
        ("DATABASE_URL", "secret-word"),
        ("DATABASE_APP_URL", "postgresql://u:secret-word@h:port/db"),
        ("DATABASE_ENGINE_URL", "postgresql://u:secret-word@h:port/db"),
    ],
)
def test_a_url_that_is_none_is_named_and_not_repeated(variable: str, url: str) -> None:
    assert variable in refused(MINIMUM | {variable: url}).problem


def test_a_queue_may_have_a_server_of_its_own() -> None:
    settings = load(CHAT_REDIS_URL="redis://chat.example:6380", EXAM_REDIS_DB="14", PROFILE_CONCURRENCY="3")
    assert place(settings.queues["chat"].redis_url) == ("chat.example", 6380, 0)
    assert place(settings.queues["exam"].redis_url)[2] == 14
    assert settings.queues["profile"].concurrency == 3


@pytest.mark.parametrize(
    "environment",
    [
        {"EXAM_REDIS_DB": "3"},
        {"EXAM_REDIS_URL": "redis://localhost:6379/3"},
        {"EXAM_REDIS_URL": "redis://other-user:secret-word@localhost/3"},
        {"CHAT_REDIS_URL": "redis://one.example/1", "EXAM_REDIS_URL": "rediss://one.example/1"},
    ],
    ids=["by index", "by url", "spelled otherwise", "elsewhere"],
)
def test_two_queues_on_one_database_are_refused(environment: dict[str, str]) -> None:
    refusal = refused(MINIMUM | environment)
    assert "exam" in refusal.problem
    assert "chat" in refusal.problem
    assert "EXAM_REDIS_DB" in refusal.cure


def test_a_queue_on_the_shared_database_is_refused() -> None:
    assert "shared" in refused(MINIMUM | {"CHAT_REDIS_URL": "redis://localhost/0"}).problem


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LEASE_SECONDS", "soon"),
        ("LEASE_SECONDS", "0"),
        ("HEARTBEAT_SECONDS", "-1"),
        ("PORT", "70000"),
        ("LOG_LEVEL", "loud"),
        ("APP_ENV", "prodution"),
        ("DIAGNOSTICS", "perhaps"),
        ("DATABASE_POOL_SIZE", "0"),
        ("CHAT_CONCURRENCY", "many"),
        ("CHAT_CONCURRENCY", "0"),
        ("CHAT_REDIS_DB", "0"),
        ("EXAM_GRACE_SECONDS", "-1"),
        ("EXAM_PROBE_PORT", "70000"),
        ("WORKER_PROBE_PORT", "-1"),
        ("WORKER_STALL_SECONDS", "0"),
    ],
)
def test_a_value_of_the_wrong_kind_names_its_variable(variable: str, value: str) -> None:
    assert refused(MINIMUM | {variable: value}).problem.startswith(f"{variable}:")


@pytest.mark.parametrize(("lease", "heartbeat"), [("4", "2.1"), ("1", "2")])
def test_a_heartbeat_too_slow_for_the_lease_is_refused(lease: str, heartbeat: str) -> None:
    refusal = refused(MINIMUM | {"LEASE_SECONDS": lease, "HEARTBEAT_SECONDS": heartbeat})
    assert "HEARTBEAT_SECONDS" in refusal.problem
    assert load(LEASE_SECONDS="4", HEARTBEAT_SECONDS="2").worker.heartbeat == 2.0


@pytest.mark.parametrize("environment", ["production", "prod"])
@pytest.mark.parametrize("key", ["", "changeme", "x" * 31, "a" * 64, "abab" * 16, DEVELOPMENT_MASTER_KEY])
def test_production_wants_a_strong_master_key(environment: str, key: str) -> None:
    refusal = refused(PRODUCTION | {"APP_ENV": environment, "MASTER_KEY": key})
    assert "MASTER_KEY" in refusal.problem
    assert "openssl rand" in refusal.cure
    assert not key or key not in str(refusal)


@pytest.mark.parametrize("key", ["short", "a" * 64])
def test_production_wants_a_strong_admin_key_or_none(key: str) -> None:
    assert "ADMIN_KEY" in refused(PRODUCTION | {"ADMIN_KEY": key}).problem


def test_production_starts_with_strong_keys() -> None:
    with only_environment(PRODUCTION | {"ADMIN_KEY": secrets.token_urlsafe(48)}):
        settings = load_settings()
    assert settings.app.production
    assert settings.app.json_logs
    assert settings.master_key == STRONG


def test_elsewhere_a_key_is_not_needed() -> None:
    assert load().master_key == DEVELOPMENT_MASTER_KEY


def test_failpoints_are_refused_in_production_and_when_they_are_none() -> None:
    assert "FAILPOINTS" in refused(PRODUCTION | {"FAILPOINTS": "claim.taken=kill"}).problem
    assert "FAILPOINTS" in refused(MINIMUM | {"FAILPOINTS": "claim.taken"}).problem
    assert failpoints._armed == {}


def test_failpoints_are_armed_elsewhere() -> None:
    try:
        load(FAILPOINTS="nowhere.at.all=kill")
        assert set(failpoints._armed) == {"nowhere.at.all"}
    finally:
        failpoints.arm("")


def test_a_list_is_written_with_commas() -> None:
    assert load(CORS_ORIGINS="https://a.example, https://b.example,").api.cors_origins == (
        "https://a.example",
        "https://b.example",
    )
