"""Cancel: a queued job ends at once, a running one as soon as it awaits, and its lane moves on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest_asyncio

from app.engine.context import JobContext
from app.engine.execute import Stop
from app.engine.ledger.cancel import cancel
from app.kit.db import Database
from tests.support.deployment import Deployment
from tests.support.stage import Stage, open_stage


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        opened.job("t.wait", wait)
        yield opened


async def wait(_ctx: JobContext) -> Any:
    await asyncio.Event().wait()


async def ask(stage: Stage, job_id: UUID) -> None:
    async with stage.database.ledger.acquire() as connection:
        assert await cancel(connection, "demo", job_id) is not None


async def test_a_running_job_stops_where_it_awaits_and_may_clean_up(stage: Stage) -> None:
    cleaned = asyncio.Event()

    async def work(_ctx: JobContext) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    async with stage.worker():
        job_id = await stage.submit(stage.job("t.work", work))
        await stage.reaches(job_id, status="processing")
        await ask(stage, job_id)
        ended = await stage.ended(job_id)
        assert ended["status"] == "cancelled"
        assert cleaned.is_set()
        assert await stage.attempts(job_id) == ["cancelled"]
        assert [event.type for event in await stage.told(job_id)][-1] == "cancelled"
        await stage.is_quiet()


async def test_only_the_job_that_was_asked_stops(stage: Stage) -> None:
    gate = asyncio.Event()

    async def until_open(_ctx: JobContext) -> Any:
        await gate.wait()

    async with stage.worker():
        kind = stage.job("t.gate", until_open)
        first, second = await stage.submit(kind), await stage.submit(kind)
        for job_id in (first, second):
            await stage.reaches(job_id, status="processing")
        await ask(stage, first)
        assert (await stage.ended(first))["status"] == "cancelled"
        assert (await stage.row(second))["status"] == "processing"
        gate.set()
        assert (await stage.ended(second))["status"] == "done"


async def test_a_queued_job_never_runs_once_it_is_cancelled(stage: Stage) -> None:
    job_id = await stage.submit("t.wait")
    await ask(stage, job_id)
    async with stage.worker():
        await stage.is_quiet()  # its hint was dropped
    assert await stage.attempts(job_id) == []
    assert (await stage.row(job_id))["attempt"] == 0


async def test_a_lane_moves_on_when_its_holder_or_its_next_is_cancelled(stage: Stage) -> None:
    async def at_once(ctx: JobContext) -> Any:
        return ctx.input

    async with stage.worker():
        holder = await stage.submit("t.wait", lane_id="lane")
        following = await stage.submit("t.wait", lane_id="lane")
        last = await stage.submit(stage.job("t.at_once", at_once), lane_id="lane")
        await stage.reaches(holder, status="processing")
        await ask(stage, following)
        assert (await stage.row(last))["status"] == "queued"
        await ask(stage, holder)
        assert (await stage.ended(last))["status"] == "done"
        assert (await stage.row(following))["attempt"] == 0


async def test_a_job_that_asks_for_a_retry_after_all_is_cancelled(stage: Stage) -> None:
    async def stubborn(_ctx: JobContext) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionResetError("something broke on the way out") from None

    async with stage.worker():
        job_id = await stage.submit(stage.job("t.stubborn", stubborn))
        await stage.reaches(job_id, status="processing")
        await ask(stage, job_id)
        assert (await stage.ended(job_id))["status"] == "cancelled"


async def test_a_job_in_the_midst_of_its_completion_holds_up_no_other_s_cancel(stage: Stage) -> None:
    """It has its row locked, and its progress is not yet noted."""
    completing, gate = asyncio.Event(), asyncio.Event()

    async def complete_slowly(ctx: JobContext) -> Any:
        async with ctx.complete():
            await ctx.progress(50, "half-way")
            completing.set()
            await gate.wait()

    async with stage.worker():
        slow = await stage.submit(stage.job("t.slow", complete_slowly))
        await completing.wait()
        for _ in range(2):  # at the latest after the first one the worker has tried to note the progress
            other = await stage.submit("t.wait")
            await stage.reaches(other, status="processing")
            await ask(stage, other)
            assert (await stage.ended(other, within=5.0))["status"] == "cancelled"
        assert (await stage.row(slow))["status"] == "processing"
        gate.set()
        assert (await stage.ended(slow))["status"] == "done"


async def test_a_run_that_is_stopped_before_its_first_step_still_ends(stage: Stage) -> None:
    """A cancel may be read in the very moment in which the job is started."""
    async with stage.worker() as runtime:
        start = runtime._inflight.start

        def start_and_stop(delivery: Any) -> None:
            start(delivery)
            runtime._inflight.cancel({delivery.job_id})

        runtime._inflight.start = start_and_stop  # type: ignore[method-assign]
        job_id = await stage.submit("t.wait")
        assert (await stage.ended(job_id))["status"] == "cancelled"
        assert len(runtime._inflight) == 0
        await stage.is_quiet()


async def test_a_run_whose_end_was_sent_is_stopped_by_nobody(stage: Stage) -> None:
    ended, gate = asyncio.Event(), asyncio.Event()

    async def linger(ctx: JobContext) -> Any:
        async with ctx.complete("kept"):
            pass
        ended.set()
        await gate.wait()

    async with stage.worker() as runtime:
        job_id = await stage.submit(stage.job("t.linger", linger))
        await ended.wait()
        for why in Stop:
            runtime._inflight.stop_all(why)
        gate.set()
        await stage.is_quiet()
    assert await stage.attempts(job_id) == ["success"]
    assert [event.type for event in await stage.told(job_id)] == ["started", "done"]
