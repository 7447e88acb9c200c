"""`ctx.complete`: the result, the tenant's rows and the outbox effect commit together, or none of them does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.engine.context import JobContext
from app.engine.ledger.cancel import cancel
from app.engine.outcomes import Fail, Retry
from app.engine.results import RESULT_LIMIT
from app.kit.db import Database
from app.kit.errors import StaleAttempt
from tests.support.deployment import Deployment
from tests.support.stage import Stage, open_stage
from tests.support.waiting import eventually


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened, opened.worker():
        yield opened


async def write(session: AsyncSession, key: str) -> None:
    """The domain row of these tests: an idempotency key, which a tenant's session may write."""
    await session.execute(
        text(
            "insert into idempotency_keys (tenant_id, key, fingerprint, job_id) "
            "values (current_setting('app.tenant'), :key, '', gen_random_uuid())"
        ),
        {"key": key},
    )


async def written(stage: Stage, key: str) -> tuple[int, int]:
    """(domain rows, outbox effects) under this name."""
    async with stage.database.ledger.acquire() as connection:
        return (
            await connection.fetchval("select count(*) from idempotency_keys where key = $1", key),
            await connection.fetchval("select count(*) from outbox where topic = $1", key),
        )


async def test_result_rows_and_effect_commit_together(stage: Stage) -> None:
    async def confirm(ctx: JobContext) -> Any:
        async with ctx.complete({"exam_id": 7}) as session:
            await write(session, "together")
            await ctx.emit(session, "together", {"a": 1})
        return "what comes after the commit changes nothing"

    job_id = await stage.submit(stage.job("t.together", confirm))
    ended = await stage.ended(job_id)
    assert (ended["status"], ended["result"], ended["progress"]) == ("done", '{"exam_id": 7}', 100)
    assert await written(stage, "together") == (1, 1)
    assert await stage.attempts(job_id) == ["success"]

    async def told() -> bool:
        return [event.type for event in await stage.told(job_id)] == ["started", "done"]

    await eventually(told, what="the done event")
    await stage.is_quiet()


@pytest.mark.parametrize("error", [Retry("not now"), ValueError("odd")], ids=lambda error: type(error).__name__)
async def test_an_exception_in_the_block_undoes_all_of_it_and_the_job_runs_again(
    stage: Stage, error: Exception
) -> None:
    key = f"undone-{type(error).__name__}"

    async def fail_at_first(ctx: JobContext) -> Any:
        async with ctx.complete(ctx.attempt) as session:
            await write(session, key)
            await ctx.emit(session, key, {})
            if ctx.attempt == 1:
                raise error

    job_id = await stage.submit(stage.job("t.fail_at_first", fail_at_first))
    assert (await stage.ended(job_id))["result"] == "2"
    assert await stage.attempts(job_id) == ["retry", "success"]
    assert await written(stage, key) == (1, 1)


async def test_a_final_failure_in_the_block_writes_nothing_but_itself(stage: Stage) -> None:
    async def give_up(ctx: JobContext) -> Any:
        async with ctx.complete() as session:
            await write(session, "given up")
            raise Fail("no_pages", "why")

    ended = await stage.ended(await stage.submit(stage.job("t.give_up", give_up)))
    assert (ended["status"], ended["error"]) == ("failed", "no_pages")
    assert await written(stage, "given up") == (0, 0)


async def test_an_error_of_the_database_undoes_all_of_it(stage: Stage) -> None:
    async def twice(ctx: JobContext) -> Any:
        async with ctx.complete() as session:
            await write(session, "twice")
            await write(session, "twice")

    job_id = await stage.submit(stage.job("t.twice", twice, max_attempts=2))
    ended = await stage.ended(job_id)
    assert (ended["status"], ended["error"]) == ("failed", "unexpected_error")
    assert await written(stage, "twice") == (0, 0)


async def test_what_fails_after_the_commit_is_no_failure_of_the_job(stage: Stage) -> None:
    async def stumble(ctx: JobContext) -> Any:
        async with ctx.complete("kept"):
            pass
        raise ValueError("too late to matter")

    job_id = await stage.submit(stage.job("t.stumble", stumble))
    assert (await stage.ended(job_id))["result"] == '"kept"'
    await stage.is_quiet()
    assert await stage.attempts(job_id) == ["success"]


