"""Jobs that write down what they do, outside of everything that they are to judge; and processes that run them.

`python -m tests.support.witness worker chat` and `... api` are the real entrances with these kinds beside the
diagnostics. Each run appends a line at its start, where its effect is, and at its end to the file that
`WITNESS_HISTORY` names. A run that ends well also leaves a row in the table `witnessed`, in the transaction that ends
the job: as data, or by a transaction of its own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal
from unittest import mock

import asyncpg
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text

from app import cli
from app.engine import diagnostics
from app.engine.context import JobContext
from app.engine.outcomes import Done, Retry, Write
from app.engine.workload import JobKind
from app.kit.backoff import Backoff
from tests.support import native
from tests.support.history import append

VARIABLE = "WITNESS_HISTORY"
ENTRANCE = (sys.executable, "-m", "tests.support.witness")


class Deed(BaseModel):
    """What a run does between its effect and its end, and how it ends."""

    model_config = ConfigDict(extra="forbid")

    seconds: Annotated[float, Field(ge=0)] = 0.0
    busy: Literal["sleep", "block", "spin", "native child", "native", "die"] = "sleep"
    ends: Literal["data", "own", "retry"] = "data"


async def witness(ctx: JobContext) -> Done | None:
    deed = Deed.model_validate(ctx.input)
    _note(ctx, "start")
    try:
        _note(ctx, "effect")
        await _be_busy(deed, ctx.attempt)
    finally:
        _note(ctx, "end")
    if deed.ends == "retry" and not ctx.failures:
        raise Retry("the first try fails, as asked")
    if deed.ends == "own":
        async with ctx.complete() as session:
            await session.execute(_INSERT, {"tenant_id": ctx.tenant_id, **_who(ctx)})
        return None
    return Done(writes=[Write("witnessed", _who(ctx))])


async def _be_busy(deed: Deed, attempt: int) -> None:
    until = time.monotonic() + deed.seconds
    match deed.busy:
        case "sleep":
            await asyncio.sleep(deed.seconds)
        case "block":
            time.sleep(deed.seconds)  # noqa: ASYNC251 - that it blocks the loop is the point
        case "spin":
            while time.monotonic() < until:
                pass
        case "native child":
            await native.hold_in_a_child(deed.seconds)
        case "native":
            native.hold(deed.seconds if attempt == 1 else 0.0)
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)


def _note(ctx: JobContext, what: str) -> None:
    append(Path(os.environ[VARIABLE]), what=what, lane=ctx._delivery.lane_id, pid=os.getpid(), **_who(ctx))


def _who(ctx: JobContext) -> dict[str, Any]:
    return {"job_id": ctx.job_id, "attempt": ctx.attempt, "token": str(ctx._delivery.token)}


def _kind(name: str, **more: Any) -> JobKind:
    return JobKind(
        name=f"witness.{name}",
        task="tests.support.witness:witness",
        input=Deed,
        result=diagnostics.Echo,
        summary="Writes down what it does",
        timeout=60.0,
        backoff=Backoff(first=0.1, cap=0.1),
        **more,
    )


KINDS = (_kind("run"), _kind("permitted", permits=("llm_total",)))

_INSERT = text(
    "insert into witnessed (tenant_id, job_id, attempt, token) values (:tenant_id, :job_id, :attempt, :token)"
)

# Without a key on purpose: a second row of the same run has to be seen, not refused.
_TABLE = """
create table witnessed (tenant_id text not null, job_id text not null, attempt int not null, token text not null);
alter table witnessed enable row level security;
alter table witnessed force row level security;
create policy witnessed_tenant on witnessed to homeroom_app
using (tenant_id = current_setting('app.tenant', true)) with check (tenant_id = current_setting('app.tenant', true));
grant insert, select on witnessed to homeroom_app;
"""


async def make_table(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_TABLE)
    finally:
        await connection.close()


if __name__ == "__main__":
    with mock.patch.object(diagnostics, "KINDS", (*diagnostics.KINDS, *KINDS)):
        sys.exit(cli.main(sys.argv[1:]))
