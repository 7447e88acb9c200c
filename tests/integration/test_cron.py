"""Schedules: each moment is heeded once, whoever of the workers is there, and the latest one that was missed too."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.engine import cron
from app.engine.cron import Cron, Upkeep
from app.engine.diagnostics import KINDS
from app.engine.ledger.schedules import clock
from app.engine.requests import UnknownKind
from app.engine.schedules import At, Schedule
from app.engine.workload import Registry, Workload
from app.kit.db import Connection, Database
from tests.support.deployment import Deployment
from tests.support.stage import Stage, open_stage
from tests.support.waiting import eventually

ran: Counter[str] = Counter()
wait_for: dict[str, asyncio.Event] = {}

START = datetime(2026, 3, 1, 9, 59, tzinfo=UTC)


async def note_run(_: Upkeep) -> None:
    ran["noted"] += 1


async def fail(_: Upkeep) -> None:
    ran["failed"] += 1
    raise OSError("as asked")


async def take_long(_: Upkeep) -> None:
    ran["began"] += 1
    await wait_for["end"].wait()
    ran["ended"] += 1


HOURLY = Schedule("base.hourly", at=At(minute=0), kind="diagnostics.echo", input="tick")
NOTED = Schedule("base.noted", every=60.0, task=f"{__name__}:note_run")
FAILING = Schedule("base.failing", every=60.0, task=f"{__name__}:fail")
LONG = Schedule("base.long", every=60.0, task=f"{__name__}:take_long", timeout=100.0)


class Time:
    """The clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    async def read(self, _: Connection) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def time(stage: Stage) -> Time:
    ran.clear()
    wait_for["end"] = asyncio.Event()
    await stage.execute("delete from schedules")
    await stage.execute("delete from jobs")
    return Time()


async def schools(_: Connection) -> Sequence[str]:
    return ["north", "south"]


def worker(stage: Stage, time: Time, *schedules: Schedule, **options: Any) -> Cron:
    return Cron(
        "base",
        schedules,
        registry=Registry([Workload("base", 1, "")], shared_kinds=KINDS),
        submitter=stage.submitter,
        upkeep=Upkeep(stage.database, {}, stage.redis, lease=1.0),
        **{"tenants": schools, "clock": time.read} | options,
    )


async def jobs(ledger: Connection) -> list[tuple[str, str]]:
    found = await ledger.fetch("select tenant_id, request_id from jobs order by created_at, tenant_id")
    return [(record["tenant_id"], record["request_id"]) for record in found]


async def test_a_job_for_every_tenant_at_each_moment_and_none_between(
    stage: Stage, ledger: Connection, time: Time
) -> None:
    keeper = worker(stage, time, HOURLY)
    await stage.redis.flushdb()
    assert await keeper.heed(HOURLY) == cron.LONGEST_WAIT
    assert await jobs(ledger) == []
    time.pass_by(seconds=61)
    await keeper.heed(HOURLY)
    ten = "base.hourly@2026-03-01T10:00:00+00:00"
    assert await jobs(ledger) == [("north", ten), ("south", ten)]
    assert len((await stage.dispatcher.claim(10, 60.0)).hints) == 2
    await keeper.heed(HOURLY)
    assert len(await jobs(ledger)) == 2
    time.pass_by(hours=1)
    await keeper.heed(HOURLY)
    assert len(await jobs(ledger)) == 4


async def test_many_workers_heed_a_moment_once(stage: Stage, ledger: Connection, time: Time) -> None:
    keepers = [worker(stage, time, HOURLY, NOTED) for _ in range(8)]
    for _ in range(3):
        await asyncio.gather(*(keeper.heed(each) for keeper in keepers for each in (HOURLY, NOTED)))
        time.pass_by(hours=1)
    await asyncio.gather(*(keeper.heed(each) for keeper in keepers for each in (HOURLY, NOTED)))
    assert len(await jobs(ledger)) == 2 * 3
    assert ran["noted"] == 3


