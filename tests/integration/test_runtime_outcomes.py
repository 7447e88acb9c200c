"""How a delivery can end, word by word, and what can go wrong in a job function without hurting anybody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.engine.context import JobContext
from app.engine.outcomes import Cancel, Fail, Outcome, Retry, Snooze
from app.engine.results import RESULT_LIMIT
from app.kit.db import Database
from app.kit.tenant import current_tenant
from tests.support.deployment import Deployment
from tests.support.stage import Stage, open_stage


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened, opened.worker():
        yield opened


async def test_what_the_function_returns_is_the_result(stage: Stage) -> None:
    async def double(ctx: JobContext) -> Any:
        return {"doubled": ctx.input["n"] * 2, "attempt": ctx.attempt, "job": ctx.job_id}

    job_id = await stage.submit(stage.job("t.double", double), {"n": 21})
    ended = await stage.ended(job_id)
    assert ended["status"] == "done"
    assert ended["result"] == f'{{"job": "{job_id}", "attempt": 1, "doubled": 42}}'
    assert await stage.attempts(job_id) == ["success"]
    assert [event.type for event in await stage.told(job_id)] == ["started", "done"]


async def test_the_tenant_is_bound_while_the_function_runs(stage: Stage) -> None:
    async def who(ctx: JobContext) -> Any:
        async with ctx.session() as session:
            seen = await session.scalar(text("select current_setting('app.tenant', true)"))
        inside_a_task = await asyncio.create_task(asyncio.to_thread(current_tenant))
        return [current_tenant(), ctx.tenant_id, seen, inside_a_task]

    kind = stage.job("t.who", who)
    jobs = {tenant: await stage.submit(kind, tenant_id=tenant) for tenant in ("tenant-a", "tenant-b", "tenant-c")}
    for tenant, job_id in jobs.items():
        assert (await stage.ended(job_id))["result"] == f'["{tenant}", "{tenant}", "{tenant}", "{tenant}"]'


TRIED = ["retry", "retry", "failure"]
SEVERAL = BaseExceptionGroup("several", [SystemExit(3), ValueError("odd")])


@pytest.mark.parametrize(
    ("outcome", "status", "error", "attempts"),
    [
        (Fail("no_pages", "why"), "failed", ("no_pages", "why"), ["failure"]),
        (Cancel("superseded"), "cancelled", (None, "superseded"), ["cancelled"]),
        (Retry("busy", code="rate_limited"), "failed", ("rate_limited", "busy"), TRIED),
        (ValueError("odd"), "failed", ("unexpected_error", "ValueError: odd"), TRIED),
        (ConnectionResetError("gone"), "failed", ("transient", "ConnectionResetError: gone"), TRIED),
        (SystemExit(3), "failed", ("unexpected_error", "SystemExit: 3"), TRIED),
        (SEVERAL, "failed", ("unexpected_error", f"BaseExceptionGroup: {SEVERAL}"), TRIED),
        (
            asyncio.CancelledError(),
            "failed",
            ("unexpected_error", "The job function was cancelled from within."),
            TRIED,
        ),
        (Outcome("?"), "failed", ("unexpected_error", "Outcome is no outcome of ours."), TRIED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_each_word_has_its_end(
    stage: Stage, outcome: BaseException, status: str, error: tuple[str | None, str], attempts: list[str]
) -> None:
    async def say(_ctx: JobContext) -> Any:
        raise outcome

    job_id = await stage.submit(stage.job("t.say", say))
    ended = await stage.ended(job_id)
    assert (ended["status"], (ended["error"], ended["error_detail"])) == (status, error)
    assert await stage.attempts(job_id) == attempts


async def test_a_job_that_fails_and_then_works_is_done_with_its_history(stage: Stage) -> None:
    async def second_time_lucky(ctx: JobContext) -> Any:
        if ctx.failures < 2:
            raise Retry("not yet")
        return ctx.attempt

    job_id = await stage.submit(stage.job("t.lucky", second_time_lucky))
    ended = await stage.ended(job_id)
    assert (ended["status"], ended["result"], ended["failures"], ended["error"]) == ("done", "3", 2, None)
    assert await stage.attempts(job_id) == ["retry", "retry", "success"]
    assert [event.type for event in await stage.told(job_id)] == [
        *("started", "queued"),
        *("reset", "started", "queued"),
        *("reset", "started", "done"),
    ]


async def test_a_snooze_comes_back_on_time_and_costs_nothing(stage: Stage) -> None:
    async def snooze_once(ctx: JobContext) -> Any:
        if ctx.attempt == 1:
            raise Snooze(0.3, "too early")

    job_id = await stage.submit(stage.job("t.snooze", snooze_once, max_attempts=1))
    ended = await stage.ended(job_id)
    assert (ended["status"], ended["failures"]) == ("done", 0)
    assert await stage.attempts(job_id) == ["released", "success"]
    assert ended["begun_at"] >= ended["run_at"]


async def test_a_job_that_runs_too_long_is_stopped(stage: Stage) -> None:
    stopped = asyncio.Event()

    async def hang(_ctx: JobContext) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    job_id = await stage.submit(stage.job("t.hang", hang, timeout=0.1, max_attempts=1))
    ended = await stage.ended(job_id)
    assert (ended["status"], ended["error"]) == ("failed", "timeout")
    assert stopped.is_set()


async def test_a_time_out_of_the_function_s_own_is_not_the_job_s(stage: Stage) -> None:
    async def impatient(_ctx: JobContext) -> Any:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()

    ended = await stage.ended(await stage.submit(stage.job("t.impatient", impatient, max_attempts=1)))
    assert (ended["status"], ended["error"]) == ("failed", "transient")


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (object(), "result_not_json"),
        (1 << 70, "result_not_json"),
        ("\ud800", "result_not_json"),
        ("x" * RESULT_LIMIT, "result_too_large"),
        ("a\x00b", "result_not_storable"),
    ],
    ids=["an object", "a huge number", "a lone surrogate", "a large text", "a NUL"],
)
async def test_a_result_that_cannot_be_kept_fails_the_job_once(stage: Stage, result: Any, error: str) -> None:
    async def give(_ctx: JobContext) -> Any:
        return result

    job_id = await stage.submit(stage.job("t.give", give))
    ended = await stage.ended(job_id)
    assert (ended["status"], ended["error"], ended["result"]) == ("failed", error, None)
    assert await stage.attempts(job_id) == ["failure"]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * 5000], ids=["a NUL", "a lone surrogate", "a long text"])
async def test_an_error_that_cannot_be_kept_as_it_is_still_ends_the_job(stage: Stage, text: str) -> None:
    async def fail(_ctx: JobContext) -> Any:
        raise Fail("broken", text)

    ended = await stage.ended(await stage.submit(stage.job("t.fail", fail)))
    assert ended["status"] == "failed"
    assert len(ended["error_detail"]) <= 200


async def test_a_bad_end_leaves_the_ends_beside_it_alone(stage: Stage) -> None:
    gate = asyncio.Event()

    async def end_together(ctx: JobContext) -> Any:
        await gate.wait()
        return "a\x00b" if ctx.input == 2 else ctx.input

    kind = stage.job("t.together", end_together)
    jobs = [await stage.submit(kind, number) for number in range(5)]
    for job_id in jobs:
        await stage.reaches(job_id, status="processing")
    gate.set()
    assert [(await stage.ended(job_id))["status"] for job_id in jobs] == ["done", "done", "failed", "done", "done"]


async def test_progress_lands_in_the_row_and_in_the_events(stage: Stage) -> None:
    gate = asyncio.Event()

    async def work(ctx: JobContext) -> Any:
        await ctx.progress(10, "reading")
        await ctx.progress(250, "half-way")
        await gate.wait()

    job_id = await stage.submit(stage.job("t.work", work))
    noted = await stage.reaches(job_id, progress=100)
    assert (noted["step"], noted["status"]) == ("half-way", "processing")
    gate.set()
    await stage.ended(job_id)
    told = [
        (event.data["progress"], event.data["step"]) for event in await stage.told(job_id) if event.type == "progress"
    ]
    assert told == [(10, "reading"), (100, "half-way")]


async def test_everything_has_come_to_rest(stage: Stage) -> None:
    await stage.is_quiet()
