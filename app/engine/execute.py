"""One delivery's run: from a job function and its context to the word that it ends with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

import structlog

from app.engine.context import JobContext
from app.engine.ledger.begin import Delivery
from app.engine.ledger.finish import End, Ending
from app.engine.outcomes import Cancel, Fail, Outcome, Retry, Snooze
from app.engine.results import result_text
from app.engine.workload import JobKind
from app.kit.errors import StaleAttempt
from app.kit.logging import get_logger
from app.kit.tenant import tenant_scope

log = get_logger(__name__)


class Stop(StrEnum):
    """Why the worker stops a run from outside."""

    CANCEL = "cancel"  # somebody asked for the job's end
    DRAIN = "drain"  # the worker ends; the job goes back unharmed
    LOST = "lost"  # the job belongs to another delivery now


class Run:
    """A delivery in flight, and the handle that the worker stops it by."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
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
    """Run the function to its end. None: there is nothing to write, it is written already or not ours to write."""
    delivery = run.delivery
    with (
        tenant_scope(delivery.tenant_id),
        structlog.contextvars.bound_contextvars(
            job_id=ctx.job_id, tenant_id=delivery.tenant_id, attempt=delivery.attempt, request_id=delivery.request_id
        ),
    ):
        log.info("job started", kind=delivery.kind)
        ending = await _outcome(run, kind, function, ctx)
        if ctx.ended is not None:  # committed by `complete`: whatever came after it changes nothing
            log.info("job ended", end=End.DONE.value)
            return None
        if ending is None:
            log.warning("job dropped: it went on without this attempt")
        else:
            log.info("job ended", end=ending.end.value, error=ending.error)
        return ending


async def _outcome(
    run: Run, kind: JobKind, function: Callable[[JobContext], Awaitable[Any]], ctx: JobContext
) -> Ending | None:
    if run.stopped is not None:
        return _stopped(run, kind)
    run.underway = True
    limit = asyncio.timeout(run.delivery.timeout)
    try:
        async with limit:
            return _done(run.delivery, await function(ctx))
    except StaleAttempt:
        return None
    except asyncio.CancelledError:
        return _stopped(run, kind)
    except Outcome as word:
        return _said(run.delivery, kind, word)
    except BaseException as error:  # SystemExit and groups of it included: a job does not end the worker
        return _raised(run.delivery, kind, error, timed_out=limit.expired())


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


def _raised(delivery: Delivery, kind: JobKind, error: BaseException, *, timed_out: bool) -> Ending:
    if timed_out:
        return _again(delivery, kind, "timeout", f"The job ran longer than {delivery.timeout:g} s.")
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError | TimeoutError):
        return _again(delivery, kind, "transient", detail)
    log.error("job function raised", exc_info=error)
    return _again(delivery, kind, "unexpected_error", detail)


def _done(delivery: Delivery, value: Any) -> Ending:
    try:
        return Ending(delivery, End.DONE, result=result_text(value))
    except Fail as unkept:
        return Ending(delivery, End.FAILED, error=unkept.code, error_detail=unkept.detail)


def _again(delivery: Delivery, kind: JobKind, code: str, detail: str, *, delay: float | None = None) -> Ending:
    failures = delivery.failures + 1
    if failures >= delivery.max_attempts:
        return Ending(delivery, End.FAILED, error=code, error_detail=detail)
    wait = kind.backoff.delay(failures) if delay is None else delay
    return Ending(delivery, End.RETRY, error=code, error_detail=detail, delay=wait)


def _stopped(run: Run, kind: JobKind) -> Ending | None:
    match run.stopped:
        case Stop.CANCEL:
            return Ending(run.delivery, End.CANCELLED)
        case Stop.DRAIN:
            return Ending(run.delivery, End.RELEASED, error_detail="the worker was stopped")
        case Stop.LOST:
            return None
        case None:  # the function was cancelled from within: a library's habit, not our doing
            return _again(run.delivery, kind, "unexpected_error", "The job function was cancelled from within.")
