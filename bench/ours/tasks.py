"""The job functions of the bench's queue."""

from __future__ import annotations

from typing import Any

from app.engine.context import JobContext
from app.engine.outcomes import Done, Write
from bench import tape
from bench.tape import tape_of_environment

TAPE = tape_of_environment()
INSERT = "insert into bench_notes (job_id, tenant_id, body) values ($1, $2, $3)"


async def plain_work(_ctx: dict[str, Any], job: int, seconds: float) -> None:
    await tape.work(TAPE, job, seconds)


async def work(ctx: JobContext) -> dict[str, int]:
    await tape.work(TAPE, ctx.input["job"], ctx.input["seconds"])
    return {"job": ctx.input["job"]}


async def compute(ctx: JobContext) -> dict[str, int]:
    tape.work_computing(TAPE, ctx.input["job"], ctx.input["seconds"])
    return {"job": ctx.input["job"]}


async def record(ctx: JobContext) -> None:
    await tape.work(TAPE, ctx.input["job"], ctx.input["seconds"])
    async with ctx.complete_raw({"job": ctx.input["job"]}) as connection:
        await connection.execute(INSERT, ctx.job_id, ctx.tenant_id, "what was found")


async def effects(ctx: JobContext) -> Done:
    await tape.work(TAPE, ctx.input["job"], ctx.input["seconds"])
    return Done({"job": ctx.input["job"]}, [Write("bench_notes", {"job_id": ctx.job_id, "body": "what was found"})])
