"""Rescue: what dead workers held goes on, and against a worker that finishes after all exactly one wins."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
import pytest_asyncio

from app.engine.ledger import rescue as rescuing
from app.engine.ledger.begin import Delivery, Verdict
from app.engine.ledger.cancel import cancel
from app.engine.ledger.finish import End
from app.engine.ledger.heartbeat import WorkerCard, adopt, deregister, forget_the_dead, register, renew
from app.engine.ledger.losses import Tolerance
from app.engine.ledger.progress import Progress, note_progress
from app.engine.ledger.rescue import Rescued, rescue
from app.kit.db import Connection, Database
from app.kit.ids import uuid7
from tests.support.jobs import QUEUE, attempts, begun, end, end_lease, live_worker, queued, row, try_begin
from tests.support.waiting import eventually


@pytest_asyncio.fixture(loop_scope="session")
async def worker(ledger: Connection) -> UUID:
    return await live_worker(ledger)


@pytest_asyncio.fixture(loop_scope="session")
async def delivery(ledger: Connection, tenant: str, worker: UUID) -> Delivery:
    return await begun(ledger, await queued(ledger, tenant_id=tenant), worker)


async def rescued(ledger: Connection, tenant: str) -> list[Rescued]:
    return await rescue(ledger, QUEUE, only_tenant=tenant)


async def test_a_live_worker_keeps_its_jobs(ledger: Connection, delivery: Delivery) -> None:
    assert await rescued(ledger, delivery.tenant_id) == []
    assert (await row(ledger, delivery.job_id))["status"] == "processing"


async def test_a_dead_worker_s_job_is_queued_again_and_spends_no_failure(
    ledger: Connection, delivery: Delivery, worker: UUID
) -> None:
    await ledger.execute("update jobs set dispatched_at = now() where job_id = $1", delivery.job_id)
    await end_lease(ledger, worker)
    [answer] = await rescued(ledger, delivery.tenant_id)
    assert answer == (delivery.job_id, delivery.tenant_id, 1, "queued", None)
    stored = await row(ledger, delivery.job_id)
    assert (stored["status"], stored["losses"], stored["failures"]) == ("queued", 1, 0)
    assert stored["dispatched_at"] is stored["deadline_at"] is stored["error"] is None
    assert await attempts(ledger, delivery.job_id) == ["lost"]
    assert (await begun(ledger, delivery, await live_worker(ledger))).losses == 1


async def test_a_worker_that_left_without_its_jobs_is_as_good_as_dead(
    ledger: Connection, delivery: Delivery, worker: UUID
) -> None:
    await deregister(ledger, worker)
    assert [each.job_id for each in await rescued(ledger, delivery.tenant_id)] == [delivery.job_id]


async def test_a_job_past_its_deadline_is_rescued_from_a_live_worker(ledger: Connection, delivery: Delivery) -> None:
    await ledger.execute("update jobs set deadline_at = now() - interval '1 second' where job_id = $1", delivery.job_id)
    assert [each.job_id for each in await rescued(ledger, delivery.tenant_id)] == [delivery.job_id]


async def test_rescue_looks_at_its_own_queue_alone(ledger: Connection, delivery: Delivery, worker: UUID) -> None:
    await end_lease(ledger, worker)
    assert await rescue(ledger, "chat") == []
    assert await rescue(ledger, QUEUE, only_tenant="another") == []


async def test_a_dead_worker_s_job_that_was_to_be_cancelled_is_cancelled(
    ledger: Connection, delivery: Delivery, worker: UUID
) -> None:
    await cancel(ledger, delivery.tenant_id, delivery.job_id)
    await end_lease(ledger, worker)
    assert [each.status for each in await rescued(ledger, delivery.tenant_id)] == ["cancelled"]
    stored = await row(ledger, delivery.job_id)
    assert stored["finished_at"] is not None
    assert stored["error"] is None


async def test_the_third_loss_is_the_end(ledger: Connection, tenant: str) -> None:
    job = await queued(ledger, tenant_id=tenant)
    for attempt in (1, 2, 3):
        worker = await live_worker(ledger)
        suspect = attempt == 3
        assert ((await try_begin(ledger, job, worker, attempt=attempt)).verdict is Verdict.ALONE) == suspect
        if suspect:
            await begun(ledger, job, worker, attempt=attempt, alone=True)
        await end_lease(ledger, worker)
        [answer] = await rescued(ledger, tenant)
        assert answer.status == ("failed" if suspect else "queued")
    stored = await row(ledger, job.job_id)
    assert (stored["error"], stored["losses"], stored["failures"]) == ("poisoned", 3, 0)
    assert stored["finished_at"] is not None
    assert await attempts(ledger, job.job_id) == ["lost", "lost", "lost"]


async def test_a_kind_may_bear_more_losses(ledger: Connection, tenant: str) -> None:
    job = await queued(ledger, tenant_id=tenant)
    tolerance = Tolerance({job.kind: 5, "another.kind": 9})
    for attempt in range(1, 6):
        worker = await live_worker(ledger)
        verdict = (await try_begin(ledger, job, worker, attempt=attempt, tolerance=tolerance)).verdict
        assert verdict is (Verdict.ALONE if attempt == 5 else Verdict.RUN)
        if verdict is Verdict.ALONE:
            assert (await begun(ledger, job, worker, attempt=attempt, alone=True, tolerance=tolerance)).suspect
        await end_lease(ledger, worker)
        [answer] = await rescue(ledger, QUEUE, only_tenant=tenant, tolerance=tolerance)
        assert answer.status == ("failed" if attempt == 5 else "queued")
    stored = await row(ledger, job.job_id)
    assert (stored["error"], stored["losses"]) == ("poisoned", 5)
    with pytest.raises(ValueError, match="at least 3 losses"):
        Tolerance({job.kind: 2})


async def test_the_rescued_worker_s_word_counts_no_more(ledger: Connection, delivery: Delivery, worker: UUID) -> None:
    await end_lease(ledger, worker)
    await rescued(ledger, delivery.tenant_id)
    await begun(ledger, delivery, await live_worker(ledger))
    before = await row(ledger, delivery.job_id)
    assert await end(ledger, delivery, End.DONE) is None
    await note_progress(ledger, {delivery: Progress(50, "half")})
    assert await row(ledger, delivery.job_id) == before


async def test_finish_and_rescue_at_the_same_time_have_one_winner(database: Database, tenant: str) -> None:
    """The class of bug that queues keep having: the rescuer overwrites what was finished, or both count."""
    ended: set[UUID] = set()
    taken: set[UUID] = set()

    async def finishes(delivery: Delivery) -> None:
        async with database.ledger.acquire() as connection:
            if await end(connection, delivery, End.DONE) is not None:
                ended.add(delivery.job_id)

    async def rescues() -> None:
        async with database.ledger.acquire() as connection:
            taken.update(each.job_id for each in await rescued(connection, tenant))

    async with database.ledger.acquire() as ledger:
        jobs: set[UUID] = set()
        for number in range(60):
            worker = await live_worker(ledger)
            deliveries = [await begun(ledger, await queued(ledger, tenant_id=tenant), worker) for _ in range(3)]
            jobs |= {each.job_id for each in deliveries}
            await end_lease(ledger, worker)
            work = [finishes(each) for each in deliveries]
            work.insert(number % 4, rescues())
            await asyncio.gather(*work)
        assert taken | ended == jobs
        assert not taken & ended
        for job_id in jobs:
            stored, history = await row(ledger, job_id), await attempts(ledger, job_id)
            expected = ("done", ["success"]) if job_id in ended else ("queued", ["lost"])
            assert (stored["status"], history) == expected
    assert ended, "rescue was always first: the race never happened"
    assert taken, "finish was always first: the race never happened"


async def test_a_job_that_is_adopted_while_rescue_looks_at_it_stays_with_its_worker(
    database: Database, ledger: Connection, delivery: Delivery, worker: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rescue has seen the dead registration; the worker registers anew and adopts before rescue has the row's lock."""
    waits = "(select true from pg_advisory_xact_lock_shared(7) where j.job_id is not null) and j.queue = $1"
    monkeypatch.setattr(rescuing, "_RESCUE", rescuing._RESCUE.replace("j.queue = $1", waits, 1))
    await end_lease(ledger, worker)
    async with database.ledger.acquire() as gate, database.ledger.acquire() as other:
        async with gate.transaction():
            await gate.execute("select pg_advisory_xact_lock(7)")
            looking = asyncio.create_task(rescue(other, QUEUE, only_tenant=delivery.tenant_id))

            async def looks() -> bool:
                return bool(await ledger.fetchval("select 1 from pg_locks where locktype = 'advisory' and not granted"))

            await eventually(looks, what="rescue's look")
            assert await adopt(ledger, worker, await live_worker(ledger), [delivery]) == {delivery.job_id}
        assert await looking == []
    assert await end(ledger, delivery, End.DONE) is not None


