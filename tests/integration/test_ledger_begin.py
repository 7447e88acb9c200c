"""Begin: a verdict for every hint, and never more than one owner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from app.engine.ledger.begin import Begun, Verdict, begin
from app.engine.ledger.cancel import cancel
from app.engine.ledger.finish import End
from app.engine.ledger.heartbeat import deregister
from app.engine.ledger.rows import Hint
from app.kit.db import Connection, Database
from tests.support.jobs import accepted, begun, end, end_lease, live_worker, new_job, queued, row, try_begin


@pytest_asyncio.fixture(loop_scope="session")
async def worker(ledger: Connection) -> UUID:
    return await live_worker(ledger)


@asynccontextmanager
async def paused(ledger: Connection, queue: str) -> AsyncIterator[None]:
    await ledger.execute("insert into queue_controls (queue, paused) values ($1, true)", queue)
    yield
    await ledger.execute("delete from queue_controls where queue = $1", queue)


async def test_a_queued_job_runs_and_its_row_says_who_owns_it(ledger: Connection, tenant: str, worker: UUID) -> None:
    job = await queued(ledger, tenant_id=tenant, input='{"a": 1}', lane_id="lane", request_id="r", session_id="s")
    delivery = await begun(ledger, job, worker)
    assert (delivery.tenant_id, delivery.attempt, delivery.input) == (tenant, 1, {"a": 1})
    assert (delivery.lane_id, delivery.request_id, delivery.session_id) == ("lane", "r", "s")
    stored = await row(ledger, job.job_id)
    assert (stored["status"], stored["attempt"]) == ("processing", 1)
    assert (stored["worker_id"], stored["claim_token"]) == (worker, delivery.token)
    assert stored["started_at"] == stored["begun_at"] is not None
    assert stored["deadline_at"] - stored["begun_at"] == timedelta(seconds=60 + 30)  # time-out and grace


async def test_a_lost_reply_repeated_with_the_same_token_still_runs(
    ledger: Connection, tenant: str, worker: UUID
) -> None:
    job, token = await queued(ledger, tenant_id=tenant), uuid4()
    first = await begun(ledger, job, worker, token=token)
    again = await begun(ledger, job, worker, token=token)
    assert (again.attempt, again.token, again.input) == (first.attempt, first.token, first.input)
    assert (await row(ledger, job.job_id))["attempt"] == 1


async def test_a_job_that_another_worker_runs_is_dropped(ledger: Connection, tenant: str, worker: UUID) -> None:
    job, other = await queued(ledger, tenant_id=tenant), await live_worker(ledger)
    delivery = await begun(ledger, job, other)
    assert (await try_begin(ledger, job, worker)).verdict is Verdict.DROP
    assert (await try_begin(ledger, job, worker, token=delivery.token)).verdict is Verdict.DROP
    assert (await row(ledger, job.job_id))["worker_id"] == other


@pytest.mark.parametrize("how", [End.DONE, End.FAILED, End.CANCELLED])
async def test_a_terminal_job_is_dropped(ledger: Connection, tenant: str, worker: UUID, how: End) -> None:
    job = await queued(ledger, tenant_id=tenant)
    await end(ledger, await begun(ledger, job, worker), how)
    for attempt in (1, 2):
        assert (await try_begin(ledger, job, worker, attempt=attempt)).verdict is Verdict.DROP


async def test_a_cancelled_job_is_dropped(ledger: Connection, tenant: str, worker: UUID) -> None:
    job = await queued(ledger, tenant_id=tenant)
    await cancel(ledger, tenant, job.job_id)
    assert (await try_begin(ledger, job, worker)).verdict is Verdict.DROP


async def test_a_stale_or_invented_hint_is_dropped(ledger: Connection, tenant: str, worker: UUID) -> None:
    job = await queued(ledger, tenant_id=tenant)
    await end(ledger, await begun(ledger, job, worker), End.RETRY)
    assert (await try_begin(ledger, job, worker, attempt=1)).verdict is Verdict.DROP
    assert (await try_begin(ledger, job, worker, attempt=3)).verdict is Verdict.DROP
    assert (await try_begin(ledger, job, worker, attempt=2)).verdict is Verdict.RUN


async def test_a_job_that_is_not_in_the_ledger_is_dropped(ledger: Connection, worker: UUID) -> None:
    [answer] = await begin(ledger, [Hint(uuid4(), 1)], [uuid4()], queue="base", worker_id=worker, deadline_grace=0)
    assert answer.verdict is Verdict.DROP


async def test_a_paused_queue_s_job_waits(ledger: Connection, tenant: str) -> None:
    worker = await live_worker(ledger, queue="exam")
    job = await queued(ledger, tenant_id=tenant, queue="exam")
    async with paused(ledger, "exam"):
        assert (await try_begin(ledger, job, worker)).verdict is Verdict.LATER
    await begun(ledger, job, worker)


async def test_a_job_that_is_not_due_waits_until_it_is(ledger: Connection, tenant: str, worker: UUID) -> None:
    job = await queued(ledger, tenant_id=tenant, run_at=datetime.now(UTC) + timedelta(hours=1))
    answer = await try_begin(ledger, job, worker)
    assert answer.verdict is Verdict.LATER
    assert 3500 < answer.wait <= 3600
    await ledger.execute("update jobs set run_at = now() where job_id = $1", job.job_id)
    await begun(ledger, job, worker)


async def test_a_job_behind_in_its_lane_waits_for_each_earlier_one(
    ledger: Connection, tenant: str, worker: UUID
) -> None:
    jobs = [await queued(ledger, tenant_id=tenant, lane_id="lane") for _ in range(3)]
    assert (await try_begin(ledger, jobs[1], worker)).verdict is Verdict.LATER  # behind a queued one
    delivery = await begun(ledger, jobs[0], worker)
    assert (await try_begin(ledger, jobs[1], worker)).verdict is Verdict.LATER  # behind a running one
    await end(ledger, delivery, End.RETRY)
    assert (await try_begin(ledger, jobs[1], worker)).verdict is Verdict.LATER  # behind one that will run again
    await end(ledger, await begun(ledger, jobs[0], worker, attempt=2), End.FAILED)
    assert (await try_begin(ledger, jobs[2], worker)).verdict is Verdict.LATER
    await begun(ledger, jobs[1], worker)


async def test_a_confined_worker_leaves_other_tenants_jobs(ledger: Connection, tenant: str, worker: UUID) -> None:
    job = await queued(ledger, tenant_id=tenant)
    assert (await try_begin(ledger, job, worker, only_tenant="another")).verdict is Verdict.LATER
    await begun(ledger, job, worker, only_tenant=tenant)


async def test_a_suspect_runs_only_alone(ledger: Connection, tenant: str, worker: UUID) -> None:
    job = await queued(ledger, tenant_id=tenant)
    await ledger.execute("update jobs set losses = 2 where job_id = $1", job.job_id)
    assert (await try_begin(ledger, job, worker)).verdict is Verdict.ALONE
    delivery = await begun(ledger, job, worker, alone=True)
    assert delivery.suspect


async def test_a_suspect_of_a_gated_kind_is_first_alone_and_then_asks_for_its_permits(
    ledger: Connection, tenant: str, worker: UUID
) -> None:
    job = await queued(ledger, tenant_id=tenant)
    await ledger.execute("update jobs set losses = 2 where job_id = $1", job.job_id)
    for alone, verdict in ((False, Verdict.ALONE), (True, Verdict.PERMIT)):
        assert (await try_begin(ledger, job, worker, alone=alone, gated=[job.kind])).verdict is verdict
    assert (await try_begin(ledger, job, worker, alone=True)).verdict is Verdict.RUN


async def test_a_suspect_that_must_wait_anyhow_is_not_asked_to_run_alone(
    ledger: Connection, tenant: str, worker: UUID
) -> None:
    await queued(ledger, tenant_id=tenant, lane_id="lane")
    job = await queued(ledger, tenant_id=tenant, lane_id="lane")
    await ledger.execute("update jobs set losses = 2 where job_id = $1", job.job_id)
    assert (await try_begin(ledger, job, worker)).verdict is Verdict.LATER


async def test_verdicts_of_a_batch_come_in_its_order(ledger: Connection, tenant: str, worker: UUID) -> None:
    first, second = [await queued(ledger, tenant_id=tenant, lane_id="lane") for _ in range(2)]
    plain, done = [answer.job for answer in await accepted(ledger, *(new_job(tenant_id=tenant) for _ in range(2)))]
    await end(ledger, await begun(ledger, done, worker), End.DONE)
    hints = [Hint(job.job_id, 1) for job in (second, done, plain, first)]
    answers = await begin(ledger, hints, [uuid4() for _ in hints], queue="base", worker_id=worker, deadline_grace=0)
    assert [answer.hint for answer in answers] == hints
    assert [answer.verdict for answer in answers] == [Verdict.LATER, Verdict.DROP, Verdict.RUN, Verdict.RUN]


async def test_a_stale_hint_beside_the_true_one_does_not_run_as_well(
    ledger: Connection, tenant: str, worker: UUID
) -> None:
    """After a rescue the expired lease of the old attempt and the hint of the new one are claimed together."""
    job = await queued(ledger, tenant_id=tenant)
    await end(ledger, await begun(ledger, job, worker), End.RETRY)
    hints = [Hint(job.job_id, 1), Hint(job.job_id, 2), Hint(job.job_id, 3)]
    answers = await begin(ledger, hints, [uuid4() for _ in hints], queue="base", worker_id=worker, deadline_grace=0)
    assert [answer.verdict for answer in answers] == [Verdict.DROP, Verdict.RUN, Verdict.DROP]


async def test_a_worker_whose_lease_has_ended_begins_nothing(ledger: Connection, tenant: str, worker: UUID) -> None:
    """It would own the job under a lease that anybody may rescue it from at once."""
    job = await queued(ledger, tenant_id=tenant)
    await end_lease(ledger, worker)
    assert (await try_begin(ledger, job, worker)).verdict is Verdict.LATER
    await deregister(ledger, worker)
    assert (await try_begin(ledger, job, worker)).verdict is Verdict.LATER
    assert (await row(ledger, job.job_id))["attempt"] == 0


async def test_of_many_who_begin_one_job_exactly_one_runs_it(database: Database, tenant: str) -> None:
    async with database.ledger.acquire() as connection:
        workers = [await live_worker(connection) for _ in range(6)]
        jobs = [await queued(connection, tenant_id=tenant) for _ in range(30)]

    async def one(worker: UUID) -> list[Begun]:
        hints = [Hint(job.job_id, 1) for job in jobs]
        async with database.ledger.acquire() as connection:
            tokens = [uuid4() for _ in hints]
            return await begin(connection, hints, tokens, queue="base", worker_id=worker, deadline_grace=0)

    answers = [answer for batch in await asyncio.gather(*map(one, workers)) for answer in batch]
    ran = [answer.hint for answer in answers if answer.verdict is Verdict.RUN]
    assert sorted(ran) == sorted(Hint(job.job_id, 1) for job in jobs)


async def test_two_holders_of_a_lane_are_impossible(ledger: Connection, tenant: str, worker: UUID) -> None:
    """Whatever a worker believes: the unique index refuses the second row."""
    first, second = [await queued(ledger, tenant_id=tenant, lane_id="lane") for _ in range(2)]
    await begun(ledger, first, worker)
    with pytest.raises(asyncpg.UniqueViolationError, match="jobs_lane_holder"):
        await ledger.execute(
            "update jobs set status = 'processing', claim_token = gen_random_uuid() where job_id = $1", second.job_id
        )
    with pytest.raises(asyncpg.UniqueViolationError, match="jobs_lane_holder"):
        await ledger.execute(
            """insert into jobs (job_id, tenant_id, queue, kind, status, input, max_attempts, timeout_seconds, lane_id,
                                 lane_seq, claim_token)
               values (gen_random_uuid(), $1, 'base', 'k', 'processing', '{}', 1, 1, 'lane', 99, gen_random_uuid())""",
            tenant,
        )
