"""Postgres stops, dies, loses a begin, loses a reply: what was accepted is done all the same, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.engine.ledger import finish
from app.engine.ledger.finish import End
from app.kit.db import Connection, Database
from tests.support.cutter import serve_cutter
from tests.support.jobs import attempts, begun, end, live_worker, queued, row
from tests.support.scene import Load, Scene, item
from tests.support.trials import cheap_trials, trials
from tests.support.waiting import eventually

CUTS = 3


@cheap_trials
async def test_postgres_is_killed_amid_work(scene: Scene, trial: int) -> None:
    async with scene.load() as load:
        await scene.amid(load)
        await scene.kill_postgres()
        assert await scene.fleet.processing(load.jobs)
    await scene.judge("kill -9 of Postgres", load)
    assert scene.unharmed()


@cheap_trials
async def test_postgres_is_restarted_amid_work(scene: Scene, trial: int) -> None:
    async with scene.load() as load:
        await scene.amid(load)
        await scene.restart(scene.postgres)
        assert (await scene.fleet.statuses(load.jobs)).total() == len(load.jobs)
    await scene.judge("restart of Postgres", load)
    assert scene.unharmed()


@cheap_trials
async def test_a_begin_that_a_crash_takes_back_is_fenced(scene: Scene, trial: int) -> None:
    """By hand, since it takes a crash within the moment before anybody's next flush."""
    for _ in range(5):
        if await _begin_is_lost(scene):
            return
    raise AssertionError("five crashes right after a begin took none of them back")


async def _begin_is_lost(scene: Scene) -> bool:
    async with _engine(scene) as ledger:
        worker = await live_worker(ledger, queue="exam")
        job = await queued(ledger, queue="exam")
        laned = await queued(ledger, queue="exam", lane_id=f"lane-{job.job_id}")
        holder = await begun(ledger, laned, worker)
        first = await begun(ledger, job, worker)  # last, so that nothing of ours is flushed after it
        await scene.kill_postgres()
    async with _engine(scene) as ledger:
        assert (await row(ledger, laned.job_id))["claim_token"] == holder.token  # a lane's begin waits for the disk
        assert await end(ledger, holder, End.DONE) is not None
        lost = bool((await row(ledger, job.job_id))["status"] == "queued")
        if lost:
            second = await begun(ledger, job, worker)
            assert second.attempt == first.attempt
            assert await end(ledger, first, End.DONE, result='"first"') is None
            assert await end(ledger, second, End.DONE, result='"second"') is not None
            assert (await row(ledger, job.job_id))["result"] == '"second"'
        else:
            assert await end(ledger, first, End.DONE) is not None
        assert await attempts(ledger, job.job_id) == ["success"]
        await ledger.execute("delete from workers where worker_id = $1", worker)
    return lost


@asynccontextmanager
async def _engine(scene: Scene) -> AsyncIterator[Connection]:
    """A connection with the engine's role, of which a crash may take the other end."""
    database = Database(scene.fleet.deployment.settings().database.options(), application_name="homeroom tests")
    connection = await database.connect_ledger()
    try:
        yield connection
    finally:
        connection.terminate()


@trials
@pytest.mark.parametrize("lost", ["replies", "requests"])
async def test_the_way_to_postgres_breaks_under_a_finish(scene: Scene, trial: int, lost: str) -> None:
    """When a finish is committed and before its worker hears of it; or before Postgres has heard of it."""
    text = finish._FINISH.encode()[:60]
    async with serve_cutter("127.0.0.1", scene.postgres.port, text) as (cutter, port):
        cutter.requests = lost == "requests"
        through = scene.postgres.url("struck").replace(f":{scene.postgres.port}/", f":{port}/")
        async with scene.fleet.worker("exam", DATABASE_URL=through, EXAM_CONCURRENCY="2", **scene.environment()):
            load = Load("exam")
            for ends in ("data",) if cutter.requests else ("data", "own"):
                before, cutter.armed = cutter.cuts, CUTS
                await scene.offer(load, [item("exam", ends=ends, lane=f"{lost}-{trial}") for _ in range(2 * CUTS)])

                async def all_lost(goal: int = before + CUTS) -> bool:
                    return cutter.cuts == goal

                await eventually(all_lost, within=60, what=f"{lost} to lose")
            report = await scene.judge(f"lost {lost} of finishes", load)
    assert (report.runs, report.lost) == (report.jobs, 0)  # the end was kept, or found to be written: nothing ran twice
