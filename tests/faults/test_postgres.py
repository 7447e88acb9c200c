"""Postgres stops, dies, loses a begin, loses a reply: what was accepted is done all the same, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from app.engine.ledger.begin import begin
from app.engine.ledger.finish import End
from app.engine.ledger.rows import Hint
from app.kit.db import Connection, Database
from app.core.preflight import open_database
from tests.support.cutting import Cutter, serve_cutter
from tests.support.deployment import Deployment
from tests.support.fleet import Fleet
from tests.support.jobs import attempts, begun, end, live_worker, queued, row
from tests.support.scene import Load, Scene, item
from tests.support.trials import trials
from tests.support.waiting import eventually
from tests.support.witness import ENTRANCE


@trials
async def test_postgres_is_killed_amid_work(scene: Scene, trial: int) -> None:
    async with scene.load() as load:
        await scene.amid(load)
        await scene.kill_postgres()
        assert await scene.fleet.processing(load.jobs)
    await scene.judge("kill -9 of Postgres", load)
    assert scene.unharmed()


@trials
async def test_postgres_is_restarted_amid_work(scene: Scene, trial: int) -> None:
    async with scene.load() as load:
        await scene.amid(load)
        await scene.restart(scene.postgres)
        assert (await scene.fleet.statuses(load.jobs)).total() == len(load.jobs)
    await scene.judge("restart of Postgres", load)
    assert scene.unharmed()


@trials
async def test_a_begin_that_a_crash_takes_back_is_fenced(scene: Scene, trial: int) -> None:
    """By hand, since it takes a crash within the moment before anybody's next flush."""
    for _ in range(5):
        if await _begin_is_lost(scene):
            return
    raise AssertionError("five crashes right after a begin took none of them back")


async def _begin_is_lost(scene: Scene) -> bool:
    async with _engine(scene) as database:
        async with database.ledger.acquire() as ledger:
            worker = await live_worker(ledger, queue="exam")
            job = await queued(ledger, queue="exam", tenant_id="demo")
            laned = await queued(ledger, queue="exam", tenant_id="demo", lane_id=f"lane-{job.job_id}")
            holder = await begun(ledger, laned, worker)
            first = await begun(ledger, job, worker)  # last, so that nothing of ours is flushed after it
            await scene.kill_postgres()
    async with _engine(scene) as database:
        async with database.ledger.acquire() as ledger:
            assert (await row(ledger, laned.job_id))["claim_token"] == holder.token  # a lane's begin waits for the disk
            assert await end(ledger, holder, End.DONE) is not None
            lost = (await row(ledger, job.job_id))["status"] == "queued"
            if lost:
                second = await begun(ledger, job, worker)
                assert (second.attempt, second.token == first.token) == (first.attempt, False)
                assert await end(ledger, first, End.DONE, result='"first"') is None
                assert await end(ledger, second, End.DONE, result='"second"') is not None
                assert (await row(ledger, job.job_id))["result"] == '"second"'
            else:
                assert await end(ledger, first, End.DONE) is not None
            assert await attempts(ledger, job.job_id) == ["success"]
            await ledger.execute("delete from workers where worker_id = $1", worker)
    return lost
