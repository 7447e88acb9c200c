"""I8 in Redis: a lease of nothing is found, and what is held, claimed or plain is left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from app.engine.auditor import Auditor
from app.engine.dispatch import LEASES_KEY, member_of
from app.engine.ledger.finish import End
from app.engine.ledger.rows import Hint
from app.engine.leftovers import Leftovers
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
    look = Leftovers("base", stage.redis, stage.database).look
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
    look = Leftovers("base", stage.redis, stage.database, overdue=60.0).look
    await ledger.execute("delete from workers")
    await lease(stage, "a plain job of ARQ", for_seconds=-90.0)
    await lease(stage, "another", for_seconds=-30.0)
    assert list(await look()) == []  # nobody is there
    await live_worker(ledger)
    assert [finding.name for finding in await look()] == ["lease_overdue"]
    await ledger.execute("update workers set load = slots")
    assert list(await look()) == []  # somebody is, and busy
