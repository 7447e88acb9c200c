"""Whose a run is once its worker's lease ran out: what was begun under the old registration is adopted or stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app.engine.context import JobContext
from app.engine.ledger import rescue as rescuing
from app.engine.ledger.begin import Begun
from app.engine.ledger.finish import End
from app.engine.ledger.rescue import rescue
from app.engine.ledger.rows import Hint
from app.engine.runtime import Runtime
from app.kit.db import Connection, Database
from tests.support.deployment import Deployment
from tests.support.jobs import QUEUE, attempts, begun, end, end_lease, live_worker, queued, row
from tests.support.stage import Stage, open_stage
from tests.support.waiting import eventually

Change = Callable[[Sequence[Begun]], Awaitable[None]]


class Gate:
    """A kind of job that runs until it is opened, and tells which of its attempts were stopped."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.running: set[Hint] = set()
        self.stopped: list[Hint] = []

    async def __call__(self, ctx: JobContext) -> Any:
        hint = Hint(UUID(ctx.job_id), ctx.attempt)
        self.running.add(hint)
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.stopped.append(hint)
            raise
        finally:
            self.running.discard(hint)
        return ctx.attempt


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def gate(stage: Stage) -> AsyncIterator[Gate]:
    """Its jobs, on a queue that nobody sweeps: only these tests rescue."""
    await stage.execute("delete from jobs")
    await stage.redis.flushdb()
    await stage.execute(
        """insert into queue_controls (queue, reconciler_id, reconciler_until)
           values ($1, $2, now() + interval '1 hour')
           on conflict (queue) do update
           set reconciler_id = excluded.reconciler_id, reconciler_until = excluded.reconciler_until""",
        stage.queue,
        uuid4(),
    )
    gate = Gate()
    stage.job("t.gate", gate)
    yield gate
    gate.opened.set()


def name_of(runtime: Runtime) -> UUID:
    return runtime._lease.worker_id


async def lose_lease(stage: Stage, runtime: Runtime) -> UUID:
    """The worker goes by another name from now on, and its adoptions are through. Returns the old name."""
    old = name_of(runtime)
    async with stage.database.ledger.acquire() as connection:
        await end_lease(connection, old)

    async def renamed() -> bool:
        return name_of(runtime) != old and runtime.ctx["worker_id"] == name_of(runtime)

    await eventually(renamed, what="the new registration")
    await settled(runtime)
    return old


async def settled(runtime: Runtime) -> None:
    async def look() -> bool:
        return not runtime._inflight._aside.tasks

    await eventually(look, what="the end of the adoptions")


def before_the_next_verdict(runtime: Runtime, change: Change) -> None:
    """The next begin that runs something commits as ever, and this happens before the worker hears of it."""
    begin, changes = runtime._intake._beginner._begin, [change]

    async def slow(hints: Sequence[Hint], *, alone: bool, gated: Sequence[str] = ()) -> list[Begun]:
        answer = await begin(hints, alone=alone, gated=gated)
        if changes and any(each.delivery is not None for each in answer):
            await changes.pop()(answer)
        return answer

    runtime._intake._beginner._begin = slow  # type: ignore[method-assign]


async def runs(gate: Gate, hint: Hint) -> None:
    async def look() -> bool:
        return hint in gate.running

    await eventually(look, what=f"the run of {hint}")


async def test_a_run_that_was_begun_under_an_ended_registration_is_adopted(stage: Stage, gate: Gate) -> None:
    async with stage.worker(heartbeat=0.1) as runtime:
        old: list[UUID] = []

        async def lose(_begun: Sequence[Begun]) -> None:
            old.append(await lose_lease(stage, runtime))

        before_the_next_verdict(runtime, lose)
        job_id = await stage.submit("t.gate")
        await runs(gate, Hint(job_id, 1))
        await settled(runtime)
        stored = await stage.row(job_id)
        assert stored["worker_id"] == name_of(runtime)
        assert stored["worker_id"] not in old
        async with stage.database.ledger.acquire() as connection:
            assert await rescue(connection, stage.queue) == []
        gate.opened.set()
        assert (await stage.ended(job_id))["status"] == "done"
    assert len(old) == 1
    assert await stage.attempts(job_id) == ["success"]


async def test_it_is_stopped_where_rescue_was_first(stage: Stage, gate: Gate) -> None:
    async with stage.worker(heartbeat=0.1) as runtime:

        async def lose(_begun: Sequence[Begun]) -> None:
            await lose_lease(stage, runtime)
            async with stage.database.ledger.acquire() as connection:
                assert len(await rescue(connection, stage.queue)) == 1

        before_the_next_verdict(runtime, lose)
        job_id = await stage.submit("t.gate")

        async def stopped() -> bool:
            return gate.stopped == [Hint(job_id, 1)]

        await eventually(stopped, what="the stop of what is not its own any more")
        assert await stage.attempts(job_id) == ["lost"]
        gate.opened.set()
        await stage.execute("update queue_controls set reconciler_until = now() where queue = $1", stage.queue)
        assert (await stage.ended(job_id))["result"] == "2"
    assert await stage.attempts(job_id) == ["lost", "success"]


