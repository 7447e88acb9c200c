"""The reconciler: whatever Redis forgot or never heard of, and whoever died, every queued job gets its hint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app.engine.context import JobContext
from app.engine.dispatch import EPOCH_KEY, REBUILD_MS
from app.engine.hints import Held, note
from app.engine.ledger.queues import Flow, set_flow
from app.engine.ledger.rows import Hint
from app.engine.reconcile import Reconciler
from app.kit.db import Connection, Database
from tests.support.deployment import Deployment
from tests.support.jobs import attempts, begun, end_lease, live_worker, queued, row
from tests.support.stage import Stage, open_stage, unread_metrics
from tests.support.waiting import eventually


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        opened.job("t.echo", echo)
        opened.job("t.tick", tick)
        yield opened


async def echo(ctx: JobContext) -> Any:
    return ctx.input


async def tick(ctx: JobContext) -> Any:
    """Longer than a FLUSHALL needs to hit it."""
    await asyncio.sleep(0.05)
    return ctx.attempt


@pytest_asyncio.fixture(loop_scope="session")
async def reconciler(stage: Stage) -> AsyncIterator[Reconciler]:
    """One that is asked by hand, over an empty queue and ledger."""
    await stage.execute("delete from jobs")
    await stage.execute("update queue_controls set reconciler_until = now()")
    await stage.redis.flushdb()
    yield make(stage, uuid4())
    await stage.execute("delete from jobs")


def make(stage: Stage, worker_id: UUID, **options: Any) -> Reconciler:
    given: dict[str, Any] = {"worker_id": lambda: worker_id, "lease": 5.0, "metrics": unread_metrics(stage.queue)}
    return Reconciler(stage.queue, stage.database, stage.dispatcher, stage.events, **given | options)


async def hinted(stage: Stage) -> set[Hint]:
    return set((await stage.dispatcher.claim(1000, 60.0)).hints)


async def test_a_job_that_was_never_dispatched_gets_its_hint(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    """The API died between its commit and Redis."""
    job = await queued(ledger)
    await reconciler.reconcile()
    assert (await row(ledger, job.job_id))["dispatched_at"] is not None
    assert await hinted(stage) == {Hint(job.job_id, 1)}


async def test_what_redis_already_holds_is_not_dispatched_twice(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    """The API died between Redis and its note."""
    waiting, leased = await queued(ledger), await queued(ledger)
    await stage.dispatcher.enqueue([leased.due()])
    assert await hinted(stage) == {Hint(leased.job_id, 1)}
    await stage.dispatcher.enqueue([waiting.due()])
    await reconciler.reconcile()
    assert await hinted(stage) == {Hint(waiting.job_id, 1)}


async def test_priority_and_moment_survive_a_rebuild(stage: Stage, reconciler: Reconciler, ledger: Connection) -> None:
    low, high = await queued(ledger, priority=-5), await queued(ledger, priority=5)
    await queued(ledger, run_at=datetime.now(UTC) + timedelta(hours=1))
    await reconciler.reconcile()
    answer = await stage.dispatcher.claim(10, 60.0)
    assert answer.hints == [Hint(high.job_id, 1), Hint(low.job_id, 1)]
    assert answer.next_due_ms > 3_500_000


async def test_jobs_are_swept_oldest_first_past_one_statement_s_worth(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    await stage.execute(
        """insert into jobs (job_id, tenant_id, queue, kind, input, max_attempts, timeout_seconds)
           select gen_random_uuid(), 'demo', 'base', 'k', '{}', 1, 1 from generate_series(1, 2500)"""
    )
    await reconciler.reconcile()
    assert await stage.dispatcher.depth() == (2500, 0)
    assert await ledger.fetchval("select count(*) from jobs where dispatched_at is null") == 0


async def test_a_paused_queue_is_not_swept(stage: Stage, reconciler: Reconciler, ledger: Connection) -> None:
    await queued(ledger)
    await set_flow(ledger, stage.queue, Flow.PAUSE, by="test")
    await reconciler.reconcile()
    assert await hinted(stage) == set()
    await set_flow(ledger, stage.queue, Flow.RUN, by="test")
    await reconciler.reconcile()
    assert len(await hinted(stage)) == 1


async def test_a_dead_worker_s_jobs_are_rescued_and_dispatched_in_one_go(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    worker = await live_worker(ledger)
    job = await queued(ledger)
    await begun(ledger, job, worker)
    await end_lease(ledger, worker)
    await reconciler.reconcile()
    assert await attempts(ledger, job.job_id) == ["lost"]
    assert await hinted(stage) == {Hint(job.job_id, 2)}
    assert [event.type for event in await stage.told(job.job_id)] == ["queued"]


async def test_after_losing_postgres_owners_get_a_lease_to_show_themselves(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    worker = await live_worker(ledger)
    job = await queued(ledger)
    await begun(ledger, job, worker)
    await end_lease(ledger, worker)
    reconciler._patient_until = float("inf")  # as the loop sets it when the connection was lost
    await reconciler.reconcile()
    assert await attempts(ledger, job.job_id) == []
    reconciler._patient_until = 0.0
    await reconciler.reconcile()
    assert await attempts(ledger, job.job_id) == ["lost"]


async def test_a_redis_that_forgot_everything_is_rebuilt(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    jobs = [await queued(ledger) for _ in range(5)]
    await reconciler.reconcile()
    await stage.redis.flushall()
    await reconciler.reconcile()
    assert await hinted(stage) == {Hint(job.job_id, 1) for job in jobs}


async def test_an_epoch_of_an_earlier_run_of_the_server_means_that_something_is_lost(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    """A restart from the append-only file: the last second of hints is missing, the rest is there."""
    jobs = [await queued(ledger) for _ in range(2)]
    await reconciler.reconcile()
    await stage.redis.zrem("homeroom:ready:demo", f"hr:1:{jobs[0].job_id}:1")
    await reconciler.reconcile()
    assert await stage.dispatcher.depth() == (1, 0)  # nothing tells that it is missing
    await stage.redis.set(EPOCH_KEY, "an-earlier-run-of-the-server")
    await reconciler.reconcile()
    assert await hinted(stage) == {Hint(job.job_id, 1) for job in jobs}


async def test_a_settled_queue_is_left_alone(stage: Stage, reconciler: Reconciler, ledger: Connection) -> None:
    job = await queued(ledger)
    await reconciler.reconcile()
    noted_at = (await row(ledger, job.job_id))["dispatched_at"]
    await reconciler.reconcile()
    assert (await row(ledger, job.job_id))["dispatched_at"] == noted_at


async def test_a_rebuilder_that_died_is_replaced_when_its_mark_ends(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    job = await queued(ledger)
    await reconciler.reconcile()
    await stage.redis.flushdb()
    assert await stage.dispatcher.begin_rebuild("") is not None  # and no more is heard of it
    await reconciler.reconcile()
    assert await hinted(stage) == set()
    assert 0 < await stage.redis.pttl(EPOCH_KEY) <= REBUILD_MS
    await stage.redis.pexpire(EPOCH_KEY, 1)

    async def rebuilt() -> bool:
        await reconciler.reconcile()
        return await hinted(stage) == {Hint(job.job_id, 1)}

    await eventually(rebuilt, what="the rebuild by another")


async def test_a_dispatch_that_is_noted_only_after_the_loss_is_not_believed(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    """Hint, FLUSHALL, rebuild, and only then the submitter's note that Redis holds the hint: it holds it no more."""
    await reconciler.reconcile()
    job = await queued(ledger)
    epoch = (await stage.dispatcher.enqueue([job.due()])).epoch
    await stage.redis.flushdb()
    await reconciler._heed_epoch()
    await note(stage.database, [Held(job.due().hint, stage.dispatcher, epoch)])
    await reconciler.reconcile()
    assert await hinted(stage) == {job.due().hint}


