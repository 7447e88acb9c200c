"""What a worker does besides running jobs: it drains, waits out what it must not run, and survives its lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from app.engine.context import JobContext
from app.engine.ledger.queues import Flow, set_flow
from app.engine.ledger.rescue import rescue
from app.engine.runtime import Runtime
from app.kit.db import Database
from app.kit.tenant import NoTenant, current_tenant
from tests.support.deployment import Deployment
from tests.support.stage import Stage, open_stage
from tests.support.waiting import eventually


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        opened.job("t.echo", echo)
        opened.job("t.wait", wait)
        yield opened


async def echo(ctx: JobContext) -> Any:
    return ctx.input


async def wait(_ctx: JobContext) -> Any:
    await asyncio.Event().wait()


def worker_id(runtime: Runtime) -> UUID:
    return runtime._lease.worker_id


async def forget(stage: Stage, job_id: UUID) -> None:
    """Take a job that is still queued out of the next test's way."""
    await stage.execute("delete from jobs where job_id = $1", job_id)
    await stage.redis.flushdb()


async def expire_lease(stage: Stage, runtime: Runtime) -> None:
    await stage.execute(
        "update workers set lease_until = clock_timestamp() - interval '1 second' where worker_id = $1",
        worker_id(runtime),
    )


async def test_a_drain_hands_a_sleeping_job_back_unharmed(stage: Stage) -> None:
    async with stage.worker(grace=0.1):
        job_id = await stage.submit("t.wait")
        await stage.reaches(job_id, status="processing")
    stored = await stage.row(job_id)
    assert (stored["status"], stored["failures"], stored["losses"]) == ("queued", 0, 0)
    assert await stage.attempts(job_id) == ["released"]
    assert stored["dispatched_at"] is not None  # another worker may start at once
    await forget(stage, job_id)


async def test_a_drain_lets_a_job_finish_within_the_grace_period(stage: Stage) -> None:
    gate = asyncio.Event()

    async def until_open(ctx: JobContext) -> Any:
        await gate.wait()
        return ctx.attempt

    async with stage.worker(grace=20.0) as runtime:
        job_id = await stage.submit(stage.job("t.gate", until_open))
        await stage.reaches(job_id, status="processing")
        runtime.drain()
        late = await stage.submit("t.echo")
        gate.set()
    assert (await stage.row(job_id))["status"] == "done"
    assert (await stage.row(late))["status"] == "queued"  # nothing is claimed any more
    async with stage.worker():
        await stage.ended(late)


async def test_a_drained_worker_leaves_no_registration_behind(stage: Stage) -> None:
    async with stage.worker() as runtime:
        me = worker_id(runtime)
    async with stage.database.ledger.acquire() as connection:
        assert await connection.fetchval("select count(*) from workers where worker_id = $1", me) == 0


async def test_a_job_of_an_unknown_kind_is_released_not_failed(stage: Stage) -> None:
    async with stage.worker():
        job_id = await stage.submit("t.newer_release")
        stored = await stage.reaches(job_id, attempt=1, status="queued")
    assert (stored["failures"], stored["losses"]) == (0, 0)
    assert stored["run_at"] > stored["begun_at"]
    assert await stage.attempts(job_id) == ["released"]
    await forget(stage, job_id)


async def test_a_confined_worker_runs_its_tenant_s_jobs_alone(stage: Stage) -> None:
    async with stage.worker(only_tenant="mine"):
        theirs = await stage.submit("t.echo", tenant_id="theirs")
        mine = [await stage.submit("t.echo", tenant_id="mine") for _ in range(10)]
        for job_id in mine:
            await stage.ended(job_id)
        assert (await stage.row(theirs))["attempt"] == 0
    async with stage.worker():
        await stage.ended(theirs)


async def test_a_paused_queue_rests_and_goes_on(stage: Stage) -> None:
    async with stage.worker():
        async with stage.database.ledger.acquire() as connection:
            await set_flow(connection, stage.queue, Flow.PAUSE, by="test")
        job_id = await stage.submit("t.echo")
        await stage.redis.flushdb()  # does not unpause

        async def swept() -> bool:
            return await stage.dispatcher.epoch() != ""

        await eventually(swept, what="the rebuild after the loss")
        assert (await stage.row(job_id))["attempt"] == 0
        async with stage.database.ledger.acquire() as connection:
            await set_flow(connection, stage.queue, Flow.RUN, by="test")
        await stage.ended(job_id)


@pytest.mark.parametrize("within", [0.2, 1.3])
async def test_a_deferred_job_starts_when_it_is_due_not_before(stage: Stage, within: float) -> None:
    run_at = datetime.now(UTC) + timedelta(seconds=within)
    async with stage.worker():
        ended = await stage.ended(await stage.submit("t.echo", run_at=run_at))
    assert ended["begun_at"] >= run_at


