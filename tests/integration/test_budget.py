"""What work costs in round trips, counted where they leave the process: statements to Postgres, calls to Redis."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from app.engine import reconcile
from app.engine.context import JobContext
from app.engine.ledger import begin, cancel, dispatching, finish, heartbeat, lineage, rescue
from app.kit.db import Database
from tests.support.counting import Counted, counting
from tests.support.deployment import Deployment
from tests.support.jobs import new_job
from tests.support.stage import Stage, open_stage
from tests.support.waiting import eventually

JOBS = 2_000
SLOTS = 100
LOOK = "select count(*) from jobs where kind = $1 and status = 'done'"

# What workers ask by the clock, busy or idle: not part of what a job costs.
BY_THE_CLOCK = {
    reconcile._TAKE_TURN,
    rescue._RESCUE,
    dispatching._UNDISPATCHED,
    heartbeat._FORGET,
    lineage._LINEAGE,
    heartbeat._REGISTER,
    heartbeat._RENEW,
    cancel._REQUESTED,
}
ASKS_OF_CONTROLS = "from queue_controls where queue = $1"
CALLS_BY_THE_CLOCK = {"GET", "MGET", "INFO", "SET", "PSETEX", "ZCARD"}  # the epoch's, and ARQ's health check


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


def for_jobs(counted: Counted) -> tuple[Counter[str], Counter[str]]:
    """Statements and calls without what comes by the clock, or once in a worker's life."""
    statements = {text: n for text, n in counted.statements.items() if not _is_by_the_clock(text)}
    return Counter(statements), Counter(
        {name: n for name, n in counted.calls.items() if name not in CALLS_BY_THE_CLOCK}
    )


def _is_by_the_clock(text: str) -> bool:
    return text in BY_THE_CLOCK or text.endswith(ASKS_OF_CONTROLS)


def all_done(stage: Stage, kind: str, count: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        async with stage.database.ledger.acquire() as connection:
            return bool(await connection.fetchval(LOOK, kind) == count)

    return look


async def no_op(_ctx: JobContext) -> None:
    return None


async def test_a_hundred_jobs_under_full_load_cost_six_statements_and_four_calls(stage: Stage) -> None:
    kind = stage.job("t.no_op", no_op)
    requests = [new_job(queue=stage.queue, kind=kind, timeout=60.0) for _ in range(JOBS)]
    await stage.submitter.submit_many(requests)
    await stage.submitter.drain()  # with all its notes: what follows is the worker's alone
    with counting() as counted:
        async with stage.worker(slots=SLOTS, heartbeat=2.0):
            await eventually(all_done(stage, kind, JOBS), within=60, what="the end of all")
    statements, calls = for_jobs(counted)
    assert statements.pop(LOOK) > 0  # the test's own
    hundreds = JOBS / 100
    assert statements[begin._BEGIN] >= JOBS / SLOTS  # they were counted
    assert statements[finish._FINISH] > 0
    assert calls["EVALSHA"] >= JOBS / SLOTS
    assert statements.total() <= 6 * hundreds, statements
    assert calls.total() <= 4 * hundreds, calls
    await stage.is_quiet()


async def test_a_lane_s_jobs_follow_each_other_without_a_pause(stage: Stage) -> None:
    """While an end is on its way, the worker knows that more may come; and whoever sleeps all the same is rung for."""
    kind = stage.job("t.laned", no_op)
    requests = [new_job(queue=stage.queue, kind=kind, timeout=60.0, lane_id="lane") for _ in range(100)]
    await stage.submitter.submit_many(requests)
    await stage.submitter.drain()
    with counting() as counted:
        async with stage.worker():
            await eventually(all_done(stage, kind, 100), within=60, what="the end of the lane")
    assert counted.statements[begin._BEGIN] >= 100  # one at a time
    assert counted.pauses <= 1, counted.calls  # after the last of them, if at all
    assert counted.calls["BLPOP"] <= 60, counted.calls
    order = "select lane_seq from jobs where kind = $1 order by begun_at"
    async with stage.database.ledger.acquire() as connection:
        assert [row["lane_seq"] for row in await connection.fetch(order, kind)] == list(range(1, 101))