async def test_one_worker_of_the_queue_reconciles_and_another_follows_it(stage: Stage, reconciler: Reconciler) -> None:
    first, second = make(stage, uuid4()), make(stage, uuid4())
    assert await first._take_turn()
    assert not await second._take_turn()
    assert await first._take_turn()
    await stage.execute("update queue_controls set reconciler_until = now() where queue = $1", stage.queue)
    assert await second._take_turn()
    assert not await first._take_turn()


@pytest.mark.parametrize("lease", [0.5, 1.0, 3.0])
async def test_a_short_lease_keeps_its_promise_where_the_reconciler_dies_as_well(stage: Stage, lease: float) -> None:
    """Back within the lease and two seconds: whoever died first waits for the last reconciler's turn to end, and for
    the next worker's look."""
    reconciler = make(stage, uuid4(), lease=lease)
    assert reconciler._turn + reconciler._interval < 2.0
    assert reconciler._turn >= 2 * reconciler._interval  # one renewal may come late


async def test_a_confined_reconciler_sweeps_its_tenant_alone(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    mine, theirs = await queued(ledger, tenant_id="mine"), await queued(ledger, tenant_id="theirs")
    await make(stage, uuid4(), only_tenant="mine").reconcile()
    assert await hinted(stage) == {Hint(mine.job_id, 1)}
    await reconciler.reconcile()
    assert await hinted(stage) == {Hint(theirs.job_id, 1)}


async def test_a_worker_scans_before_it_is_ready_only_if_it_should(stage: Stage, reconciler: Reconciler) -> None:
    job_id = await stage.submit("t.echo", run_at=datetime.now(UTC) + timedelta(hours=1))
    await stage.submitter.drain()
    await stage.execute("update jobs set dispatched_at = null where job_id = $1", job_id)
    await stage.execute(
        "update queue_controls set reconciler_until = now() + interval '1 hour'"
    )  # somebody else's turn
    for scan in (False, True):
        await stage.redis.flushdb()
        async with stage.worker(scan_on_start=scan):
            assert await stage.dispatcher.depth() == ((1, 0) if scan else (0, 0))


async def test_flushes_while_jobs_are_queued_and_running_lose_nothing_and_repeat_nothing(
    stage: Stage, reconciler: Reconciler
) -> None:
    async with stage.worker(), stage.worker():
        lanes = [f"lane-{number % 7}" if number % 3 else None for number in range(60)]
        jobs = [await stage.submit("t.tick", lane_id=lane) for lane in lanes]
        struck = 0
        for _ in range(3):
            async with stage.database.ledger.acquire() as connection:
                struck += await connection.fetchval("select count(*) from jobs where status = 'processing'")
            await stage.redis.flushall()

            async def rebuilt() -> bool:
                epoch = await stage.dispatcher.epoch()
                return bool(epoch) and not epoch.startswith("rebuilding")

            await eventually(rebuilt, what="the rebuild")
        for job_id in jobs:
            assert (await stage.ended(job_id, within=60))["result"] == "1"
            assert await stage.attempts(job_id) == ["success"]
        await stage.is_quiet()
    assert struck, "no flush met a running job"
