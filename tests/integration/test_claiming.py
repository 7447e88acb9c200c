"""Claims ahead of time: how much, for how long, and what becomes of what did not begin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.engine import claiming
from app.engine.claiming import AHEAD, Claims
from app.engine.context import JobContext
from app.engine.dispatch import member_of
from app.engine.finishing import Finisher
from app.engine.ledger.rows import Due, Hint
from app.kit.db import Database
from app.kit.ids import uuid7
from tests.support.deployment import Deployment
from tests.support.stage import Stage, open_stage, unread_metrics

SLOTS = 10


@pytest_asyncio.fixture(loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        await opened.redis.flushdb()
        yield opened


@pytest.fixture
def claims(stage: Stage) -> Claims:
    metrics = unread_metrics(stage.queue)
    finisher = Finisher(stage.queue, stage.database, stage.dispatcher, stage.events, metrics=metrics)
    return Claims(stage.dispatcher, finisher, lease=60.0, metrics=metrics, on_forgotten=lambda: None)


async def waiting(stage: Stage, count: int) -> list[Hint]:
    dues = [Due(Hint(uuid7(), 1), "demo", bulk=False, priority=0, run_at=None) for _ in range(count)]
    await stage.dispatcher.enqueue(dues)
    return [due.hint for due in dues]


async def short_jobs_ended(claims: Claims, count: int = 1000) -> None:
    """As after so many runs within a moment."""
    await asyncio.sleep(AHEAD)
    for _ in range(count):
        claims.slot_freed()


async def test_while_short_jobs_wait_the_next_are_fetched_before_a_slot_is_free(stage: Stage, claims: Claims) -> None:
    hints = await waiting(stage, 3 * SLOTS)
    first = await claims.take(SLOTS)
    await short_jobs_ended(claims)
    claims.fetch_ahead(SLOTS)  # no more than there are slots
    assert first.hints + (await claims.take(4)).hints == hints[: SLOTS + 4]
    assert claims.members() == [member_of(hint) for hint in hints[SLOTS + 4 : 2 * SLOTS]]
    assert (await claims.take(SLOTS)).hints == hints[SLOTS + 4 : 2 * SLOTS]
    assert (await claims.take(SLOTS)).hints == hints[2 * SLOTS :]


async def test_each_part_is_fetched_while_the_one_before_it_begins(
    stage: Stage, claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints = await waiting(stage, 4 * SLOTS)
    await claims.take(SLOTS)
    await short_jobs_ended(claims, 100)
    for part in (1, 2, 3):
        claims.fetch_ahead(SLOTS)
        monkeypatch.setattr(claiming, "AHEAD", 60.0)  # all of it is within one moment
        await claims.let_go(older_than=60.0)  # waits for the fetch
        theirs = hints[part * SLOTS : (part + 1) * SLOTS]
        assert claims.members() == [member_of(hint) for hint in theirs]
        assert (await claims.take(SLOTS)).hints == theirs


async def test_nothing_is_fetched_ahead_of_long_jobs(stage: Stage, claims: Claims) -> None:
    await waiting(stage, 3 * SLOTS)
    await claims.take(SLOTS)
    await asyncio.sleep(2 * AHEAD)
    claims.slot_freed()  # one: the next will not be free within this moment
    claims.fetch_ahead(SLOTS)
    await claims.let_go(older_than=60.0)  # waits for a fetch, if there is one
    assert claims.members() == []


async def test_nothing_is_fetched_where_the_last_claim_found_the_end(stage: Stage, claims: Claims) -> None:
    await waiting(stage, SLOTS - 1)
    await claims.take(SLOTS)
    await short_jobs_ended(claims)
    await waiting(stage, SLOTS)
    claims.fetch_ahead(SLOTS)
    await claims.let_go(older_than=60.0)
    assert claims.members() == []


async def test_what_is_let_go_is_the_next_claim_s_at_once(stage: Stage, claims: Claims) -> None:
    hints = await waiting(stage, 3 * SLOTS)
    await claims.take(SLOTS)
    plain = [await stage.redis.enqueue_job("whoami", _job_id=f"plain-{number}") for number in range(2)]
    await short_jobs_ended(claims, 10_000)
    claims.fetch_ahead(3 * SLOTS)
    await claims.let_go()
    assert claims.members() == []
    others = await stage.dispatcher.claim(3 * SLOTS, 60.0)
    assert set(others.hints) == set(hints[SLOTS:])
    assert {(job.job_id, job.tries) for job in others.plain} == {(job.job_id, 1) for job in plain if job}


async def test_what_waited_too_long_here_is_let_go(
    stage: Stage, claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "STALE", 0.0)
    hints = await waiting(stage, 2 * SLOTS)
    await claims.take(SLOTS)
    await short_jobs_ended(claims)
    claims.fetch_ahead(SLOTS)
    assert (await claims.take(1)).hints == [min(hints[SLOTS:])]  # by a claim of its own, like anybody
    assert claims.members() == []


async def test_a_worker_that_is_drained_leaves_what_it_claimed_ahead_to_others(stage: Stage) -> None:
    going_on = asyncio.Event()

    async def wait(_ctx: JobContext) -> None:
        await going_on.wait()

    kind = stage.job("test.wait", wait)
    async with stage.worker(slots=1) as runtime:
        job_ids = [await stage.submit(kind) for _ in range(3)]
        await stage.reaches(job_ids[0], status="processing")
        runtime._claims._ahead = await stage.dispatcher.claim(2, 60.0)
        going_on.set()
        runtime.drain()
    async with stage.worker():
        assert {(await stage.ended(job_id))["status"] for job_id in job_ids} == {"done"}
    await stage.is_quiet()