async def test_an_adoption_leaves_the_runs_of_the_new_registration_alone(stage: Stage, gate: Gate) -> None:
    """What the worker began under its new name was never lost: once stopped, it would be `processing` in nobody."""
    async with stage.worker(heartbeat=0.1) as runtime:
        first = await stage.submit("t.gate")
        await runs(gate, Hint(first, 1))
        old = await lose_lease(stage, runtime)
        second = await stage.submit("t.gate")
        await runs(gate, Hint(second, 1))
        runtime._inflight.adopt_soon(old, name_of(runtime))  # as for a begin whose verdict comes only now
        await settled(runtime)
        assert gate.running == {Hint(first, 1), Hint(second, 1)}
        gate.opened.set()
        for job_id in (first, second):
            assert (await stage.ended(job_id))["worker_id"] == name_of(runtime)
    assert gate.stopped == []
    for job_id in (first, second):
        assert await stage.attempts(job_id) == ["success"]


async def test_of_two_adoptions_at_once_the_second_does_not_stop_what_the_first_kept(stage: Stage, gate: Gate) -> None:
    """One for the lost lease, one for a verdict that came late: both look for runs of the same old name."""
    async with stage.worker(heartbeat=0.1) as runtime:
        job_id = await stage.submit("t.gate")
        await runs(gate, Hint(job_id, 1))
        on_lost = runtime._lease._on_lost

        def twice(old: UUID, new: UUID) -> None:
            on_lost(old, new)
            on_lost(old, new)

        runtime._lease._on_lost = twice
        await lose_lease(stage, runtime)
        assert gate.running == {Hint(job_id, 1)}
        gate.opened.set()
        assert (await stage.ended(job_id))["worker_id"] == name_of(runtime)
    assert (gate.stopped, await stage.attempts(job_id)) == ([], ["success"])


async def test_a_lease_that_is_lost_twice_before_the_first_adoption_leaves_no_run_behind(
    stage: Stage, gate: Gate
) -> None:
    async with stage.worker(heartbeat=0.1) as runtime:
        job_id = await stage.submit("t.gate")
        await runs(gate, Hint(job_id, 1))
        on_lost = runtime._lease._on_lost
        lost: list[tuple[UUID, UUID]] = []

        def later(old: UUID, new: UUID) -> None:  # the loop is busy with other things
            lost.append((old, new))
            if len(lost) == 2:
                for each in lost:
                    on_lost(*each)

        runtime._lease._on_lost = later
        first = name_of(runtime)
        async with stage.database.ledger.acquire() as connection:
            await end_lease(connection, first)

            async def renamed() -> bool:
                return len(lost) == 1

            await eventually(renamed, what="the first new registration")
        await lose_lease(stage, runtime)
        assert (await stage.row(job_id))["worker_id"] == name_of(runtime)
        gate.opened.set()
        assert (await stage.ended(job_id))["losses"] == 0
    assert (gate.stopped, await stage.attempts(job_id)) == ([], ["success"])


async def test_the_next_delivery_of_a_job_that_rescue_found_too_late_stays_with_its_worker(
    database: Database, ledger: Connection, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rescue finds a delivery over its deadline; its worker ends it and begins the next before rescue has the lock."""
    worker = await live_worker(ledger)
    late = await begun(ledger, await queued(ledger, tenant_id=tenant), worker)
    await ledger.execute("update jobs set deadline_at = now() - interval '1 second' where job_id = $1", late.job_id)
    waits = "(select true from pg_advisory_xact_lock_shared(9) where j.job_id is not null) and j.queue = $1"
    monkeypatch.setattr(rescuing, "_RESCUE", rescuing._RESCUE.replace("j.queue = $1", waits, 1))
    async with database.ledger.acquire() as gate, database.ledger.acquire() as other:
        async with gate.transaction():
            await gate.execute("select pg_advisory_xact_lock(9)")
            looking = asyncio.create_task(rescue(other, QUEUE, only_tenant=tenant))

            async def looks() -> bool:
                return bool(await ledger.fetchval("select 1 from pg_locks where locktype = 'advisory' and not granted"))

            await eventually(looks, what="rescue's look")
            await end(ledger, late, End.RETRY)
            following = await begun(ledger, late, worker)
        assert await looking == []
    assert (await row(ledger, late.job_id))["claim_token"] == following.token
    assert await end(ledger, following, End.DONE) is not None
    assert await attempts(ledger, late.job_id) == ["retry", "success"]
