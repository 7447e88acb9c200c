"""Notes of dispatches speak of one epoch of Redis: of a passed one they say nothing, and a rebuild rewrites no row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app.engine import reconcile
from app.engine.dispatch import EPOCH_KEY, Dispatcher, Enqueued, is_settled, member_of
from app.engine.hints import Held, note
from app.engine.ledger.dispatching import current_epoch, enter_epoch, mark_dispatched
from app.engine.ledger.finish import End, Ending, already_ended
from app.engine.ledger.retry import retry
from app.engine.ledger.rows import Due, Hint, JobRow
from app.engine.reconcile import Reconciler
from app.kit.db import Connection, Database
from tests.support.deployment import Deployment
from tests.support.jobs import begun, end, live_worker, queued, row
from tests.support.stage import Stage, open_stage, unread_metrics
from tests.support.waiting import eventually

LANES, PER_LANE = 50, 20


class Watched(Dispatcher):
    """The real one, which counts what it was asked for; Redis may lose everything after one of its enqueues."""

    hinted: list[Hint]
    flush_after = 0

    async def enqueue(self, dues: Sequence[Due], *, chunk: int = 1000) -> Enqueued:
        answer = await super().enqueue(dues, chunk=chunk)
        self.hinted += [due.hint for due in dues]
        self.flush_after -= 1
        if self.flush_after == 0:
            await self.redis.flushdb()
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


@pytest.fixture
def watched(stage: Stage) -> Watched:
    watched = Watched(stage.redis)
    watched.hinted = []
    return watched


@pytest_asyncio.fixture(loop_scope="session")
async def reconciler(stage: Stage, watched: Watched) -> Reconciler:
    """One that is asked by hand, over an empty ledger and a Redis that is whole."""
    await stage.execute("delete from jobs")
    await stage.execute("delete from lanes")
    await stage.redis.flushdb()
    worker_id = uuid4()
    reconciler = Reconciler(
        stage.queue,
        stage.database,
        watched,
        stage.events,
        metrics=unread_metrics(stage.queue),
        worker_id=lambda: worker_id,
        lease=5.0,
    )
    await reconciler.reconcile()
    watched.hinted.clear()
    return reconciler


async def noted(ledger: Connection, job: JobRow) -> bool:
    return (await row(ledger, job.job_id))["dispatched_at"] is not None


async def held(stage: Stage, job: JobRow) -> Held:
    """Redis has the hint now, and nobody has noted it yet."""
    return Held(job.due().hint, stage.dispatcher, (await stage.dispatcher.enqueue([job.due()])).epoch)


async def waits_for_a_lock(ledger: Connection, connection: Connection) -> None:
    pid = connection.get_server_pid()

    async def look() -> bool:
        return bool(await ledger.fetchval("select cardinality(pg_blocking_pids($1)) > 0", pid))

    await eventually(look, what="the wait for the epoch's lock")


async def many(stage: Stage, *, alone: int, lanes: int = 0) -> set[str]:
    """Waiting jobs of which each that could begin is noted; their hints' members. Redis knows none of them."""
    await stage.execute(
        """insert into jobs (job_id, tenant_id, queue, kind, input, max_attempts, timeout_seconds, dispatched_at)
           select gen_random_uuid(), 'demo', $1, 'k', '{}', 1, 1, now() from generate_series(1, $2::int)""",
        stage.queue,
        alone,
    )
    await stage.execute(
        """insert into jobs (job_id, tenant_id, queue, kind, input, max_attempts, timeout_seconds, lane_id, lane_seq,
                             dispatched_at)
           select gen_random_uuid(), 'demo', $1, 'k', '{}', 1, 1, 'lane-' || lane, seq, case when seq = 1 then now() end
           from generate_series(1, $2::int) as lane, generate_series(1, $3::int) as seq""",
        stage.queue,
        lanes,
        PER_LANE,
    )
    async with stage.database.ledger.acquire() as connection:
        records = await connection.fetch("select job_id from jobs where dispatched_at is not null")
    assert len(records) == alone + lanes
    return {member_of(Hint(record["job_id"], 1)) for record in records}


async def members(stage: Stage) -> set[str]:
    return {raw.decode() for raw in await stage.redis.zrange("homeroom:ready:demo", 0, -1)}


async def versions(ledger: Connection) -> set[tuple[UUID, str]]:
    """Which version of which row there is: an update would make another one."""
    records = await ledger.fetch("select job_id, xmin::text || ctid::text as version from jobs")
    return {(record["job_id"], record["version"]) for record in records}


@pytest.mark.parametrize("lane_id", [None, "a-lane"])
async def test_a_note_of_a_passed_epoch_marks_nothing(
    stage: Stage, reconciler: Reconciler, ledger: Connection, lane_id: str | None
) -> None:
    job = await queued(ledger, lane_id=lane_id)
    late = await held(stage, job)
    await stage.redis.flushdb()
    await reconciler._heed_epoch()
    await note(stage.database, [late])
    assert not await noted(ledger, job)
    await reconciler.reconcile()
    assert await noted(ledger, job)
    assert await members(stage) == {member_of(job.due().hint)}


