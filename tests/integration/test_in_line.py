"""Where more runs want a connection to Postgres than there are: who stands in line, and how slots are filled then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from app.engine import pace
from app.engine.context import JobContext
from app.engine.ledger import begin
from app.kit.db import Database
from tests.support.counting import counting
from tests.support.deployment import Deployment
from tests.support.jobs import new_job
from tests.support.stage import Stage, open_stage

SLOTS = 24
PART = 8
JOBS = 30 * PART


@pytest_asyncio.fixture(loop_scope="session")
async def narrow(deployment: Deployment) -> AsyncIterator[Database]:
    """One connection at each of the tenants' doors."""
    database = Database(replace(deployment.settings().database.options(), pool_size=1), application_name="narrow")
    await database.open()
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(deployment: Deployment, narrow: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, narrow) as opened:
        yield opened


@pytest.mark.parametrize("door", ["tenant", "session"])
async def test_whoever_waits_for_a_connection_stands_in_line(narrow: Database, door: str) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()

    async def pass_through() -> None:
        async with getattr(narrow, door)("demo"):
            inside.set()
            await leave.wait()

    passing = [asyncio.create_task(pass_through()) for _ in range(4)]
    await inside.wait()
    assert narrow.in_line == 3
    passing[-1].cancel()  # it gives up
    await asyncio.wait({passing[-1]})
    assert narrow.in_line == 2
    leave.set()
    await asyncio.gather(*passing[:-1])
    with pytest.raises(ZeroDivisionError):
        async with getattr(narrow, door)("demo"):
            _ = 1 / 0
    async with narrow.tenant("demo"), narrow.session("demo"):
        assert narrow.in_line == 0


async def test_slots_are_filled_by_the_part_while_a_part_of_the_runs_stands_in_line(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "IN_LINE", 30.0)  # however slow the machine is, a part comes together

    async def end_in_a_transaction(ctx: JobContext) -> None:
        async with ctx.complete_raw() as connection:
            await connection.execute("select pg_sleep(0.002)")

    kind = stage.job("t.in_line", end_in_a_transaction)
    async with stage.worker(slots=SLOTS) as runtime:
        for _ in range(100):
            runtime.pace.ran(1.0)  # these runs are known to be long
        with counting() as counted:
            requests = [new_job(queue=stage.queue, kind=kind, timeout=60.0) for _ in range(JOBS)]
            await stage.submitter.submit_many(requests)
            for request in requests:
                await stage.ended(request.job_id)
    assert JOBS / PART <= counted.statements[begin._BEGIN] <= 1.5 * JOBS / PART
    await stage.is_quiet()
