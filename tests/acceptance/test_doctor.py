"""`homeroom doctor`: each thing is broken for real, and the doctor finds it and says the cure."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client

from app.core.doctor.budget import connection_budget
from app.core.doctor.clocks import judge_clock
from app.core.doctor.configuration import check_configuration
from app.core.doctor.findings import Health
from app.core.doctor.provider import check_provider
from app.core.doctor.redis import check_redis
from app.core.doctor.storage import check_storage
from app.core.embedded import EmbeddedRedis
from app.kit.db import Database
from tests.support.deployment import Deployment, free_port, serve_worker
from tests.support.doctor import assert_found, look
from tests.support.processes import ROOT
from tests.support.provider import MODEL, serve_provider

DOCTOR = [sys.executable, "-m", "app.cli", "doctor"]
SECRET = "secret-word"


@pytest.fixture(autouse=True)
def storage_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Deployments of these tests keep their files here."""
    folder = tmp_path / "files"
    environment = Deployment.environment
    monkeypatch.setattr(
        Deployment, "environment", lambda self, **more: environment(self, **{"STORAGE_DIR": str(folder)} | more)
    )
    return folder


async def run_doctor(deployment: Deployment, *options: str, **environment: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *DOCTOR, *options, cwd=ROOT, env=deployment.environment(**environment), stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_a_sound_deployment_fails_nothing(deployment: Deployment) -> None:
    async with serve_worker(deployment, "chat"):
        code, output = await run_doctor(deployment)
    assert code == 0, output
    assert "fail " not in output
    for check in (
        "migrations",
        "row level security",
        "roles",
        "redis eviction",
        "clock postgres",
        "queue chat",
        "disk",
    ):
        assert f"ok    {check}" in output
    assert "0 fail" in output.splitlines()[-1]


async def test_a_script_reads_it_as_json_and_by_its_exit_code(deployment: Deployment) -> None:
    nowhere = f"postgresql://homeroom:{SECRET}@127.0.0.1:{free_port()}/homeroom"
    code, output = await run_doctor(deployment, "--json", DATABASE_URL=nowhere)
    report = json.loads(output)
    assert (code, report["healthy"]) == (1, False)
    assert report["counts"]["fail"] == 2
    failed = [each for each in report["findings"] if each["health"] == "fail"]
    assert [each["check"] for each in failed] == ["postgres app", "postgres engine"]
    assert all("DATABASE_URL" in each["cure"] for each in failed)
    assert SECRET not in output


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"REDIS_URL": ""}, ("REDIS_URL is not set",)),
        ({"APP_ENV": "production", "MASTER_KEY": "changeme"}, ("MASTER_KEY is too weak", "openssl rand")),
        ({"LEASE_SECONDS": "soon"}, ("LEASE_SECONDS",)),
    ],
)
async def test_a_configuration_that_no_process_would_start_with_is_all_there_is_to_say(
    deployment: Deployment, environment: dict[str, str], words: tuple[str, ...]
) -> None:
    report = await look(deployment, **environment)
    assert list(report) == ["configuration"]
    assert_found(report["configuration"], Health.FAIL, *words)


async def test_an_issuer_that_the_api_would_refuse(deployment: Deployment) -> None:
    report = await look(deployment, check_configuration, JWT_ISSUERS='[{"issuer": "https://id.example"}]')
    assert_found(report["jwt issuers"], Health.FAIL, "JWT_ISSUERS")


async def test_diagnostics_in_production_are_a_warning(deployment: Deployment) -> None:
    report = await look(deployment, APP_ENV="production")
    assert_found(report["diagnostics"], Health.WARN, "DIAGNOSTICS")
    assert_found(report["secrets"], Health.OK)
    assert_found(report["postgres durability"], Health.FAIL, "fsync")  # the tests' own server flushes nothing


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis") / "redis", durable=False)
    server.start()
    yield server
    server.stop()


REDIS_SERVERS = [
    ("config set maxmemory-policy allkeys-lru", "config set maxmemory-policy noeviction", "redis eviction", "allkeys"),
    ("config set maxmemory 1mb", "config set maxmemory 0", "redis memory", "refused"),
    ("replicaof 127.0.0.1 1", "replicaof no one", "redis {server}", "replica"),
]


