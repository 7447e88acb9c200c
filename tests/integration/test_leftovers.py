"""I8 in Redis: leases and permits of nothing are found; what is held, claimed or plain is left alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest_asyncio

from app.engine.auditor import Auditor
from app.engine.context import JobContext
from app.engine.dispatch import LEASES_KEY, member_of
from app.engine.ledger.findings import count_findings
from app.engine.ledger.finish import End
from app.engine.ledger.rows import Hint
from app.engine.leftovers import HeldPermits, Leases
from app.engine.outcomes import Cancel, Retry
from app.engine.permits import SINCE_KEY, Permit
from app.kit.db import Connection, Database
from tests.support.deployment import Deployment
from tests.support.jobs import begun, end, live_worker, queued
from tests.support.stage import Stage, open_stage


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


async def lease(stage: Stage, member: str, *, for_seconds: float = 60.0) -> None:
    seconds, _ = await stage.redis.time()
    await stage.redis.zadd(LEASES_KEY, {member: (seconds + for_seconds) * 1000})


async def test_a_lease_is_for_what_runs_or_is_about_to(stage: Stage, ledger: Connection) -> None:
    await stage.redis.flushdb()
    look = Leases("base", stage.redis, stage.database).look
    assert list(await look()) == []
    worker = await live_worker(ledger)
    claimed, running, over = [await queued(ledger) for _ in range(3)]
    await begun(ledger, running, worker)
    await end(ledger, await begun(ledger, over, worker), End.DONE)
    for job in (claimed, running, over):
        await lease(stage, member_of(Hint(job.job_id, 1)))
    await lease(stage, member_of(Hint(claimed.job_id, 7)))  # an attempt that is not due
    await lease(stage, "a plain job of ARQ")
    found = await look()
    assert {finding.subject for finding in found} == {over.job_id, claimed.job_id}
    assert {finding.name for finding in found} == {"lease_of_nothing"}
    audited = await Auditor(stage.database, [look], confirm_after=0.0).audit()
    assert {finding.invariant for finding in audited} == {"I8"}


async def test_a_lease_whose_end_is_long_past_is_found_where_a_worker_has_room(
    stage: Stage, ledger: Connection
) -> None:
    await stage.redis.flushdb()
    look = Leases("base", stage.redis, stage.database, overdue=60.0).look
    await ledger.execute("delete from workers")
    await lease(stage, "a plain job of ARQ", for_seconds=-90.0)
    await lease(stage, "another", for_seconds=-30.0)
    assert list(await look()) == []  # nobody is there
    await live_worker(ledger)
    assert [finding.name for finding in await look()] == ["lease_overdue"]
    await ledger.execute("update workers set load = slots")
    assert list(await look()) == []  # somebody is, and busy


async def test_a_permit_is_for_what_runs_or_is_about_to_and_what_ran_out_does_not_count(
    stage: Stage, ledger: Connection
) -> None:
    await stage.redis.flushdb()
    look = HeldPermits(stage.redis, stage.database).look
    assert list(await look()) == []
    await stage.redis.set(SINCE_KEY, 1)
    worker = await live_worker(ledger)
    running, over, long_over = [await queued(ledger) for _ in range(3)]
    await begun(ledger, running, worker)
    for job in (over, long_over):
        await end(ledger, await begun(ledger, job, worker), End.DONE)
    seconds, _ = await stage.redis.time()
    for job, for_seconds in ((running, 60), (over, 60), (long_over, -1)):
        holder = member_of(Hint(job.job_id, 1))
        await stage.redis.zadd(Permit("a-school", "ocr").key, {holder: (seconds + for_seconds) * 1000})
    assert [(each.name, each.subject) for each in await look()] == [("permit_of_nothing", over.job_id)]


async def test_a_worker_that_was_busy_leaves_nothing_behind_and_violates_nothing(
    stage: Stage, ledger: Connection
) -> None:
    """The real runtime: lanes, retries, cancels and a worker that is replaced, audited while it runs and afterwards."""
    await stage.redis.flushdb()
    for table in ("jobs", "job_attempts", "workers", "lanes"):
        await ledger.execute(f"delete from {table}")

    async def work(ctx: JobContext) -> None:
        await asyncio.sleep(0.002)
        if ctx.input % 7 == 0 and ctx.failures == 0:
            raise Retry("once")
        if ctx.input % 11 == 0:
            raise Cancel("of its own accord")

    kind = stage.job("work", work)
    leases, permits = Leases("base", stage.redis, stage.database), HeldPermits(stage.redis, stage.database)
    auditor = Auditor(stage.database, [leases.look, permits.look], confirm_after=0.5, jobs=20, margin=20)
    jobs = [await stage.submit(kind, number, lane_id=f"lane-{number % 9}") for number in range(120)]
    async with stage.worker(slots=20):
        await auditor.round()
        assert await auditor.audit() == []
    jobs += [await stage.submit(kind, number) for number in range(80)]
    async with stage.worker(slots=20):
        for job in jobs:
            await stage.ended(job, within=60.0)
        await stage.is_quiet()
        await auditor.round()
        assert await auditor.audit() == []
    assert await count_findings(ledger) == {}
    ends = Counter(record[0] for record in await ledger.fetch("select status from job_attempts"))
    assert ends["retry"] > 20
    assert ends["cancelled"] > 10
    assert ends["success"] > 150
