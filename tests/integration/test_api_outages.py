"""The API while Redis or Postgres is away: what still works, and what is said about the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from app.core.migrate import migrate
from tests.support.deployment import Deployment, make_deployment, serve_api, serve_worker
from tests.support.waiting import eventually

IDLE = {"kind": "diagnostics.echo", "queue": "exam"}


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("outages") / "redis", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("outages") / "postgres", durable=False)
    server.start()
    server.create_database("outages")
    migrate(server.url("outages"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def deployment(own_postgres: EmbeddedPostgres, own_redis: EmbeddedRedis) -> Deployment:
    return make_deployment(own_postgres.url("outages"), own_redis.url(0))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    async with serve_api(deployment) as client:
        yield client


async def readiness(api: httpx.AsyncClient) -> tuple[int, str]:
    answer = await api.get("/readyz")
    return answer.status_code, answer.json()["status"]


async def test_without_redis_jobs_are_accepted_told_of_and_run_later(
    api: httpx.AsyncClient, deployment: Deployment, own_redis: EmbeddedRedis
) -> None:
    assert await readiness(api) == (200, "ready")
    await asyncio.to_thread(own_redis.stop)
    try:
        answer = await api.post("/v1/jobs", json=IDLE)
        job = answer.json()
        assert answer.status_code == 202
        assert await readiness(api) == (200, "degraded")
        listening = asyncio.create_task(api.get(job["links"]["events"]))
        await asyncio.sleep(0.5)
        assert (await api.post(job["links"]["cancel"])).status_code == 200
        told = (await asyncio.wait_for(listening, 10)).text
        assert [line for line in told.splitlines() if line.startswith("event")] == ["event: queued", "event: cancelled"]
        assert told.count("id:") == told.count("id: 0-1\n") == 1
        later = (await api.post("/v1/jobs", json=IDLE)).json()
        assert (await api.get(later["links"]["self"], headers={"Prefer": "wait=1"})).json()["status"] == "queued"
    finally:
        await asyncio.to_thread(own_redis.start)
    async with serve_worker(deployment, "exam"):
        done = await api.get(later["links"]["self"], headers={"Prefer": "wait=20"})
        assert done.json()["status"] == "done"


async def test_without_postgres_the_api_says_so_and_comes_back_by_itself(
    api: httpx.AsyncClient, own_postgres: EmbeddedPostgres
) -> None:
    job = (await api.post("/v1/jobs", json=IDLE)).json()
    waiting = asyncio.create_task(api.get(job["links"]["self"], headers={"Prefer": "wait=2"}))
    await asyncio.sleep(0.2)
    await asyncio.to_thread(own_postgres.stop)
    try:
        for answer in (
            await api.post("/v1/jobs", json=IDLE),
            await api.post("/v1/jobs/bulk", json={"jobs": [IDLE]}),
            await api.get(job["links"]["self"]),
            await api.post(job["links"]["cancel"]),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            assert "Errno" not in answer.text
        assert (await waiting).json()["status"] == "queued"  # what was known when the wait began
        assert await readiness(api) == (503, "unavailable")
        assert (await api.get("/healthz")).json()["status"] == "ok"
    finally:
        await asyncio.to_thread(own_postgres.start)

    async def ready() -> bool:
        return await readiness(api) == (200, "ready")

    await eventually(ready)
    assert (await api.get(job["links"]["self"])).json()["status"] == "queued"
