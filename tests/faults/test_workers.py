"""A worker that freezes, a job that blocks or kills its worker: the lease tells who owns a job, and the fence holds."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.support.fleet import KILLED
from tests.support.scene import PATIENCE, Load, Scene, item
from tests.support.trials import is_long, trials
from tests.support.waiting import eventually

SHORT_LEASE: dict[str, Any] = {"LEASE_SECONDS": "1", "HEARTBEAT_SECONDS": "0.25"}
USUAL_LEASE: dict[str, Any] = {"LEASE_SECONDS": "10", "HEARTBEAT_SECONDS": "2"}


@trials
async def test_a_worker_is_frozen_beyond_its_lease_and_goes_on(scene: Scene, trial: int) -> None:
    load, queue = Load("profile"), "profile"
    variables = SHORT_LEASE | scene.environment() | {"PROFILE_CONCURRENCY": "4"}
    async with scene.fleet.worker(queue, **variables) as frozen:
        jobs = [item(queue, lane=f"frozen-{trial}-{n % 4}", seconds=0.5) for n in range(8)]
        jobs += [item(queue, ends="own", seconds=0.5), item(queue, kind="permitted", seconds=0.5)]
        accepted = await scene.offer(load, jobs)
        await eventually(lambda: scene.fleet.processing(accepted), within=PATIENCE, what="jobs in the worker's hands")
        frozen.send_signal(signal.SIGSTOP)
        held = await scene.fleet.processing(accepted)
        async with scene.fleet.worker(queue, **variables):
            await scene.fleet.all_ended(accepted, within=PATIENCE)
            frozen.send_signal(signal.SIGCONT)

            async def came_to_its_end() -> bool:
                lines = [line for line in scene.lines() if line.pid == frozen.pid]
                begun = {line.token for line in lines if line.what == "start"}
                return begun == {line.token for line in lines if line.what == "end"}

            await eventually(came_to_its_end, within=PATIENCE, what="the end of what the frozen worker ran")
            await scene.offer(load, [item(queue, seconds=0.1) for _ in range(12)])
            report = await scene.judge("SIGSTOP beyond the lease", load)
            assert frozen.returncode is None
    assert held > 0
    assert report.lost >= held


@trials
@pytest.mark.parametrize(
    ("busy", "told"),
    [
        ("block", "a job that blocks"),
        ("spin", "a job that spins"),
        ("native child", "native code in a child"),
    ],
)
async def test_a_job_that_is_busy_for_longer_than_the_lease_keeps_it(
    scene: Scene, trial: int, busy: str, told: str
) -> None:
    load = Load("base")
    lease, seconds = (USUAL_LEASE, 30.0) if is_long(trial) else (SHORT_LEASE, 2.5)
    variables = lease | scene.environment()
    async with scene.fleet.worker("base", **variables) as worker, scene.fleet.worker("base", **variables):
        await scene.offer(load, [item("base", busy=busy, seconds=seconds)])
        report = await scene.judge(told, load)
        assert worker.returncode is None
    assert (report.runs, report.lost) == (1, 0)


@trials
async def test_native_code_that_holds_the_interpreter_s_lock_in_the_worker_costs_it_the_job(
    scene: Scene, trial: int
) -> None:
    """The control of the one in a child: no thread of the process can renew the lease meanwhile."""
    load = Load("base")
    variables = SHORT_LEASE | scene.environment()
    async with scene.fleet.worker("base", **variables) as worker, scene.fleet.worker("base", **variables) as other:
        await scene.offer(load, [item("base", busy="native", seconds=4.0)])
        report = await scene.judge("native code in the worker", load)
        assert (worker.returncode, other.returncode) == (None, None)
    assert (report.runs, report.lost) == (2, 1)


@trials
async def test_a_job_that_kills_its_workers_is_poisoned_and_harms_no_other(scene: Scene, trial: int) -> None:
    load, queue = Load("exam"), "exam"
    variables = SHORT_LEASE | scene.environment() | {"EXAM_CONCURRENCY": "3"}
    async with AsyncExitStack() as stack:
        opening = [scene.fleet.worker(queue, **variables) for _ in range(4)]
        workers = await asyncio.gather(*(stack.enter_async_context(each) for each in opening))
        neighbours = [item(queue, seconds=0.2) for _ in range(20)]
        poison = (await scene.offer(load, [item(queue, busy="die"), *neighbours]))[0]
        report = await scene.judge("a job that kills its workers", load)
        assert sorted(str(worker.returncode) for worker in workers) == [str(KILLED)] * 3 + ["None"]
    row = await scene.fleet.ledger.fetchrow("select error, losses, failures from jobs where job_id = $1", poison)
    assert row is not None
    assert tuple(row) == ("poisoned", 3, 0)
    assert await scene.fleet.attempts(poison) == ["lost"] * 3
    assert report.poisoned == 1


@trials
async def test_a_worker_that_is_told_to_stop_hands_its_jobs_back_unharmed(scene: Scene, trial: int) -> None:
    load, queue = Load("profile"), "profile"
    async with scene.fleet.worker(queue, PROFILE_GRACE_SECONDS="0.2", **scene.environment()) as leaving:
        accepted = await scene.offer(load, [item(queue, lane=f"left-{trial}-{n % 2}", seconds=2.0) for n in range(3)])
        await eventually(lambda: scene.fleet.processing(accepted), within=PATIENCE, what="jobs in the worker's hands")
        leaving.terminate()
        assert await asyncio.wait_for(leaving.wait(), PATIENCE) == 0
    assert ["released"] in [await scene.fleet.attempts(job) for job in accepted]
    async with scene.fleet.worker(queue, **scene.environment()):
        report = await scene.judge("SIGTERM amid work", load)
    assert report.lost == 0