async def test_the_tenant_is_unbound_outside_of_jobs(stage: Stage) -> None:
    async with stage.worker():
        await stage.ended(await stage.submit("t.echo"))
        with pytest.raises(NoTenant):
            current_tenant()


async def test_a_lost_lease_is_noticed_and_the_job_adopted(stage: Stage) -> None:
    """Nobody rescued in between: one attempt, one end."""
    gate = asyncio.Event()

    async def until_open(_ctx: JobContext) -> Any:
        await gate.wait()

    async with stage.worker(heartbeat=0.25) as runtime:
        runtime._reconciler._patient_until = float("inf")  # nobody rescues
        job_id = await stage.submit(stage.job("t.gate", until_open))
        await stage.reaches(job_id, status="processing")
        old = worker_id(runtime)
        await expire_lease(stage, runtime)

        async def adopted() -> bool:
            stored = await stage.row(job_id)
            return bool(stored["worker_id"] == worker_id(runtime) != old)

        await eventually(adopted, what="the adoption")
        gate.set()
        assert (await stage.ended(job_id))["losses"] == 0
    assert await stage.attempts(job_id) == ["success"]


async def test_a_lease_outlives_an_error_that_nobody_expected(stage: Stage, deployment: Deployment) -> None:
    superuser = await asyncpg.connect(deployment.database_url)
    async with stage.worker(heartbeat=0.25, lease=0.5) as runtime:
        old = worker_id(runtime)
        await superuser.execute("revoke update on workers from homeroom_engine")

        async def fails() -> bool:
            held = "select 1 from workers where worker_id = $1 and lease_until > clock_timestamp()"
            return await superuser.fetchval(held, old) is None

        await eventually(fails, what="the end of a lease that cannot be renewed")
        await superuser.execute("grant update on workers to homeroom_engine")
        assert (await stage.ended(await stage.submit("t.echo")))["status"] == "done"
        assert worker_id(runtime) != old
    await superuser.close()


async def test_a_zombie_s_end_is_refused_and_there_is_one_effect(stage: Stage) -> None:
    """Rescued first: the frozen worker's run is stopped, or its end refused."""
    gate = asyncio.Event()
    results: list[str] = []

    async def shielded(ctx: JobContext) -> Any:
        if ctx.attempt == 1:
            with_patience = asyncio.ensure_future(gate.wait())
            while not with_patience.done():  # deaf to the stop, as code in a thread is
                try:
                    await asyncio.shield(with_patience)
                except asyncio.CancelledError:
                    results.append("stopped")
        return ctx.attempt

    async with stage.worker(heartbeat=0.25) as runtime:
        job_id = await stage.submit(stage.job("t.shielded", shielded))
        await stage.reaches(job_id, status="processing")
        await expire_lease(stage, runtime)
        async with stage.database.ledger.acquire() as connection:
            await rescue(connection, stage.queue)
        await stage.reaches(job_id, losses=1)
        assert (await stage.ended(job_id))["result"] == "2"

        async def heard() -> bool:
            return bool(results)

        await eventually(heard, what="the stop of the lost run")
        gate.set()
        await stage.is_quiet()
    assert (await stage.row(job_id))["result"] == "2"
    assert await stage.attempts(job_id) == ["lost", "success"]


async def test_a_suspect_runs_when_nothing_else_does_and_every_end_is_written(stage: Stage) -> None:
    gate = asyncio.Event()
    together: list[int] = []

    async def until_open(_ctx: JobContext) -> Any:
        await gate.wait()

    async with stage.worker() as runtime:

        async def look_around(_ctx: JobContext) -> Any:
            together.append(runtime.load)

        first = await stage.submit(stage.job("t.gate", until_open))
        await stage.reaches(first, status="processing")
        run_at = datetime.now(UTC) + timedelta(seconds=0.3)
        suspect = await stage.submit(stage.job("t.look", look_around), run_at=run_at)
        await stage.execute("update jobs set losses = 2 where job_id = $1", suspect)

        async def waits() -> bool:
            return bool(runtime._intake.holds_suspects)

        async def idle() -> bool:
            return not runtime.load

        await eventually(waits, what="the suspect's wait")
        others = [await stage.submit("t.echo") for _ in range(3)]
        async with stage.database.ledger.acquire() as connection, connection.transaction():
            await connection.execute("select 1 from jobs where job_id = $1 for update", first)  # its end has to wait
            gate.set()
            await eventually(idle, what="the first job's return")
            await asyncio.sleep(0.3)
            assert together == []
        for job_id in (first, suspect, *others):
            await stage.ended(job_id)
        await stage.is_quiet()
    assert together == [1]