async def rescued_by_another(stage: Stage, job_id: UUID) -> None:
    """As rescue and a second begin leave the row."""
    await stage.execute(
        "update jobs set attempt = 2, claim_token = gen_random_uuid(), worker_id = gen_random_uuid() where job_id = $1",
        job_id,
    )


async def test_a_stale_attempt_writes_nothing_and_is_told_so(stage: Stage) -> None:
    begun, stolen = asyncio.Event(), asyncio.Event()
    raised: list[BaseException] = []

    async def zombie(ctx: JobContext) -> Any:
        begun.set()
        await stolen.wait()
        try:
            async with ctx.complete("a zombie's") as session:
                await write(session, "zombie")
        except StaleAttempt as error:
            raised.append(error)
            raise

    job_id = await stage.submit(stage.job("t.zombie", zombie))
    await begun.wait()
    await rescued_by_another(stage, job_id)
    stolen.set()
    await stage.is_quiet()
    stored = await stage.row(job_id)
    assert (stored["status"], stored["result"], stored["attempt"]) == ("processing", None, 2)
    assert raised
    assert await written(stage, "zombie") == (0, 0)
    assert await stage.attempts(job_id) == []
    await stage.execute("update jobs set status = 'failed' where job_id = $1", job_id)


async def test_a_job_that_was_cancelled_before_its_completion_writes_nothing(stage: Stage) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def late(ctx: JobContext) -> Any:
        begun.set()
        await gate.wait()
        async with ctx.complete() as session:
            await write(session, "late")

    job_id = await stage.submit(stage.job("t.late", late))
    await begun.wait()
    async with stage.database.ledger.acquire() as connection:
        await cancel(connection, "demo", job_id)
    assert (await stage.ended(job_id))["status"] == "cancelled"
    gate.set()
    assert await written(stage, "late") == (0, 0)


async def test_a_job_cannot_write_for_another_tenant(stage: Stage) -> None:
    async def trespass(ctx: JobContext) -> Any:
        async with ctx.complete() as session:
            await session.execute(
                text(
                    "insert into idempotency_keys (tenant_id, key, fingerprint, job_id) "
                    "values ('somebody-else', 'trespass', '', gen_random_uuid())"
                )
            )

    ended = await stage.ended(await stage.submit(stage.job("t.trespass", trespass, max_attempts=1)))
    assert ended["status"] == "failed"
    assert "row-level security" in ended["error_detail"]
    assert await written(stage, "trespass") == (0, 0)


@pytest.mark.parametrize(
    ("result", "error"),
    [(object(), "result_not_json"), ("x" * RESULT_LIMIT, "result_too_large"), ("\x00", "result_not_storable")],
    ids=["an object", "a large text", "a NUL"],
)
async def test_a_result_that_cannot_be_kept_fails_the_job_once_and_undoes_the_block(
    stage: Stage, result: Any, error: str
) -> None:
    async def give(ctx: JobContext) -> Any:
        async with ctx.complete(result) as session:
            await write(session, error)

    job_id = await stage.submit(stage.job("t.give", give))
    ended = await stage.ended(job_id)
    assert (ended["status"], ended["error"]) == ("failed", error)
    assert await stage.attempts(job_id) == ["failure"]
    assert await written(stage, error) == (0, 0)


async def test_a_second_completion_is_stale(stage: Stage) -> None:
    async def both(ctx: JobContext) -> Any:
        async with ctx.complete("first"):
            pass
        async with ctx.complete("second") as session:
            await write(session, "second")

    job_id = await stage.submit(stage.job("t.both", both))
    assert (await stage.ended(job_id))["result"] == '"first"'
    await stage.is_quiet()
    assert await written(stage, "second") == (0, 0)


async def test_a_completion_that_failed_to_commit_can_still_be_stopped(stage: Stage) -> None:
    """The shield against cancels stands only while the end is under way."""
    failed = asyncio.Event()

    async def commit_badly(ctx: JobContext) -> Any:
        try:
            async with ctx.complete("\x00"):
                pass
        except Fail:
            failed.set()
            await asyncio.Event().wait()

    job_id = await stage.submit(stage.job("t.badly", commit_badly))
    await asyncio.wait_for(failed.wait(), 10)
    async with stage.database.ledger.acquire() as connection:
        await cancel(connection, "demo", job_id)
    assert (await stage.ended(job_id, within=5.0))["status"] == "cancelled"
