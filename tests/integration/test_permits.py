"""Permits: how many of a tenant's jobs of a sort run at a time, by real workers over the real Redis."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest_asyncio

from app.engine.context import JobContext
from app.engine.dispatch import LEASES_KEY, Dispatcher, _call_for, member_of
from app.engine.ledger import begin
from app.engine.ledger.begin import Begun, Verdict
from app.engine.ledger.cancel import cancel
from app.engine.ledger.rows import Due, Hint
from app.engine.permits import SINCE_KEY, Permits
from app.engine.workload import JobKind
from app.kit.db import Database
from app.kit.ids import uuid7
from app.kit.redis import WAKE_KEY
from tests.support.counting import counting
from tests.support.deployment import Deployment
from tests.support.jobs import queued
from tests.support.permits import Limits, limited_stage, redis_of
from tests.support.stage import Stage, runnable
from tests.support.waiting import eventually

LIMITS = Limits({"all": 4, "teacher": 2, "student": 3, "one": 1})


@pytest_asyncio.fixture(loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with limited_stage(deployment, database, LIMITS) as opened:
        yield opened


async def held(stage: Stage) -> int:
    keys = [key async for key in redis_of(stage).scan_iter("homeroom:permits:*") if key.decode() != SINCE_KEY]
    return sum([await redis_of(stage).zcard(key) for key in keys])


class Crowd:
    """A job function that runs until it is let go, and counts who runs beside it."""

    def __init__(self) -> None:
        self.inside: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.began: list[Any] = []
        self.gates: dict[Any, asyncio.Event] = defaultdict(asyncio.Event)

    async def __call__(self, ctx: JobContext) -> Any:
        group = f"{ctx.tenant_id}/{ctx.input['role']}"
        for name in (group, ctx.tenant_id):
            self.inside[name] += 1
            self.most[name] = max(self.most[name], self.inside[name])
        self.began.append(ctx.input.get("number"))
        try:
            await self.gates[ctx.input.get("number")].wait()
        finally:
            for name in (group, ctx.tenant_id):
                self.inside[name] -= 1

    def runs(self, count: int) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            return len(self.began) >= count

        return look


def gated(stage: Stage, crowd: Crowd, *permits: str) -> str:
    return stage.job(f"t.{uuid7()}", crowd, permits=permits)


async def test_limits_hold_for_all_workers_together_and_all_end(stage: Stage) -> None:
    crowd = Crowd()
    kind = gated(stage, crowd, "all", "{role}")
    roles = ["teacher", "student", "student"] * 8
    async with stage.worker(slots=10), stage.worker(slots=10):
        jobs = [await stage.submit(kind, {"role": role, "number": number}) for number, role in enumerate(roles)]
        other = await stage.submit(kind, {"role": "teacher", "number": "other"}, tenant_id="elsewhere")
        await eventually(crowd.runs(5), what="four of the tenant's, and the other tenant's one")
        await all_let_go(crowd, len(roles) + 1)
        for job_id in [*jobs, other]:
            await stage.ended(job_id, within=40)
        await stage.is_quiet()
    assert crowd.most["demo/teacher"] <= 2
    assert crowd.most["demo/student"] <= 3
    assert crowd.most["demo"] == 4
    assert len(crowd.began) == len(roles) + 1
    assert await held(stage) == 0


async def all_let_go(crowd: Crowd, count: int) -> None:
    """One after the other as they begin, so that as many as may run at once do run at once."""
    for place in range(count):
        await eventually(crowd.runs(place + 1), within=40, what=f"the begin of job {place + 1}")
        crowd.gates[crowd.began[place]].set()


async def test_who_is_called_for_a_job_knows_its_permits_and_asks_the_ledger_once(stage: Stage) -> None:
    crowd = Crowd()
    kind = gated(stage, crowd, "all", "{role}")
    async with stage.worker() as worker:
        await stage.idles(worker)
        with counting() as counted:
            job_id = await stage.submit(kind, {"role": "teacher"})
            await eventually(crowd.runs(1), what="its begin")
        assert counted.statements[begin._BEGIN] == 1
        assert await held(stage) == 2
        crowd.gates[None].set()
        await stage.ended(job_id)


async def test_the_permits_of_a_called_job_that_another_worker_claimed_stay_with_it(stage: Stage) -> None:
    crowd = Crowd()
    kind = gated(stage, crowd, "one")
    async with stage.worker() as worker:
        await stage.idles(worker)
        async with stage.database.ledger.acquire() as connection, connection.transaction():
            job = await queued(connection, queue=stage.queue, kind=kind, input='{"role": "x"}')
            await connection.execute("update jobs set dispatched_at = now() where job_id = $1", job.job_id)
        await stage.redis.zadd(LEASES_KEY, {member_of(job.due().hint): 2**52})
        called = job.due()._replace(permits=("one",))
        await stage.redis.rpush(WAKE_KEY, _call_for(called))  # type: ignore[misc]

        async def asked() -> bool:
            return await held(stage) == 1

        await eventually(asked, what="its permit")
        await stage.idles(worker)
        assert worker.load == 0
        assert await held(stage) == 1  # the other worker's, by now
        await stage.redis.zadd(LEASES_KEY, {member_of(job.due().hint): 1})  # it died
        await eventually(crowd.runs(1), what="its begin here")
        crowd.gates[None].set()
        await stage.ended(job.job_id)
        await stage.is_quiet()
    assert await held(stage) == 0


async def test_a_call_of_an_earlier_release_names_no_permits(stage: Stage) -> None:
    crowd = Crowd()
    kind = gated(stage, crowd, "all")
    async with stage.worker() as worker:
        await stage.idles(worker)
        job_id = await stage.submit(kind, {"role": "x"}, permits=())
        await eventually(crowd.runs(1), what="its begin")
        assert await held(stage) == 1
        crowd.gates[None].set()
        await stage.ended(job_id)


async def test_a_job_that_waits_for_a_permit_holds_no_slot(stage: Stage) -> None:
    crowd, ran = Crowd(), asyncio.Event()

    async def free(_ctx: JobContext) -> Any:
        ran.set()

    kind, unbounded = gated(stage, crowd, "one"), stage.job("t.free", free)
    async with stage.worker(slots=2) as worker:
        first = await stage.submit(kind, {"role": "x", "number": 0})
        await eventually(crowd.runs(1), what="the first")
        waiting = [await stage.submit(kind, {"role": "x", "number": number}) for number in (1, 2, 3)]
        await stage.ended(await stage.submit(unbounded))
        assert ran.is_set()
        assert worker.load == 1
        assert {(await stage.row(job_id))["status"] for job_id in waiting} == {"queued"}
        for number in range(4):
            crowd.gates[number].set()
        for job_id in (first, *waiting):
            await stage.ended(job_id)
    assert sorted(crowd.began) == [0, 1, 2, 3]
    assert [await stage.attempts(job_id) for job_id in waiting] == [["success"]] * 3  # no delivery was spent on waiting
    assert await held(stage) == 0


async def test_a_returned_permit_calls_the_next_by_age(stage: Stage) -> None:
    crowd = Crowd()
    kind = gated(stage, crowd, "one")
    async with stage.worker():
        jobs = [await stage.submit(kind, {"role": "x", "number": number}) for number in range(5)]
        await eventually(parked(stage, 4), what="four that wait")
        for number in range(5):
            crowd.gates[number].set()
        for job_id in jobs:
            await stage.ended(job_id)
    assert crowd.began == [0, 1, 2, 3, 4]


def parked(stage: Stage, count: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return bool(await stage.redis.zcard("homeroom:deferred") == count)

    return look


async def test_a_waiting_job_keeps_its_place_in_its_lane(stage: Stage) -> None:
    crowd = Crowd()
    kind = gated(stage, crowd, "one")
    async with stage.worker():
        holder = await stage.submit(kind, {"role": "x", "number": "holder"})
        await eventually(crowd.runs(1), what="the holder of the permit")
        first = await stage.submit(kind, {"role": "x", "number": 1}, lane_id="lane")
        second = await stage.submit(stage.job("t.ungated", crowd), {"role": "x", "number": 2}, lane_id="lane")
        await eventually(parked(stage, 1), what="the first of the lane")
        assert (await stage.row(second))["status"] == "queued"
        for number in ("holder", 1, 2):
            crowd.gates[number].set()
        for job_id in (holder, first, second):
            await stage.ended(job_id)
    assert crowd.began == ["holder", 1, 2]


async def test_a_parked_job_can_be_cancelled(stage: Stage) -> None:
    crowd = Crowd()
    kind = gated(stage, crowd, "one")
    async with stage.worker():
        first = await stage.submit(kind, {"role": "x", "number": 1})
        await eventually(crowd.runs(1), what="the holder of the permit")
        unwanted, third = [await stage.submit(kind, {"role": "x", "number": number}) for number in (2, 3)]
        await eventually(parked(stage, 2), what="two that wait")
        async with stage.database.ledger.acquire() as connection:
            assert await cancel(connection, "demo", unwanted) is not None
        for number in (1, 2, 3):
            crowd.gates[number].set()
        for job_id in (first, third):
            await stage.ended(job_id)
        await stage.is_quiet()
    assert crowd.began == [1, 3]
    assert await held(stage) == 0


async def test_jobs_that_end_badly_return_their_permits(stage: Stage) -> None:
    async def fail(ctx: JobContext) -> Any:
        raise ValueError("odd")

    kind = stage.job("t.failing", fail, permits=("one",), max_attempts=2)
    async with stage.worker():
        jobs = [await stage.submit(kind, {"role": "x"}) for _ in range(3)]
        assert [(await stage.ended(job_id))["status"] for job_id in jobs] == ["failed"] * 3
        await stage.is_quiet()
    assert await held(stage) == 0


async def test_a_dead_worker_s_permits_come_back_by_themselves(stage: Stage) -> None:
    crowd = Crowd()
    kind = gated(stage, crowd, "one")
    gone = permits_of(stage, kind, lease=0.3)
    assert await gone.take([waiting(kind)]) != []  # and then it dies
    async with stage.worker():
        job_id = await stage.submit(kind, {"role": "x", "number": 1})
        crowd.gates[1].set()
        await stage.ended(job_id)


def permits_of(stage: Stage, kind: str, *, lease: float = 600.0, heartbeat: float = 0.5) -> Permits:
    """The permits of a worker that does nothing else."""
    kinds: list[JobKind] = [stage.runnables[kind].kind]
    return Permits(kinds, redis_of(stage), Dispatcher(stage.redis), LIMITS, lease=lease, heartbeat=heartbeat)


def waiting(kind: str, job_id: UUID | None = None, role: str = "x") -> Begun:
    hint = Hint(job_id or uuid7(), 1)
    return Begun(Verdict.PERMIT, hint, due=Due(hint, "demo", False, 0, None), kind=kind, input={"role": role})


async def test_all_of_a_job_s_permits_or_none(stage: Stage) -> None:
    stage.runnables["t.both"] = runnable("t.both", Crowd(), permits=("all", "{role}"))
    permits = permits_of(stage, "t.both")
    asked = [waiting("t.both", role="teacher") for _ in range(5)]
    assert await permits.take(asked) == [each.hint for each in asked[:2]]
    assert len(permits) == await held(stage) == 4  # the three that found no teacher's permit keep none of all
    assert len(await permits.take([waiting("t.both", role="student") for _ in range(5)])) == 2
    assert len(permits) == await held(stage) == 8
    assert await permits.take(asked[:1]) == [asked[0].hint]  # who asks again has what it has
    await permits.give_back([asked[0].hint, asked[4].hint])
    assert len(permits) == await held(stage) == 6


async def test_a_redis_that_forgot_grants_nothing_until_the_holders_have_told_of_themselves(stage: Stage) -> None:
    stage.runnables["t.one"] = runnable("t.one", Crowd(), permits=("one",))
    holder, newcomer = [permits_of(stage, "t.one", heartbeat=600.0) for _ in range(2)]
    [hint] = await holder.take([waiting("t.one")])
    await redis_of(stage).flushall()
    assert await newcomer.take([waiting("t.one")]) == []
    await holder.renew()
    assert await redis_of(stage).zscore("homeroom:permits:demo:one", member_of(hint)) is not None
    await redis_of(stage).set(SINCE_KEY, 1)  # the heartbeat has passed
    assert await newcomer.take([waiting("t.one")]) == []
    await holder.give_back([hint])
    assert len(await newcomer.take([waiting("t.one")])) == 1


async def test_a_drain_returns_what_it_holds(stage: Stage) -> None:
    crowd = Crowd()
    kind = gated(stage, crowd, "one")
    async with stage.worker(grace=0.05):
        job_id = await stage.submit(kind, {"role": "x", "number": 1})
        await eventually(crowd.runs(1), what="the begin")
        assert await held(stage) == 1
    assert await stage.attempts(job_id) == ["released"]
    assert await held(stage) == 0
    async with stage.database.ledger.acquire() as connection:
        await cancel(connection, "demo", job_id)


async def test_a_permit_without_a_limit_holds_up_nobody(stage: Stage) -> None:
    """Claimed together: a name that nobody knows, inputs without the field, a job that needs none, one that has all."""
    crowd = Crowd()
    named, free = gated(stage, crowd, "{role}"), gated(stage, crowd)
    unknown = await stage.submit(named, {"role": "unheard-of"})
    wrong = [await stage.submit(named, value) for value in ({"number": 1}, [1])]
    others = [await stage.submit(kind, {"role": "one"}) for kind in (free, named)]
    crowd.gates[None].set()
    async with stage.worker():
        for job_id in (unknown, *others):
            assert (await stage.ended(job_id))["status"] == "done"
        for job_id in wrong:
            assert (await stage.ended(job_id))["error"] == "unexpected_error"  # the function's own affair
        await stage.is_quiet()
    assert await held(stage) == 0
