"""Crashes and forgetfulness, in the middle of work: every accepted job still ends, once in effect.

Each test proves that its fault struck while there was work for it to spoil: a process that died by SIGKILL with jobs
in its hands, a Redis that was emptied with hints in it.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio
import redis.asyncio

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from app.core.migrate import migrate
from tests.support.deployment import Deployment, make_deployment
from tests.support.fleet import KILLED, Fleet, submit, submit_many
from tests.support.waiting import eventually

QUEUE = "chat"


@pytest_asyncio.fixture(loop_scope="session")
async def fleet(deployment: Deployment, tmp_path: Path) -> AsyncIterator[Fleet]:
    ledger = await asyncpg.connect(deployment.database_url)
    yield Fleet(deployment, ledger, tmp_path)
    await ledger.close()


@pytest.mark.parametrize("place", ["claim.taken", "begin.committed", "finish.before", "finish.committed"])
async def test_a_worker_killed_between_two_writes_loses_nothing(
    fleet: Fleet, api: httpx.AsyncClient, place: str
) -> None:
    async with fleet.worker(QUEUE, FAILPOINTS=f"{place}=kill") as doomed:
        jobs = await submit_many(api, 5, "echo", QUEUE, hello="world")
        assert await asyncio.wait_for(doomed.wait(), 30) == KILLED
    assert Counter({"done": 5}) != await fleet.statuses(jobs) or place == "finish.committed"
    async with fleet.worker(QUEUE):
        assert await fleet.all_ended(jobs) == {"done": 5}
    assert await fleet.successes(jobs) == {1: 5}


@pytest.mark.parametrize("place", ["submit.committed", "submit.dispatched"])
async def test_an_api_killed_before_it_could_answer_has_accepted_the_job(fleet: Fleet, place: str) -> None:
    marker = f"accepted-at-{place}"
    async with fleet.api(FAILPOINTS=f"{place}=kill") as (process, client):
        with pytest.raises(httpx.TransportError):
            await client.post(
                "/v1/jobs",
                json={"kind": "diagnostics.echo", "queue": QUEUE, "input": {}},
                headers={"Idempotency-Key": marker},
            )
        assert await asyncio.wait_for(process.wait(), 30) == KILLED
    async with fleet.worker(QUEUE), fleet.api() as (_, client):
        answer = await client.post(
            "/v1/jobs",
            json={"kind": "diagnostics.echo", "queue": QUEUE, "input": {}},
            headers={"Idempotency-Key": marker, "Prefer": "wait=20"},
        )
        job = answer.json()
        assert (answer.headers["Idempotency-Replayed"], job["status"], job["attempt"]) == ("true", "done", 1)


async def test_a_worker_killed_amid_its_jobs_is_healed_by_another(fleet: Fleet, api: httpx.AsyncClient) -> None:
    async with fleet.worker(QUEUE) as doomed:
        jobs = await submit_many(api, 20, "sleep", QUEUE, seconds=1.0)
        await eventually(lambda: fleet.processing(jobs), what="jobs in the worker's hands")
        doomed.kill()
        await doomed.wait()
    in_its_hands = await fleet.processing(jobs)
    assert in_its_hands > 0
    async with fleet.worker(QUEUE):
        assert await fleet.all_ended(jobs) == {"done": 20}
    assert await fleet.successes(jobs) == {1: 20}
    histories = Counter([tuple(await fleet.attempts(job)) for job in jobs])
    assert histories[("lost", "success")] == in_its_hands
    failures = await fleet.ledger.fetchval("select sum(failures) from jobs where job_id = any($1::uuid[])", jobs)
    assert failures == 0  # a lost worker costs no job a failure


async def test_a_redis_that_forgets_everything_loses_nothing(
    fleet: Fleet, api: httpx.AsyncClient, redis_server: EmbeddedRedis
) -> None:
    async with fleet.worker(QUEUE, CHAT_CONCURRENCY="5"), fleet.worker(QUEUE, CHAT_CONCURRENCY="5"):
        jobs = await submit_many(api, 200, "sleep", QUEUE, seconds=0.05)
        client = redis.asyncio.Redis.from_url(redis_server.url(3))
        async with client:
            for _ in range(3):
                await eventually(lambda: client.zcard("homeroom:ready"), what="hints in Redis")
                await client.flushall()
        statuses = await fleet.statuses(jobs)
        assert statuses["queued"] > 0
        assert await fleet.all_ended(jobs) == {"done": 200}
    assert await fleet.successes(jobs) == {1: 200}


async def test_a_worker_frozen_beyond_its_lease_cannot_end_what_was_given_away(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    async with fleet.worker(QUEUE, LEASE_SECONDS="1", HEARTBEAT_SECONDS="0.25") as frozen:
        job = await submit(api, "sleep", QUEUE, seconds=1.5)
        await eventually(lambda: fleet.processing([job]), what="the job in the worker's hands")
        frozen.send_signal(signal.SIGSTOP)
        async with fleet.worker(QUEUE, LEASE_SECONDS="1", HEARTBEAT_SECONDS="0.25"):
            assert await fleet.all_ended([job]) == {"done": 1}
            frozen.send_signal(signal.SIGCONT)
            registered = "select count(*) from workers where queue = $1 and lease_until > now()"

            async def is_back() -> bool:
                return bool(await fleet.ledger.fetchval(registered, QUEUE) == 2)

            await eventually(is_back, what="the frozen worker, registered anew")
            later = await submit_many(api, 4, "echo", QUEUE)
            await fleet.all_ended(later)
            assert frozen.returncode is None
    assert await fleet.attempts(job) == ["lost", "success"]


async def test_a_worker_that_is_told_to_stop_hands_its_jobs_back_unharmed(fleet: Fleet, api: httpx.AsyncClient) -> None:
    async with fleet.worker(QUEUE, CHAT_GRACE_SECONDS="0.2") as leaving:
        job = await submit(api, "sleep", QUEUE, seconds=2.0)
        await eventually(lambda: fleet.processing([job]), what="the job in the worker's hands")
        leaving.terminate()
        assert await asyncio.wait_for(leaving.wait(), 30) == 0
    assert await fleet.attempts(job) == ["released"]
    async with fleet.worker(QUEUE):
        assert await fleet.all_ended([job]) == {"done": 1}
    row = await fleet.ledger.fetchrow("select failures, losses from jobs where job_id = $1", job)
    assert tuple(row) == (0, 0)


async def test_a_job_that_kills_every_worker_is_poisoned_and_harms_no_other(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    poison = await submit(api, "echo", QUEUE, poison=True)
    for _ in range(3):  # whoever begins it dies
        async with fleet.worker(QUEUE, wait=False, FAILPOINTS="begin.committed=kill", LEASE_SECONDS="1") as doomed:
            assert await asyncio.wait_for(doomed.wait(), 30) == KILLED
    async with fleet.worker(QUEUE, LEASE_SECONDS="1"):
        assert await fleet.all_ended([poison]) == {"failed": 1}
        other = await submit(api, "echo", QUEUE)
        assert await fleet.all_ended([other]) == {"done": 1}
    row = await fleet.ledger.fetchrow("select error, losses, failures from jobs where job_id = $1", poison)
    assert tuple(row) == ("poisoned", 3, 0)
    assert await fleet.attempts(poison) == ["lost", "lost", "lost"]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> tuple[EmbeddedPostgres, EmbeddedRedis]:
    """Durable servers of these tests' own, which they may crash."""
    folder = tmp_path_factory.mktemp("durable")
    return EmbeddedPostgres(folder / "postgres"), EmbeddedRedis(folder / "redis")


