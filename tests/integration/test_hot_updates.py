"""What is written again and again while a job runs goes into no index: Postgres counts it as heap-only."""

from __future__ import annotations

from typing import Any

import asyncpg

from app.engine.ledger.heartbeat import renew
from app.engine.ledger.progress import Progress, note_progress
from tests.support.jobs import begun, live_worker, queued

TIMES = 50


async def updates(ledger: asyncpg.Connection, table: str) -> tuple[int, int]:
    """All updates of a table so far, and those of them that touched no index."""
    await ledger.execute("select pg_stat_force_next_flush()")
    found: Any = await ledger.fetchrow(
        "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = $1", table
    )
    return found["n_tup_upd"], found["n_tup_hot_upd"]


async def test_progress_touches_no_index(ledger: asyncpg.Connection) -> None:
    worker = await live_worker(ledger)
    delivery = await begun(ledger, await queued(ledger), worker)
    all_before, hot_before = await updates(ledger, "jobs")
    for percent in range(TIMES):
        await note_progress(ledger, {delivery: Progress(percent, f"page {percent}")})
    all_after, hot_after = await updates(ledger, "jobs")
    assert all_after - all_before >= TIMES
    assert hot_after - hot_before >= 0.9 * TIMES  # a full page sends one on to the next, and through the indexes


async def test_heartbeats_touch_no_index(ledger: asyncpg.Connection) -> None:
    worker = await live_worker(ledger)
    all_before, hot_before = await updates(ledger, "workers")
    for load in range(TIMES):
        assert await renew(ledger, worker, 600.0, load)
    all_after, hot_after = await updates(ledger, "workers")
    assert all_after - all_before >= TIMES
    assert hot_after - hot_before >= 0.9 * TIMES
