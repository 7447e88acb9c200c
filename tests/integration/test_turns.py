"""Permits for a part of a job: they count with those that jobs begin with, and never outlast the part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest_asyncio

from app.engine.context import JobContext
from app.engine.ledger.cancel import cancel
from app.engine.ledger.rows import Hint
from app.engine.permits import Permit, PermitSets
from app.engine.turns import Turns
from app.kit.db import Database
from app.kit.ids import uuid7
from tests.support.deployment import Deployment
from tests.support.permits import Limits, limited_stage, redis_of
from tests.support.stage import Stage
from tests.support.waiting import eventually

ONE = Permit("demo", "one")
LIMITS = Limits({"one": 1})


@pytest_asyncio.fixture(loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with limited_stage(deployment, database, LIMITS) as opened:
        yield opened


def turns_of(stage: Stage, *, lease: float = 5.0, heartbeat: float = 0.5) -> Turns:
    sets = PermitSets(redis_of(stage), LIMITS, lease=lease, heartbeat=heartbeat)
    return Turns(sets, heartbeat=heartbeat)


def holders(stage: Stage, count: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return bool(await redis_of(stage).zcard(ONE.key) == count)

    return look


class Parts:
    """A job function that works, takes a turn, and works on; the test lets it out of each."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.at: list[tuple[Any, str]] = []
        self.leave = asyncio.Event()

    async def __call__(self, ctx: JobContext) -> Any:
        name = ctx.input["name"]
        self.at.append((name, "before"))
        async with self._turns.taken(ctx, "one"):
            self.at.append((name, "within"))
            await self.leave.wait()
        self.at.append((name, "after"))

    def is_at(self, name: str, part: str) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            return (name, part) in self.at

        return look


async def test_a_turn_and_a_job_that_begins_with_the_permit_wait_for_each_other(stage: Stage) -> None:
    parts, leave, began = Parts(turns_of(stage)), asyncio.Event(), asyncio.Event()

    async def hold(_ctx: JobContext) -> Any:
        began.set()
        await leave.wait()

    gated, parted = stage.job("t.gated", hold, permits=("one",)), stage.job("t.parted", parts)
    async with stage.worker(slots=4):
        first = await stage.submit(gated)
        await asyncio.wait_for(began.wait(), 20)
        second = await stage.submit(parted, {"name": "second"})
        await eventually(parts.is_at("second", "before"), what="a begin without a permit")
        assert await redis_of(stage).zcard(ONE.key) == 1
        assert ("second", "within") not in parts.at
        leave.set()
        await stage.ended(first)
        await eventually(parts.is_at("second", "within"), what="its turn")
        third = await stage.submit(gated)
        fourth = await stage.submit(parted, {"name": "fourth"})
        await eventually(parts.is_at("fourth", "before"), what="the fourth's begin")
        assert (await stage.row(third))["status"] == "queued"
        assert await redis_of(stage).zcard(ONE.key) == 1
        parts.leave.set()
        for job_id in (second, third, fourth):
            assert (await stage.ended(job_id))["status"] == "done"
        await stage.is_quiet()
    assert await redis_of(stage).zcard(ONE.key) == 0


async def test_a_job_that_is_cancelled_in_its_turn_or_before_it_keeps_no_permit(stage: Stage) -> None:
    parts = Parts(turns_of(stage))
    parted = stage.job("t.cancelled", parts)
    async with stage.worker():
        holder = await stage.submit(parted, {"name": "holder"})
        await eventually(parts.is_at("holder", "within"), what="the holder's turn")
        waiter = await stage.submit(parted, {"name": "waiter"})
        await eventually(parts.is_at("waiter", "before"), what="one that waits")
        for job_id, left in ((waiter, 1), (holder, 0)):
            async with stage.database.ledger.acquire() as connection:
                await cancel(connection, "demo", job_id)
            assert (await stage.ended(job_id))["status"] == "cancelled"
            assert await redis_of(stage).zcard(ONE.key) == left
    assert [part for _, part in parts.at] == ["before", "within", "before"]


async def test_a_worker_that_must_stop_gives_the_turn_back(stage: Stage) -> None:
    parts = Parts(turns_of(stage))
    parted = stage.job("t.drained", parts)
    async with stage.worker(grace=0.05):
        job_id = await stage.submit(parted, {"name": "drained"})
        await eventually(parts.is_at("drained", "within"), what="its turn")
    assert await stage.attempts(job_id) == ["released"]
    assert await redis_of(stage).zcard(ONE.key) == 0
    async with stage.database.ledger.acquire() as connection:
        await cancel(connection, "demo", job_id)


async def test_a_turn_is_told_again_to_a_redis_that_forgot_and_outlasts_its_lease(stage: Stage) -> None:
    turns, entered, leave = turns_of(stage, lease=0.6, heartbeat=0.1), asyncio.Event(), asyncio.Event()
    delivery: Any = SimpleNamespace(job_id=str(uuid7()), attempt=1, tenant_id="demo")

    async def part() -> None:
        async with turns.taken(delivery, "one"):
            entered.set()
            await leave.wait()

    running = asyncio.create_task(part())
    await asyncio.wait_for(entered.wait(), 20)
    [first] = await redis_of(stage).zrange(ONE.key, 0, -1, withscores=True)
    await redis_of(stage).delete(ONE.key)
    await eventually(holders(stage, 1), what="the holder's word")

    async def is_renewed() -> bool:
        found = await redis_of(stage).zrange(ONE.key, 0, -1, withscores=True)
        return bool(found) and found[0][0] == first[0] and found[0][1] > first[1] + 600

    await eventually(is_renewed, what="an end beyond the first lease")
    leave.set()
    await running
    assert await redis_of(stage).zcard(ONE.key) == 0


async def test_a_turn_whose_holder_is_gone_comes_back_with_its_lease(stage: Stage) -> None:
    """As of a worker that was killed: nobody renews, and nobody returns it."""
    gone = PermitSets(redis_of(stage), LIMITS, lease=0.5, heartbeat=0.1)
    parts = Parts(turns_of(stage))
    parts.leave.set()
    parted = stage.job("t.heir", parts)
    taken = await gone.ask({Hint(uuid7(), 1): (ONE,)})
    assert [*taken.values()] == [None]
    async with stage.worker():
        assert (await stage.ended(await stage.submit(parted, {"name": "heir"})))["status"] == "done"


async def test_who_gives_up_waiting_holds_nothing(stage: Stage) -> None:
    turns = turns_of(stage)
    first: Any = SimpleNamespace(job_id=str(uuid7()), attempt=1, tenant_id="demo")
    second: Any = SimpleNamespace(job_id=str(uuid7()), attempt=1, tenant_id="demo")
    async with turns.taken(first, "one"):
        entered = False
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3), turns.taken(second, "one"):
                entered = True
        assert not entered
        assert await redis_of(stage).zcard(ONE.key) == 1
    assert await redis_of(stage).zcard(ONE.key) == 0