@pytest.mark.parametrize("which", ["postgres", "redis"])
async def test_a_server_that_crashes_amid_load_is_ridden_out(
    servers: tuple[EmbeddedPostgres, EmbeddedRedis], which: str, tmp_path: Path
) -> None:
    postgres, redis_server = servers
    try:
        postgres.start()
        redis_server.start()
        postgres.create_database("crashed")
        migrate(postgres.url("crashed"))
        deployment = await asyncio.to_thread(make_deployment, postgres.url("crashed"), redis_server.url(0))
        await _crash_amid_load(deployment, postgres if which == "postgres" else redis_server, tmp_path)
    finally:
        postgres.stop()
        redis_server.stop()


async def _crash_amid_load(deployment: Deployment, server: EmbeddedPostgres | EmbeddedRedis, run_dir: Path) -> None:
    ledger = await asyncpg.create_pool(deployment.database_url, min_size=0, max_size=2)
    fleet = Fleet(deployment, ledger, run_dir)
    async with fleet.worker(QUEUE, CHAT_CONCURRENCY="5") as worker, fleet.api() as (api_process, client):
        jobs = await submit_many(client, 40, "sleep", QUEUE, seconds=0.1)
        await eventually(lambda: fleet.processing(jobs), what="jobs in the worker's hands")
        server.kill()
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)

        async def is_ready() -> bool:
            return bool((await client.get("/readyz")).json()["status"] == "ready")

        await eventually(is_ready, what="an API that has its servers back")
        jobs.append(await submit(client, "echo", QUEUE))
        assert await fleet.all_ended(jobs) == {"done": 41}
        assert await fleet.successes(jobs) == {1: 41}
        assert (worker.returncode, api_process.returncode) == (None, None)
    await ledger.close()