@pytest.mark.parametrize("server", REDIS_SERVERS, ids=lambda each: each[0])
async def test_a_redis_that_is_not_fit(
    deployment: Deployment, own_redis: EmbeddedRedis, server: tuple[str, str, str, str]
) -> None:
    broken, mended, check, word = server
    with redis_client.Redis.from_url(own_redis.url(0)) as client:
        client.execute_command(*broken.split())
        try:
            report = await look(deployment, check_redis, CHAT_REDIS_URL=own_redis.url(3))
        finally:
            client.execute_command(*mended.split())
    assert_found(report[check.format(server=f"127.0.0.1:{own_redis.port}")], Health.FAIL, word)


async def test_a_redis_that_cannot_be_reached_or_refuses_the_password(
    deployment: Deployment, own_redis: EmbeddedRedis
) -> None:
    port = free_port()
    wrong = own_redis.url(4).replace(own_redis.password, SECRET)
    nowhere = f"redis://:{SECRET}@127.0.0.1:{port}/3"
    report = await look(deployment, check_redis, CHAT_REDIS_URL=nowhere, EXAM_REDIS_URL=wrong)
    assert report.failed >= {f"redis 127.0.0.1:{port}", f"redis 127.0.0.1:{own_redis.port}"}
    assert_found(report[f"redis 127.0.0.1:{port}"], Health.FAIL, "cannot be reached", "REDIS_URL")
    assert_found(report[f"redis 127.0.0.1:{own_redis.port}"], Health.FAIL, "password")
    assert SECRET not in str(report)


async def test_storage_that_cannot_be_written(deployment: Deployment) -> None:
    report = await look(deployment, check_storage, STORAGE_DIR="/proc/homeroom")  # read-only, for root too
    assert_found(report["storage"], Health.FAIL, "/proc/homeroom", "STORAGE_DIR")
    assert "disk" not in report


async def test_storage_leaves_nothing_behind(deployment: Deployment, storage_dir: Path) -> None:
    report = await look(deployment, check_storage)
    assert_found(report["storage"], Health.OK, str(storage_dir))
    assert os.listdir(storage_dir) == []  # noqa: PTH208 - a look at what is there, nothing else runs


async def test_a_model_is_asked_what_it_offers(deployment: Deployment) -> None:
    async with serve_provider() as provider:
        given = {"LLM_BASE_URL": provider.url}
        assert_found((await look(deployment, check_provider, LLM_MODEL=MODEL, **given))["model"], Health.OK, MODEL)
        assert_found(
            (await look(deployment, check_provider, LLM_MODEL="another", **given))["model"], Health.WARN, "another"
        )
    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    report = await look(deployment, check_provider, LLM_BASE_URL=nowhere, LLM_MODEL=MODEL)
    assert_found(report["model"], Health.FAIL, "cannot be reached", "LLM_BASE_URL")


@pytest.mark.parametrize(
    ("offset", "error", "health"),
    [(0.2, 0.0, Health.OK), (-0.8, 0.5, Health.OK), (-0.8, 0.1, Health.WARN), (5.2, 0.1, Health.FAIL)],
)
def test_a_clock_is_judged_by_what_is_certain(offset: float, error: float, health: Health) -> None:
    assert judge_clock("postgres", offset, error, lease=10.0).health is health


async def test_the_budget_is_what_a_busy_process_opens(deployment: Deployment) -> None:
    """Every door of a worker open at once, counted by the server."""
    settings = deployment.settings(DATABASE_POOL_SIZE="3", DATABASE_LEDGER_POOL_SIZE="2").database
    database = Database(settings.options(), application_name="homeroom budget")
    await database.open()
    try:
        async with _all_doors(database, settings.pool_size, settings.ledger_pool_size) as connection:
            count = "select count(*) from pg_stat_activity where application_name = 'homeroom budget'"
            assert await connection.fetchval(count) == connection_budget(settings).worker == 12
    finally:
        await database.close()


@asynccontextmanager
async def _all_doors(database: Database, pool_size: int, ledger_pool_size: int) -> AsyncIterator[Any]:
    async with AsyncExitStack() as stack:
        for _ in range(pool_size):
            session = await stack.enter_async_context(database.session("demo"))
            await session.connection()
            await stack.enter_async_context(database.tenant("demo"))
        held = [await stack.enter_async_context(database.ledger.acquire()) for _ in range(ledger_pool_size)]
        for reserved in (database.submits, database.begins, database.finishes):
            await stack.enter_async_context(reserved.use())
        lease = await database.connect_ledger()
        stack.push_async_callback(lease.close)
        yield held[0]
