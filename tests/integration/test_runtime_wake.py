"""A call that names a hint: the worker begins that one while it claims, and the ledger decides whose it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.engine.context import JobContext
from app.engine.dispatch import member_of
from app.engine.ledger.rows import Hint
from app.kit.db import Database
from app.kit.redis import WAKE_KEY
from tests.support.deployment import Deployment
from tests.support.jobs import queued
from tests.support.stage import Stage, open_stage

PAUSE = """
insert into queue_controls (queue, paused) values ($1, $2) on conflict (queue) do update set paused = excluded.paused
"""


@pytest.fixture
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database, queue="exam") as opened:
        yield opened


async def echo(ctx: JobContext) -> Any:
    return ctx.job_id


async def call(stage: Stage, job_id: UUID, attempt: int = 1) -> None:
    """Only the call: Redis holds no hint that a claim could find."""
    await stage.redis.rpush(WAKE_KEY, member_of(Hint(job_id, attempt)))  # type: ignore[misc]


async def accepted(stage: Stage, kind: str, **fields: Any) -> UUID:
    """Committed, and Redis not told of it; the sweep leaves it alone for a minute."""
    async with stage.database.ledger.acquire() as connection:
        job = await queued(connection, queue=stage.queue, kind=kind, **fields)
        await connection.execute("update jobs set dispatched_at = now() where job_id = $1", job.job_id)
    return job.job_id


async def test_what_the_call_names_begins_before_it_is_claimed(stage: Stage) -> None:
    kind = stage.job("t.named", echo)
    async with stage.worker() as runtime:
        await stage.idles(runtime)
        job_id = await accepted(stage, kind)
        await call(stage, job_id)
        assert (await stage.ended(job_id))["status"] == "done"
    assert await stage.attempts(job_id) == ["success"]


async def test_a_hint_that_is_called_and_claimed_runs_once(stage: Stage) -> None:
    kind = stage.job("t.once", echo)
    async with stage.worker() as runtime:
        for _ in range(30):
            await stage.idles(runtime)
            job_id = await stage.submit(kind)
            await stage.ended(job_id)
            assert await stage.attempts(job_id) == ["success"]
        await stage.is_quiet()


async def test_two_idle_workers_share_what_one_is_called_for(stage: Stage) -> None:
    kind = stage.job("t.shared", echo)
    async with stage.worker() as one, stage.worker() as other:
        jobs = []
        for _ in range(20):
            await stage.idles(one)
            await stage.idles(other)
            jobs += [await stage.submit(kind) for _ in range(3)]
        for job_id in jobs:
            await stage.ended(job_id)
            assert await stage.attempts(job_id) == ["success"]
        await stage.is_quiet()


async def test_a_call_for_what_is_over_or_not_yet_due_begins_nothing(stage: Stage) -> None:
    kind = stage.job("t.old", echo)
    async with stage.worker() as runtime:
        over = await stage.submit(kind)
        await stage.ended(over)
        later = await accepted(stage, kind, run_at=datetime.now(UTC) + timedelta(hours=1))
        for job_id in (over, later):
            await stage.idles(runtime)
            await call(stage, job_id)
        last = await stage.submit(kind)
        await stage.ended(last)
        assert await stage.attempts(over) == ["success"]
        assert (await stage.row(later))["status"] == "queued"
        assert await stage.dispatcher.depth() == (0, 0)  # nobody held a lease of it, so nobody put it back


async def test_a_worker_with_one_slot_runs_one_job_at_a_time_whatever_it_is_called_for(stage: Stage) -> None:
    running, most = 0, 0

    async def count(_: JobContext) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1

    kind = stage.job("t.single", count)
    async with stage.worker(slots=1) as runtime:
        await stage.idles(runtime)
        for job_id in await asyncio.gather(*(stage.submit(kind) for _ in range(8))):
            await stage.ended(job_id)
    assert most == 1


async def test_a_call_goes_past_no_pause(stage: Stage) -> None:
    kind = stage.job("t.paused", echo)
    async with stage.worker() as runtime:
        await stage.idles(runtime)
        await stage.execute(PAUSE, "exam", True)
        try:
            job_id = await stage.submit(kind)
            await asyncio.sleep(1.0)
            assert (await stage.row(job_id))["status"] == "queued"
        finally:
            await stage.execute(PAUSE, "exam", False)
        assert (await stage.ended(job_id))["status"] == "done"
