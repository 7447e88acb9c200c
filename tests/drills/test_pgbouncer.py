"""Everything through pgbouncer in transaction mode, with fewer server connections than there are clients."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from app.core.embedded import EmbeddedPostgres
from app.core.inspection import audit_ledger
from app.core.preflight import open_database
from app.engine.retention import Retention
from tests.support.chat import ended, messages, turn
from tests.support.deployment import Deployment, only_environment, serve_api, serve_worker
from tests.support.pgbouncer import PASSWORD, PROGRAM, SERVER_CONNECTIONS, serve_pgbouncer

pytestmark = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="pgbouncer is not installed (apt install pgbouncer)"
)

CONVERSATIONS, TURNS = 6, 3


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bouncer(postgres: EmbeddedPostgres) -> AsyncIterator[int]:
    async with serve_pgbouncer(postgres) as port:
        yield port


@pytest.fixture(scope="module")
def environment(deployment: Deployment, bouncer: int) -> dict[str, str]:
    """What docs/OPERATIONS.md says to set."""
    database = deployment.database_url.rpartition("/")[2]
    server = f"127.0.0.1:{bouncer}/{database}"
    return {
        "DATABASE_APP_URL": f"postgresql://homeroom_app:{PASSWORD}@{server}",
        "DATABASE_ENGINE_URL": f"postgresql://homeroom_engine:{PASSWORD}@{server}",
        "DATABASE_STATEMENT_CACHE_SIZE": "0",
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def through(deployment: Deployment, environment: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API behind pgbouncer, with two chat workers and a base worker behind it, too."""
    async with (
        serve_api(deployment, **environment) as api,
        serve_worker(deployment, "chat", **environment),
        serve_worker(deployment, "chat", **environment),
        serve_worker(deployment, "base", **environment),
    ):
        yield api


async def test_all_connections_share_a_few_of_the_servers(
    through: httpx.AsyncClient, deployment: Deployment, bouncer: int
) -> None:
    body = {"kind": "diagnostics.echo", "queue": "chat", "input": {"hello": "world"}}
    answers = await asyncio.gather(
        *(through.post("/v1/jobs", json=body, headers={"Prefer": "wait=20"}) for _ in range(40))
    )
    assert Counter(each.json()["status"] for each in answers) == {"done": 40}
    connection = await asyncpg.connect(deployment.database_url)
    try:
        direct = await connection.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() "
            "and application_name like 'homeroom %' and usename not in ('homeroom_app', 'homeroom_engine')"
        )
        shared = await connection.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() "
            "and usename in ('homeroom_app', 'homeroom_engine')"
        )
    finally:
        await connection.close()
    assert direct == 0, "somebody went around pgbouncer"
    assert 0 < shared <= 2 * SERVER_CONNECTIONS  # a pool for each of the two roles


async def test_lanes_keep_their_order(through: httpx.AsyncClient) -> None:
    async def converse(number: int) -> list[dict[str, Any]]:
        jobs = []
        for index in range(TURNS):
            answer = await through.post("/v1/chat", json=turn(f"question {index}", student=f"b{number}"))
            assert answer.status_code == 202, answer.text
            jobs.append(answer.json())
        return [await ended(through, job) for job in jobs]

    told = await asyncio.gather(*(converse(number) for number in range(CONVERSATIONS)))
    assert Counter(job["status"] for jobs in told for job in jobs) == {"done": CONVERSATIONS * TURNS}
    for number in range(CONVERSATIONS):
        said = await messages(through, f"student:b{number}:main")
        questions = [each["content"] for each in said if each["role"] == "user"]
        assert questions == [f"question {index}" for index in range(TURNS)]
        assert len(said) == 2 * TURNS


async def test_a_running_job_is_cancelled(through: httpx.AsyncClient) -> None:
    body = {"kind": "diagnostics.sleep", "queue": "chat", "input": {"seconds": 60}}
    job = (await through.post("/v1/jobs", json=body)).json()
    while job["status"] != "processing":
        job = (await through.get(job["links"]["self"])).json()
    assert (await through.post(job["links"]["cancel"])).status_code in (200, 202)
    assert (await ended(through, job))["status"] == "cancelled"


async def test_retention_removes_and_the_auditor_finds_nothing(
    through: httpx.AsyncClient, deployment: Deployment, environment: dict[str, str]
) -> None:
    body = {"kind": "diagnostics.echo", "queue": "base", "input": {}}
    job = (await through.post("/v1/jobs", json=body, headers={"Prefer": "wait=20"})).json()
    assert job["status"] == "done"
    owner = await asyncpg.connect(deployment.database_url)
    try:
        await owner.execute(
            "update jobs set created_at = created_at - age, finished_at = finished_at - age "
            "from (select interval '40 days' as age) as long where job_id = $1",
            job["job_id"],
        )
    finally:
        await owner.close()
    database = await open_database(deployment.settings(**environment), "homeroom tests")
    try:
        assert await Retention(database).sweep({"demo": 30}) == 1
    finally:
        await database.close()
    assert (await through.get(job["links"]["self"])).status_code == 410
    with only_environment(deployment.environment(**environment)):
        assert await audit_ledger() == []