async def test_many_rescuers_rescue_each_job_once(database: Database, tenant: str) -> None:
    async with database.ledger.acquire() as ledger:
        worker = await live_worker(ledger)
        jobs = [(await begun(ledger, await queued(ledger, tenant_id=tenant), worker)).job_id for _ in range(40)]
        await end_lease(ledger, worker)

    async def one() -> list[Rescued]:
        async with database.ledger.acquire() as connection:
            return await rescued(connection, tenant)

    taken = [each.job_id for answer in await asyncio.gather(*(one() for _ in range(6))) for each in answer]
    assert sorted(taken) == sorted(jobs)


async def test_a_lease_that_ran_out_is_never_renewed(ledger: Connection, worker: UUID) -> None:
    assert await renew(ledger, worker, 60.0, 3)
    assert await ledger.fetchval("select load from workers where worker_id = $1", worker) == 3
    await end_lease(ledger, worker)
    assert not await renew(ledger, worker, 60.0, 3)
    assert not await renew(ledger, uuid7(), 60.0, 3)


async def test_a_registration_whose_reply_was_lost_may_be_repeated(ledger: Connection) -> None:
    worker_id, card = uuid7(), WorkerCard(QUEUE, "h", 1, "0", 1)
    await register(ledger, worker_id, card, 60.0)
    await register(ledger, worker_id, card, 60.0)
    assert await renew(ledger, worker_id, 60.0, 0)


