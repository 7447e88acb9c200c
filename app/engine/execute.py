"""One delivery's run: from a job function and its context to the word that it ends with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

from app.engine.context import JobContext
from app.engine.ledger.begin import Delivery
from app.engine.ledger.finish import End, Ending
from app.engine.outcomes import Cancel, Done, Fail, Outcome, Retry, Snooze
from app.engine.results import result_text
from app.engine.workload import JobKind
from app.kit import trace
from app.kit.errors import StaleAttempt
from app.kit.logging import bind_log_context, get_logger
from app.kit.tenant import enter_tenant

log = get_logger(__name__)


class Stop(StrEnum):
    """Why the worker stops a run from outside."""

    CANCEL = "cancel"  # somebody asked for the job's end
    DRAIN = "drain"  # the worker ends; the job goes back unharmed
    LOST = "lost"  # the job belongs to another delivery now
    TIMEOUT = "timeout"  # it ran longer than its kind may


class Run:
    """A delivery in flight, and the handle that the worker stops it by."""

    __slots__ = ("began", "delivery", "ends_by", "finishing", "stopped", "task", "underway")

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.began = time.monotonic()
        self.ends_by = self.began + delivery.timeout
        self.task: asyncio.Task[Any] | None = None
        self.finishing = False  # its end was sent: neither a cancel nor a lost lease may tear it apart now
        self.stopped: Stop | None = None
        self.underway = False

    def shield(self, on: bool = True) -> None:
        self.finishing = on

    def stop(self, why: Stop) -> None:
        if self.finishing or self.stopped is not None:
            return
        self.stopped = why
        if self.underway and self.task is not None:  # a task cancelled before its first step would end without a word
            self.task.cancel()


async def execute(
    run: Run, kind: JobKind, function: Callable[[JobContext], Awaitable[Any]], ctx: JobContext
) -> Ending | None:
    """Run the function to its end, in a task of its own: tenant and log context last as long as that task does.

    None: there is nothing to write, it is written already or not ours to write.
    """
    delivery = run.delivery
    enter_tenant(delivery.tenant_id)
    traced = {}
    if delivery.traceparent is not None:
        trace.enter(delivery.traceparent)
        traced = {"trace_id": trace.trace_id(delivery.traceparent)}
    bind_log_context(
        job_id=ctx.job_id,
        tenant_id=delivery.tenant_id,
        attempt=delivery.attempt,
        request_id=delivery.request_id,
        **traced,
    )
    log.debug("job started", kind=delivery.kind)
    ending = await _outcome(run, kind, function, ctx)
    if ctx.ended is not None:  # committed by `complete`: whatever came after it changes nothing
        ending, end = None, End.DONE.value
    elif ending is None:
        end = "dropped"  # it went on without this attempt
    else:
        end = ending.end.value
    level = log.warning if end == "dropped" else log.info
    milliseconds = round(1000 * (time.monotonic() - run.began), 1)
    level("job ended", kind=delivery.kind, end=end, ms=milliseconds, error=ending.error if ending else None)
    return ending


async def _outcome(
    run: Run, kind: JobKind, function: Callable[[JobContext], Awaitable[Any]], ctx: JobContext
) -> Ending | None:
    if run.stopped is not None:
        return _stopped(run, kind, ctx)
    run.underway = True
    try:
        return _done(run.delivery, await function(ctx))
    except StaleAttempt:
        return None
    except asyncio.CancelledError:
        return _stopped(run, kind, ctx)
    except Outcome as word:
        return _said(run.delivery, kind, word)
    except BaseException as error:  # SystemExit and groups of it included: a job does not end the worker
        return _stopped(run, kind, ctx) if run.stopped is Stop.TIMEOUT else _raised(run.delivery, kind, error)


def _said(delivery: Delivery, kind: JobKind, word: Outcome) -> Ending:
    match word:
        case Fail():
            return Ending(delivery, End.FAILED, error=word.code, error_detail=word.detail)
        case Cancel():
            return Ending(delivery, End.CANCELLED, error_detail=word.reason)
        case Snooze():
            return Ending(delivery, End.RELEASED, error_detail=word.reason, delay=word.delay)
        case Retry():
            return _again(delivery, kind, word.code, word.reason, delay=word.delay)
        case _:
            return _again(delivery, kind, "unexpected_error", f"{type(word).__name__} is no outcome of ours.")


def _raised(delivery: Delivery, kind: JobKind, error: BaseException) -> Ending:
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError | TimeoutError):
        return _again(delivery, kind, "transient", detail)
    log.error("job function raised", exc_info=error)
    return _again(delivery, kind, "unexpected_error", detail)


def _done(delivery: Delivery, value: Any) -> Ending:
    done = value if isinstance(value, Done) else Done(value)
    try:
        return Ending(delivery, End.DONE, result=result_text(done.result), writes=done.writes)
    except Fail as unkept:
        return Ending(delivery, End.FAILED, error=unkept.code, error_detail=unkept.detail)


def _again(delivery: Delivery, kind: JobKind, code: str, detail: str, *, delay: float | None = None) -> Ending:
    failures = delivery.failures + 1
    if failures >= delivery.max_attempts:
        return Ending(delivery, End.FAILED, error=code, error_detail=detail)
    wait = kind.backoff.delay(failures) if delay is None else delay
    return Ending(delivery, End.RETRY, error=code, error_detail=detail, delay=wait)


def _stopped(run: Run, kind: JobKind, ctx: JobContext) -> Ending | None:
    match run.stopped:
        case Stop.CANCEL:
            return _cancelled(run.delivery, ctx)
        case Stop.DRAIN:
            return Ending(run.delivery, End.RELEASED, error_detail="the worker was stopped")
        case Stop.LOST:
            return None
        case Stop.TIMEOUT:
            return _again(run.delivery, kind, "timeout", f"The job ran longer than {run.delivery.timeout:g} s.")
        case None:  # the function was cancelled from within: a library's habit, not our doing
            return _again(run.delivery, kind, "unexpected_error", "The job function was cancelled from within.")


def _cancelled(delivery: Delivery, ctx: JobContext) -> Ending:
    """With what the function left; a cancel is never lost over that."""
    try:
        left = ctx.left_by_cancel()
        result = result_text(left.result) if left.result is not None else None
    except Exception:
        log.exception("what was left by a cancelled job cannot be kept")
        return Ending(delivery, End.CANCELLED)
    return Ending(delivery, End.CANCELLED, result=result, writes=left.writes)