async def test_of_notes_written_together_only_those_of_the_current_epoch_count(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    old, new = await queued(ledger), await queued(ledger)
    epoch = await stage.dispatcher.epoch()
    await mark_dispatched(ledger, [old.due().hint, new.due().hint], ["a-run/another-epoch", epoch])
    assert (await noted(ledger, old), await noted(ledger, new)) == (False, True)


async def test_a_note_that_waits_for_a_new_epoch_marks_nothing(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    """It saw its own epoch as the current one; by the time that it has the lock, another one is."""
    job = await queued(ledger)
    late = await held(stage, job)
    async with stage.database.ledger.acquire() as rebuilder, stage.database.ledger.acquire() as noting:
        async with rebuilder.transaction():
            await enter_epoch(rebuilder, stage.queue, "a-run/the-next")
            writing = asyncio.create_task(mark_dispatched(noting, [late.hint], [late.epoch]))
            await waits_for_a_lock(ledger, noting)
        await writing
    assert not await noted(ledger, job)


async def test_a_new_epoch_waits_for_notes_under_way(stage: Stage, reconciler: Reconciler, ledger: Connection) -> None:
    """What is noted before it is seen by the rebuild that follows."""
    job = await queued(ledger)
    timely = await held(stage, job)
    async with stage.database.ledger.acquire() as noting, stage.database.ledger.acquire() as rebuilder:
        async with noting.transaction():
            await mark_dispatched(noting, [timely.hint], [timely.epoch])
            entering = asyncio.create_task(enter_epoch(rebuilder, stage.queue, "a-run/the-next"))
            await waits_for_a_lock(ledger, rebuilder)
            assert await current_epoch(ledger, stage.queue) == timely.epoch
        await entering
    assert await noted(ledger, job)
    assert await current_epoch(ledger, stage.queue) == "a-run/the-next"


async def test_a_rebuild_hints_once_at_each_of_many_and_writes_no_row(
    stage: Stage, reconciler: Reconciler, watched: Watched, ledger: Connection
) -> None:
    expected = await many(stage, alone=20_000, lanes=LANES)
    before = await versions(ledger)
    await stage.redis.flushdb()
    await reconciler.reconcile()
    assert await members(stage) == expected
    assert len(watched.hinted) == len(expected)
    assert await versions(ledger) == before
    epoch = await stage.dispatcher.epoch()
    assert is_settled(epoch)
    assert await current_epoch(ledger, stage.queue) == epoch


@pytest.mark.parametrize("enqueues", [1, 2, 4], ids=["after the heads", "between pages", "after the last page"])
async def test_a_redis_that_forgets_again_in_mid_rebuild_is_rebuilt_from_the_start(
    stage: Stage, reconciler: Reconciler, watched: Watched, monkeypatch: pytest.MonkeyPatch, enqueues: int
) -> None:
    monkeypatch.setattr(reconcile, "REBUILD", 50)
    expected = await many(stage, alone=120, lanes=3)
    await stage.redis.flushdb()
    watched.flush_after = enqueues
    await reconciler.reconcile()
    assert not is_settled(await stage.dispatcher.epoch())
    assert await members(stage) == set()
    await reconciler.reconcile()
    assert await members(stage) == expected
    assert is_settled(await stage.dispatcher.epoch())


@pytest.mark.parametrize("remembered", ["a-run/of-before", None])
async def test_a_ledger_that_remembers_another_epoch_is_one_whose_queue_is_rebuilt(
    stage: Stage, reconciler: Reconciler, ledger: Connection, remembered: str | None
) -> None:
    """Restored from a backup: its notes are of hints that Redis has long forgotten."""
    expected = await many(stage, alone=30, lanes=2)
    await stage.execute("update queue_controls set epoch = $2 where queue = $1", stage.queue, remembered)
    await reconciler.reconcile()
    assert await members(stage) == expected
    assert await current_epoch(ledger, stage.queue) == (await stage.redis.get(EPOCH_KEY)).decode()


async def test_a_note_of_a_lane_s_tail_does_not_strand_it(
    stage: Stage, reconciler: Reconciler, ledger: Connection
) -> None:
    """A failure's reply is lost, a person retries the job, and what is read again says queued: a hint at the tail."""
    worker = await live_worker(ledger)
    first = await queued(ledger, lane_id="a-lane")
    second = await queued(ledger, lane_id="a-lane")
    delivery = await begun(ledger, first, worker)
    await end(ledger, delivery, End.FAILED)
    async with ledger.transaction():
        assert await retry(ledger, first.tenant_id, first.job_id) is not None
    [again] = (await already_ended(ledger, [Ending(delivery, End.FAILED)])).values()
    assert again.status == "queued"
    tail = Hint(again.job_id, again.attempt + 1)
    due = Due(tail, "demo", bulk=again.bulk, priority=again.priority, run_at=None)
    enqueued = await stage.dispatcher.enqueue([due])
    assert await note(stage.database, [Held(tail, stage.dispatcher, enqueued.epoch)])
    await stage.redis.flushdb()
    await reconciler.reconcile()
    await end(ledger, await begun(ledger, second, worker), End.DONE)
    await stage.redis.zrem("homeroom:ready:demo", member_of(second.due().hint))
    await reconciler.reconcile()
    assert await members(stage) == {member_of(tail)}