async def test_a_worker_registered_anew_adopts_what_was_not_given_away(
    ledger: Connection, tenant: str, worker: UUID
) -> None:
    kept, lost = [await begun(ledger, await queued(ledger, tenant_id=tenant), worker) for _ in range(2)]
    await end_lease(ledger, worker)
    await ledger.execute("update jobs set status = 'queued' where job_id = $1", lost.job_id)
    stranger, anew = await live_worker(ledger), await live_worker(ledger)
    assert await adopt(ledger, stranger, anew, [kept, lost]) == set()
    assert await adopt(ledger, worker, anew, [kept, lost]) == {kept.job_id}
    assert await rescued(ledger, tenant) == []
    assert await end(ledger, kept, End.DONE) is not None


async def test_the_long_dead_are_forgotten_once_nothing_runs_under_them(
    ledger: Connection, delivery: Delivery, worker: UUID
) -> None:
    alive = await live_worker(ledger)
    await ledger.execute("update workers set lease_until = now() - interval '2 minutes' where worker_id = $1", worker)

    async def known() -> set[UUID]:
        records = await ledger.fetch("select worker_id from workers where worker_id = any($1::uuid[])", [worker, alive])
        return {record["worker_id"] for record in records}

    await forget_the_dead(ledger, QUEUE)
    assert await known() == {worker, alive}
    await rescued(ledger, delivery.tenant_id)
    await forget_the_dead(ledger, QUEUE)
    assert await known() == {alive}
