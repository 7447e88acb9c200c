"""Lanes at work: strict order and one at a time, over several workers, whatever the jobs say."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest_asyncio

from app.engine.context import JobContext
from app.engine.outcomes import Fail, Retry, Snooze
from app.kit.db import Database
from tests.support.deployment import Deployment
from tests.support.stage import Stage, open_stage


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


async def test_three_workers_keep_every_lane_in_order_and_alone(stage: Stage) -> None:
    chance = random.Random(7)
    began: dict[str, list[int]] = defaultdict(list)
    inside: Counter[str] = Counter()
    overlaps: list[str] = []

    async def visit(ctx: JobContext) -> Any:
        lane, number = ctx.input["lane"], ctx.input["number"]
        if ctx.attempt == 1:
            began[lane].append(number)
        inside[lane] += 1
        if inside[lane] > 1:
            overlaps.append(lane)
        try:
            await asyncio.sleep(chance.uniform(0, 0.01))
            if number % 5 == 1 and ctx.attempt == 1:
                raise chance.choice([Retry("again"), Snooze(0.05), ValueError("odd")])
            if number % 5 == 3:
                raise Fail("broken")
        finally:
            inside[lane] -= 1

    kind = stage.job("t.visit", visit)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(stage.worker(slots=4))
        jobs = [
            await stage.submit(kind, {"lane": f"lane-{lane}", "number": number}, lane_id=f"lane-{lane}")
            for number in range(12)
            for lane in range(5)
        ]
        for job_id in jobs:
            await stage.ended(job_id, within=60)
        await stage.is_quiet()
    assert overlaps == []
    assert began == {f"lane-{lane}": list(range(12)) for lane in range(5)}


async def test_other_lanes_do_not_wait_for_a_slow_one(stage: Stage) -> None:
    gate = asyncio.Event()

    async def maybe_wait(ctx: JobContext) -> Any:
        if ctx.input == "slow":
            await gate.wait()

    kind = stage.job("t.maybe_wait", maybe_wait)
    async with stage.worker(slots=2):
        slow = await stage.submit(kind, "slow", lane_id="slow")
        behind = await stage.submit(kind, "quick", lane_id="slow")
        beside = [await stage.submit(kind, "quick", lane_id=f"quick-{number}") for number in range(5)]
        for job_id in beside:
            await stage.ended(job_id)
        assert (await stage.row(behind))["status"] == "queued"
        gate.set()
        await stage.ended(slow)
        await stage.ended(behind)


async def test_a_lane_job_that_waits_for_its_retry_holds_the_lane(stage: Stage) -> None:
    order: list[str] = []

    async def note(ctx: JobContext) -> Any:
        order.append(f"{ctx.input} {ctx.attempt}")
        if ctx.input == "first" and ctx.attempt == 1:
            raise Retry("later", delay=0.3)

    kind = stage.job("t.note", note)
    async with stage.worker(), stage.worker():
        jobs = [await stage.submit(kind, name, lane_id="holding") for name in ("first", "second")]
        for job_id in jobs:
            await stage.ended(job_id)
    assert order == ["first 1", "first 2", "second 1"]


async def test_hints_that_claim_to_be_ahead_do_not_jump_the_lane(stage: Stage) -> None:
    """Redis may say what it likes: begin looks at the ledger."""
    order: list[int] = []

    async def note(ctx: JobContext) -> Any:
        order.append(ctx.input)

    kind = stage.job("t.note", note)
    jobs = [await stage.submit(kind, number, lane_id="jumped") for number in range(4)]
    await stage.redis.zadd("homeroom:ready:demo", {f"hr:1:{job_id}:1": -score for score, job_id in enumerate(jobs)})
    async with stage.worker(), stage.worker():
        for job_id in jobs:
            await stage.ended(job_id)
        await stage.is_quiet()
    assert order == [0, 1, 2, 3]
