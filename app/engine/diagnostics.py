"""Jobs that prove a queue works: echo, sleep, fail, progress. Every queue runs them when DIAGNOSTICS is on."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

from app.engine.context import JobContext
from app.engine.outcomes import Fail, Retry
from app.engine.workload import JobKind
from app.kit.backoff import Backoff


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Echo(RootModel[Any]):
    """Any JSON value."""


class Sleep(Strict):
    seconds: Annotated[float, Field(ge=0, le=3600)]


class Slept(Strict):
    slept: float


class Failing(Strict):
    times: Annotated[int, Field(ge=0, le=100)] = 1
    transient: bool = True


class Failed(Strict):
    failures: int


class Steps(Strict):
    steps: Annotated[int, Field(ge=1, le=1000)] = 10


class Stepped(Strict):
    steps: int


async def echo(ctx: JobContext) -> Any:
    return ctx.input


async def sleep(ctx: JobContext) -> dict[str, float]:
    seconds = float(ctx.input["seconds"])
    await asyncio.sleep(seconds)
    return {"slept": seconds}


async def fail(ctx: JobContext) -> dict[str, int]:
    """Fail `times` times, then succeed; a failure that is not transient is final at once."""
    if ctx.failures < ctx.input["times"]:
        if ctx.input["transient"]:
            raise Retry(f"failure {ctx.failures + 1} of {ctx.input['times']}, as asked", code="diagnostics_transient")
        raise Fail("diagnostics_failed", "failed for good, as asked")
    return {"failures": ctx.failures}


async def progress(ctx: JobContext) -> dict[str, int]:
    steps: int = ctx.input["steps"]
    for step in range(1, steps + 1):
        await ctx.progress(100 * step // steps, f"step {step} of {steps}")
        await asyncio.sleep(0.01)
    return {"steps": steps}


async def whoami(ctx: dict[str, Any]) -> dict[str, Any]:
    """A plain ARQ function that every worker has: which process answers on this queue?"""
    return {"worker_id": str(ctx["worker_id"]), "queue": ctx["queue"], "pid": ctx["pid"]}


def _kind(name: str, accepts: type[BaseModel], returns: type[BaseModel], summary: str, **more: Any) -> JobKind:
    return JobKind(
        name=f"diagnostics.{name}",
        task=f"{__name__}:{name}",
        input=accepts,
        result=returns,
        summary=summary,
        backoff=Backoff(first=0.2, cap=5.0),
        **more,
    )


KINDS = (
    _kind("echo", Echo, Echo, "Returns its input"),
    _kind("sleep", Sleep, Slept, "Sleeps for a number of seconds", timeout=3700.0),
    _kind("fail", Failing, Failed, "Fails a number of times, then succeeds"),
    _kind("progress", Steps, Stepped, "Reports progress step by step"),
)