async def test_what_was_missed_is_caught_up_with_once_by_the_latest_moment(
    stage: Stage, ledger: Connection, time: Time
) -> None:
    await worker(stage, time, HOURLY, NOTED).heed(HOURLY)
    await worker(stage, time, HOURLY, NOTED).heed(NOTED)
    time.pass_by(days=3)  # nobody is there
    restarted = worker(stage, time, HOURLY, NOTED)
    for _ in range(3):
        await restarted.heed(HOURLY)
        await restarted.heed(NOTED)
    latest = "base.hourly@2026-03-04T09:00:00+00:00"
    assert await jobs(ledger) == [("north", latest), ("south", latest)]
    assert ran["noted"] == 1


async def test_jobs_and_the_note_of_their_moment_commit_together(
    stage: Stage, ledger: Connection, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = worker(stage, time, HOURLY)
    await keeper.heed(HOURLY)
    time.pass_by(hours=1)

    async def breaks(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cron, "end_run", breaks)
    with pytest.raises(ZeroDivisionError):
        await keeper.heed(HOURLY)
    assert await jobs(ledger) == []
    monkeypatch.undo()
    await keeper.heed(HOURLY)
    assert len(await jobs(ledger)) == 2


async def test_a_task_whose_worker_died_begins_again_and_one_that_runs_does_not(stage: Stage, time: Time) -> None:
    first, second = worker(stage, time, LONG), worker(stage, time, LONG)
    await first.heed(LONG)
    time.pass_by(seconds=60)
    running = asyncio.create_task(first.heed(LONG))

    async def began() -> bool:
        return ran["began"] == 1

    await eventually(began, what="the task")
    await second.heed(LONG)
    time.pass_by(seconds=99)  # the next moment has come, and the first is still at it
    await second.heed(LONG)
    assert ran["began"] == 1
    running.cancel()  # as a worker that dies: nothing is noted
    await asyncio.gather(running, return_exceptions=True)
    time.pass_by(seconds=2)
    wait_for["end"].set()
    await second.heed(LONG)
    assert (ran["began"], ran["ended"]) == (2, 1)


async def test_a_task_that_fails_is_noted_and_tried_at_its_next_moment(
    stage: Stage, ledger: Connection, time: Time
) -> None:
    keeper = worker(stage, time, FAILING)
    await keeper.heed(FAILING)
    time.pass_by(seconds=60)
    for _ in range(3):
        await keeper.heed(FAILING)
    assert ran["failed"] == 1
    noted = await ledger.fetchrow("select error, runner_id, due_at from schedules where name = 'base.failing'")
    assert noted is not None
    assert (noted["error"], noted["runner_id"]) == ("OSError: as asked", None)
    assert noted["due_at"] == START + timedelta(seconds=120)


async def test_a_new_timing_counts_from_now(stage: Stage, ledger: Connection, time: Time) -> None:
    await worker(stage, time, NOTED).heed(NOTED)
    daily = Schedule(NOTED.name, at=At(hour=0, minute=0), task=NOTED.task)
    time.pass_by(seconds=10)
    await worker(stage, time, daily).heed(daily)
    assert await ledger.fetchval("select due_at from schedules") == datetime(2026, 3, 2, tzinfo=UTC)


async def test_a_kind_that_cannot_be_submitted_is_refused_at_the_start(stage: Stage, time: Time) -> None:
    with pytest.raises(UnknownKind):
        worker(stage, time, Schedule("base.typo", every=1.0, kind="no.such"))


async def test_run_heeds_all_schedules_by_the_servers_clock(stage: Stage, time: Time) -> None:
    often = [Schedule(each.name, every=0.2, task=each.task) for each in (NOTED, FAILING)]
    keeper = worker(stage, time, *often, clock=clock)
    running = asyncio.create_task(keeper.run())

    async def ran_on() -> bool:
        return ran["noted"] >= 2 and ran["failed"] >= 2

    await eventually(ran_on, what="two runs of each")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
