"""The twin of the lanes by itself, and the queue that runs on it: no server, no waiting.

That the twin says what the ledger says is held by test_lane_conformance.py and test_lane_stateful.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.context import JobContext
from app.engine.diagnostics import Echo
from app.engine.inflight import Runnable
from app.engine.inline import ENDLESS, InlineQueue
from app.engine.ledger.begin import Verdict
from app.engine.ledger.finish import End, Ending
from app.engine.ledger.newjob import Accepted, LaneFull, NewJob
from app.engine.ledger.rows import Hint, JobRow
from app.engine.memory import MemoryLanes
from app.engine.outcomes import Cancel, Done, Fail, Retry, Snooze, Write
from app.engine.workload import JobKind
from app.kit import json
from app.kit.errors import ConfigurationError

Function = Callable[[JobContext], Awaitable[Any]]


def queue_of(function: Function, **kind: Any) -> InlineQueue:
    given: dict[str, Any] = {"task": "", "input": Echo, "result": Echo, "summary": "", "max_attempts": 3}
    return InlineQueue([Runnable(JobKind(name="t.kind", **given | kind), function)], environment="test")  # type: ignore[arg-type]


def job(value: Any = None, **fields: Any) -> NewJob:
    given: dict[str, Any] = {"tenant_id": "demo", "queue": "base", "kind": "t.kind", "max_attempts": 3, "timeout": 60.0}
    return NewJob(**given | {"input": json.text(value)} | fields)


async def ended(queue: InlineQueue, request: NewJob) -> JobRow:
    return (await queue.submit(request)).job


@pytest.mark.parametrize("environment", ["production", "prod", "development", ""])
def test_neither_starts_outside_tests_and_both_say_the_cure(environment: str) -> None:
    with pytest.raises(ConfigurationError, match="Cure: Use Postgres and Redis"):
        MemoryLanes(environment=environment)
    with pytest.raises(ConfigurationError, match="InlineQueue forgets every job"):
        InlineQueue([], environment=environment)


@given(st.lists(st.sampled_from(["enter", "begin", "done", "fail", "retry", "lose", "cancel"]), max_size=60))
async def test_a_lane_has_one_holder_and_starts_in_its_order_whatever_happens(steps: list[str]) -> None:
    lanes = MemoryLanes(environment="test")
    worker, lane = await lanes.join(1e6), ("demo", "base", "lane")
    begun, first_starts, failed = None, [], []
    for step in steps:
        live = await lanes.live(lane)
        if step == "enter":
            answer = (await lanes.enter([job(lane_id="lane", lane_capacity=4)]))[0]
            assert isinstance(answer, LaneFull) == (len(live) >= 4)
        elif step == "begin" and (head := await lanes.head(lane)) is not None:
            tries = [await lanes.begin(Hint(each.job_id, each.attempt + 1), worker, alone=True) for each in live]
            [begun] = [each.delivery for each in tries if each.verdict is Verdict.RUN]
            assert begun is not None
            assert begun.job_id == head.hint.job_id == live[0].job_id
            first_starts += [live[0].lane_seq or 0] if begun.attempt == 1 else []
        elif step in ("done", "fail") and begun is not None:
            how = End.DONE if step == "done" else End.FAILED
            ended = await lanes.end(Ending(begun, how, result="1"))
            failed += [begun.job_id] if ended is not None and how is End.FAILED else []
            begun = None
        elif step == "retry" and failed:
            retried = await lanes.retry("demo", failed.pop())
            assert retried is not None
            assert (await lanes.live(lane))[-1].job_id == retried.job_id
        elif step == "lose":
            await lanes.lose(worker)
            worker = await lanes.join(1e6)
        elif step == "cancel" and live:
            await lanes.cancel("demo", live[-1].job_id)
        holders = [each for each in await lanes.live(lane) if each.status == "processing"]
        assert len(holders) <= 1
        assert first_starts == sorted(set(first_starts))


async def test_a_job_runs_where_it_is_submitted() -> None:
    async def echo(ctx: JobContext) -> Any:
        await ctx.progress(50, "half")
        return Done({"heard": ctx.input, "by": ctx.tenant_id}, [Write("marks", {"note": "heard"})])

    queue = queue_of(echo)
    row = await ended(queue, job("hello"))
    assert (row.status, row.result, row.attempt, row.progress) == ("done", {"heard": "hello", "by": "demo"}, 1, 100)
    assert [(event.type, event.data["progress"]) for event in queue.told] == [("progress", 50)]
    assert [written.table for written in queue.written] == ["marks"]


@pytest.mark.parametrize(
    ("outcome", "status", "attempts", "error"),
    [
        (Fail("broken", "why"), "failed", ["failure"], "broken"),
        (Cancel("not needed"), "cancelled", ["cancelled"], None),
        (ValueError("odd"), "failed", ["retry", "retry", "failure"], "unexpected_error"),
        (ConnectionError("away"), "failed", ["retry", "retry", "failure"], "transient"),
        (Retry("busy", delay=3600.0, code="rate_limited"), "failed", ["retry", "retry", "failure"], "rate_limited"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_outcomes_mean_what_they_mean_on_a_worker(
    outcome: Exception, status: str, attempts: list[str], error: str | None
) -> None:
    async def end(_ctx: JobContext) -> Any:
        raise outcome

    queue = queue_of(end)
    row = await ended(queue, job())
    assert (row.status, row.error) == (status, error)
    assert await queue.lanes.attempts("demo", row.job_id) == attempts
    assert queue.written == []


async def test_nobody_waits_for_a_moment() -> None:
    seen: list[int] = []

    async def come_back(ctx: JobContext) -> Any:
        seen.append(ctx.failures)
        if ctx.attempt < 4:
            raise Snooze(86_400.0)

    row = await ended(queue_of(come_back), job())
    assert (row.status, row.attempt, seen) == ("done", 4, [0, 0, 0, 0])


async def test_a_job_that_never_ends_is_told_of() -> None:
    async def snooze(_ctx: JobContext) -> Any:
        raise Snooze(0.0)

    with pytest.raises(ConfigurationError, match=f"has not ended in {ENDLESS} deliveries"):
        await queue_of(snooze).submit(job())


async def test_a_time_out_ends_a_delivery() -> None:
    async def sleep(_ctx: JobContext) -> Any:
        await asyncio.Event().wait()

    row = await ended(queue_of(sleep, max_attempts=1), job(timeout=0.01, max_attempts=1))
    assert (row.status, row.error) == ("failed", "timeout")


async def test_a_cancel_stops_what_runs() -> None:
    started = asyncio.Event()

    async def sleep(ctx: JobContext) -> Any:
        ctx.keep_when_cancelled(lambda: Done("half", [Write("marks", {"note": "half"})]))
        started.set()
        await asyncio.Event().wait()

    queue, request = queue_of(sleep), job()
    running = asyncio.create_task(queue.submit(request))
    await started.wait()
    assert await queue.cancel("demo", request.job_id) is not None
    row = (await running).job
    assert (row.status, row.result) == ("cancelled", "half")
    assert len(queue.written) == 1
    assert await queue.cancel("demo", request.job_id) is None


async def test_what_a_job_puts_behind_itself_in_its_lane_runs_after_it() -> None:
    order: list[str] = []

    async def chain(ctx: JobContext) -> Any:
        order.append(f"{ctx.input} begins")
        if ctx.input == "first":
            behind = await queue.submit(job("second", lane_id="lane"))
            assert behind.job.status == "queued"
        order.append(f"{ctx.input} ends")

    queue = queue_of(chain)
    assert (await ended(queue, job("first", lane_id="lane"))).status == "done"
    assert order == ["first begins", "first ends", "second begins", "second ends"]
    assert await queue.lanes.live(("demo", "base", "lane")) == []


async def test_a_full_lane_is_refused_as_at_the_real_door() -> None:
    async def refuse(ctx: JobContext) -> Any:
        await queue.submit(job(lane_id="lane", lane_capacity=1))

    queue = queue_of(refuse, max_attempts=1)
    row = await ended(queue, job(lane_id="lane", max_attempts=1))
    assert "1 jobs of this lane" in (row.error_detail or "")


async def test_what_needs_a_server_says_where_it_can_be_tested() -> None:
    async def read(ctx: JobContext) -> Any:
        async with ctx.session():
            pass

    row = await ended(queue_of(read), job(max_attempts=1))
    assert "An inline queue has no database" in (row.error_detail or "")
    with pytest.raises(ConfigurationError, match="Give InlineQueue its Runnable"):
        await queue_of(read).submit(job(kind="t.other"))


async def test_a_job_outside_lanes_is_its_own_head() -> None:
    lanes = MemoryLanes(environment="test")
    first, second = await lanes.enter([job(), job()])
    worker = await lanes.join(60.0)
    for answer in (second, first):
        assert isinstance(answer, Accepted)
        assert answer.dispatchable
        assert (await lanes.begin(Hint(answer.job.job_id, 1), worker)).verdict is Verdict.RUN
    assert (await lanes.begin(Hint(uuid4(), 1), worker)).verdict is Verdict.DROP
