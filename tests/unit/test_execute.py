"""One delivery's run: how often it is tried, how it is stopped, and what stays bound while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import pytest

from app.engine.context import Hands, JobContext
from app.engine.diagnostics import Echo
from app.engine.events import EventLog
from app.engine.execute import Run, Stop, execute
from app.engine.ledger.begin import Delivery
from app.engine.ledger.finish import End, Ending
from app.engine.outcomes import Done, Retry, Write
from app.engine.workload import JobKind
from app.kit.backoff import Backoff
from app.kit.db import Database, DatabaseOptions
from app.kit.logging import log_context
from app.kit.redis import connect
from app.kit.tenant import NoTenant, current_tenant

Function = Callable[[JobContext], Coroutine[Any, Any, Any]]
KIND = JobKind(name="t.kind", task="", input=Echo, result=Echo, summary="", backoff=Backoff(first=8.0, cap=20.0))


def delivery(**fields: Any) -> Delivery:
    given: dict[str, Any] = {
        "job_id": uuid4(),
        "attempt": 1,
        "token": uuid4(),
        "tenant_id": "demo",
        "queue": "base",
        "kind": KIND.name,
        "input": None,
        "failures": 0,
        "losses": 0,
        "max_attempts": 3,
        "timeout": 60.0,
        "lane_id": None,
        "request_id": "request-7",
        "session_id": None,
    }
    return Delivery(**given | fields)


def run_of(function: Function, **fields: Any) -> tuple[Run, asyncio.Task[Ending | None]]:
    """A run on its way; neither Postgres nor Redis is asked for anything here."""
    run = Run(delivery(**fields))
    nowhere = DatabaseOptions("postgresql://nowhere", "postgresql://nowhere")
    hands = Hands(Database(nowhere, application_name="nobody"), EventLog(connect("redis://nowhere")))
    ctx = JobContext(run.delivery, hands, run.shield)
    task = asyncio.create_task(execute(run, KIND, function, ctx))
    run.task = task
    return run, task


async def end_of(function: Function, **fields: Any) -> Ending:
    ending = await run_of(function, **fields)[1]
    assert ending is not None
    return ending


async def fails(_ctx: JobContext) -> Any:
    raise ValueError("odd")


async def waits(_ctx: JobContext) -> Any:
    await asyncio.Event().wait()


async def test_a_failure_within_the_budget_is_a_retry_after_the_kind_s_backoff() -> None:
    for failures, ceiling in ((0, 8.0), (1, 16.0)):
        ending = await end_of(fails, failures=failures)
        assert (ending.end, ending.error) == (End.RETRY, "unexpected_error")
        assert 0 <= ending.delay <= ceiling


async def test_the_last_failure_of_the_budget_is_final() -> None:
    assert (await end_of(fails, failures=2)).end is End.FAILED
    assert (await end_of(fails, max_attempts=1)).end is End.FAILED


async def test_losses_and_attempts_do_not_spend_the_budget() -> None:
    assert (await end_of(fails, attempt=40, losses=2)).end is End.RETRY


@pytest.mark.parametrize("delay", [0.0, 77.0])
async def test_a_retry_s_own_delay_wins_over_the_backoff(delay: float) -> None:
    async def later(_ctx: JobContext) -> Any:
        raise Retry("busy", delay=delay)

    assert (await end_of(later)).delay == delay


@pytest.mark.parametrize(("why", "end"), [(Stop.CANCEL, End.CANCELLED), (Stop.DRAIN, End.RELEASED), (Stop.LOST, None)])
async def test_a_stop_ends_the_run_by_its_reason(why: Stop, end: End | None) -> None:
    run, task = run_of(waits)
    await asyncio.sleep(0)
    run.stop(why)
    ending = await task
    assert (ending.end if ending else None) == end


@pytest.mark.parametrize("why", list(Stop))
async def test_a_stop_before_the_first_step_keeps_the_function_from_starting(why: Stop) -> None:
    started = asyncio.Event()

    async def work(_ctx: JobContext) -> Any:
        started.set()

    run, task = run_of(work)
    run.stop(why)
    await task
    assert not started.is_set()


async def test_the_first_stop_counts() -> None:
    run, task = run_of(waits)
    await asyncio.sleep(0)
    run.stop(Stop.LOST)
    run.stop(Stop.CANCEL)
    assert await task is None


async def test_a_function_that_swallows_the_stop_is_done_after_all() -> None:
    async def stubborn(_ctx: JobContext) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "finished"

    run, task = run_of(stubborn)
    await asyncio.sleep(0)
    run.stop(Stop.CANCEL)
    ending = await task
    assert ending is not None
    assert (ending.end, ending.result) == (End.DONE, '"finished"')


async def test_a_shielded_run_is_not_stopped_until_the_shield_falls() -> None:
    run, task = run_of(waits)
    await asyncio.sleep(0)
    run.shield(True)
    run.stop(Stop.CANCEL)
    assert run.stopped is None
    run.shield(False)
    run.stop(Stop.CANCEL)
    assert await task is not None


async def test_tenant_and_log_context_are_bound_inside_and_not_after() -> None:
    seen: dict[str, Any] = {}

    async def look(ctx: JobContext) -> Any:
        seen.update(log_context(), tenant=current_tenant(), job=ctx.job_id)

    run = Run(delivery())
    run, task = run_of(look)
    await task
    assert seen["tenant"] == seen["tenant_id"] == "demo"
    assert seen["job"] == seen["job_id"] == str(run.delivery.job_id)
    assert (seen["attempt"], seen["request_id"]) == (1, "request-7")
    assert log_context() == {}
    with pytest.raises(NoTenant):
        current_tenant()


@pytest.mark.parametrize(
    ("why", "end", "result", "rows"),
    [(Stop.CANCEL, End.CANCELLED, '{"half":1}', 1), (Stop.DRAIN, End.RELEASED, None, 0), (Stop.LOST, None, None, 0)],
)
async def test_only_a_cancel_keeps_what_the_function_left(
    why: Stop, end: End | None, result: str | None, rows: int
) -> None:
    started = asyncio.Event()

    async def half(ctx: JobContext) -> None:
        ctx.keep_when_cancelled(lambda: Done({"half": 1}, writes=[Write("t", {"a": 1})]))
        started.set()
        await asyncio.Event().wait()

    run, task = run_of(half)
    await started.wait()
    run.stop(why)
    ending = await task
    assert (ending.end if ending else None) is end
    if ending is not None:
        assert (ending.result, len(ending.writes)) == (result, rows)


async def test_a_cancel_is_not_lost_over_what_cannot_be_kept() -> None:
    started = asyncio.Event()

    async def half(ctx: JobContext) -> None:
        ctx.keep_when_cancelled(lambda: Done({"not JSON": object()}))
        started.set()
        await asyncio.Event().wait()

    run, task = run_of(half)
    await started.wait()
    run.stop(Stop.CANCEL)
    ending = await task
    assert ending is not None
    assert (ending.end, ending.result, len(ending.writes)) == (End.CANCELLED, None, 0)
