"""A process that cannot start says why, in one message with its cure, and exits with code 78. Real processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis as redis_client

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from tests.support.deployment import Deployment, free_port
from tests.support.processes import ROOT

ENTRANCES = {
    "homeroom api": [sys.executable, "-m", "app.cli", "api"],
    "uvicorn": [sys.executable, "-m", "uvicorn", "app.main:app"],
    "homeroom worker": [sys.executable, "-m", "app.cli", "worker", "chat"],
    "run script": [sys.executable, "run_chat_worker.py"],
    "arq": [sys.executable, "-m", "arq", "app.core.worker.chat.WorkerSettings"],
}
API, WORKER = "homeroom api", "run script"  # where one entrance of each kind is enough

every_entrance = pytest.mark.parametrize("entrance", ENTRANCES)
both_kinds = pytest.mark.parametrize("entrance", [API, WORKER])


@dataclass(frozen=True)
class Ended:
    code: int | None
    message: str


async def start(entrance: str, environment: Mapping[str, str]) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *ENTRANCES[entrance], cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    except TimeoutError:
        process.kill()
        raise
    return Ended(process.returncode, output.decode())


def assert_refused(ended: Ended, *words: str) -> None:
    assert ended.code == 78, ended.message
    assert ended.message.count("homeroom cannot start:") == 1, ended.message
    assert ended.message.count("Cure:") == 1, ended.message
    assert "Traceback" not in ended.message
    for word in words:
        assert word in ended.message


def environment_of(deployment: Deployment, **changes: str) -> dict[str, str]:
    return deployment.environment(STARTUP_WAIT_SECONDS="0.3", PORT=str(free_port()), **changes)


@every_entrance
@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL"])
async def test_a_missing_url_is_named(deployment: Deployment, entrance: str, variable: str) -> None:
    assert_refused(await start(entrance, environment_of(deployment, **{variable: ""})), variable, "is not set")


@every_entrance
async def test_an_unreachable_postgres_is_named(deployment: Deployment, entrance: str) -> None:
    nowhere = f"postgresql://homeroom:secret-word@127.0.0.1:{free_port()}/homeroom"
    ended = await start(entrance, environment_of(deployment, DATABASE_URL=nowhere))
    assert_refused(ended, "Postgres", "DATABASE_URL")
    assert "secret-word" not in ended.message


@both_kinds
async def test_an_unreachable_redis_is_named(deployment: Deployment, entrance: str) -> None:
    nowhere = f"redis://:secret-word@127.0.0.1:{free_port()}"
    ended = await start(entrance, environment_of(deployment, REDIS_URL=nowhere))
    assert_refused(ended, "Redis", "REDIS_URL")
    assert "secret-word" not in ended.message


@both_kinds
async def test_a_wrong_password_is_no_outage(deployment: Deployment, entrance: str) -> None:
    wrong = deployment.database_url.replace("://homeroom:", "://homeroom:not")
    assert_refused(await start(entrance, environment_of(deployment, DATABASE_URL=wrong)), "login")


@both_kinds
async def test_a_schema_behind_the_code_is_told_apart(
    deployment: Deployment, postgres: EmbeddedPostgres, entrance: str
) -> None:
    postgres.create_database("empty")
    ended = await start(entrance, environment_of(deployment, DATABASE_URL=postgres.url("empty")))
    assert_refused(ended, "schema is behind", "homeroom migrate")


@pytest.fixture(scope="module")
def evicting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(Path(tmp_path_factory.mktemp("evicting")) / "redis", durable=False)
    server.start()
    client = redis_client.Redis.from_url(server.url(0))
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.close()
    yield server
    server.stop()


@both_kinds
async def test_a_redis_that_evicts_is_refused(deployment: Deployment, evicting: EmbeddedRedis, entrance: str) -> None:
    ended = await start(entrance, environment_of(deployment, REDIS_URL=evicting.url(0)))
    assert_refused(ended, "allkeys-lru", "noeviction")


@both_kinds
async def test_two_queues_on_one_database_are_refused(deployment: Deployment, entrance: str) -> None:
    ended = await start(entrance, environment_of(deployment, EXAM_REDIS_DB="3"))
    assert_refused(ended, "chat", "exam", "share")


@both_kinds
@pytest.mark.parametrize("key", ["", "changeme", "a" * 64, "development-only-master-key-never-use-in-production"])
async def test_a_missing_or_weak_master_key_is_refused_in_production(
    deployment: Deployment, entrance: str, key: str
) -> None:
    ended = await start(entrance, environment_of(deployment, APP_ENV="production", MASTER_KEY=key))
    assert_refused(ended, "MASTER_KEY", "openssl rand")


@both_kinds
async def test_a_value_of_the_wrong_kind_names_its_variable(deployment: Deployment, entrance: str) -> None:
    assert_refused(await start(entrance, environment_of(deployment, LEASE_SECONDS="soon")), "LEASE_SECONDS")
