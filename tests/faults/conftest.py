"""One deployment for all faults, on durable servers of its own: what the faults strike, and what survives them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from app.core.migrate import migrate
from tests.support.deployment import make_deployment
from tests.support.fleet import Fleet
from tests.support.history import Report
from tests.support.scene import Scene
from tests.support.witness import ENTRANCE, make_table

REPORTS: dict[str, list[Report]] = {}


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("faults")
    postgres, redis_server = EmbeddedPostgres(folder / "postgres"), EmbeddedRedis(folder / "redis")
    try:
        await asyncio.gather(asyncio.to_thread(postgres.start), asyncio.to_thread(redis_server.start))
        postgres.create_database("struck")
        migrate(postgres.url("struck"))
        await make_table(postgres.url("struck"))
        async with _open(postgres, redis_server, folder) as opened:
            yield opened
    finally:
        postgres.stop()
        redis_server.stop()


@asynccontextmanager
async def _open(postgres: EmbeddedPostgres, redis_server: EmbeddedRedis, folder: Path) -> AsyncIterator[Scene]:
    """The API and two workers of `chat`, which every fault has to leave alive."""
    deployment = await asyncio.to_thread(make_deployment, postgres.url("struck"), redis_server.url(0))
    history = folder / "history.jsonl"
    variables: dict[str, Any] = {"WITNESS_HISTORY": str(history), "CHAT_CONCURRENCY": "4"}
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(asyncpg.create_pool(deployment.database_url, min_size=0, max_size=3))
        fleet = Fleet(deployment, ledger, folder, entrance=ENTRANCE)
        opening = [fleet.worker("chat", **variables), fleet.worker("chat", **variables)]
        workers = await asyncio.gather(*(each.__aenter__() for each in opening))
        for each in opening:
            stack.push_async_exit(each.__aexit__)
        api, client = await stack.enter_async_context(fleet.api())
        yield Scene(fleet, postgres, redis_server, client, [api, *workers], history, REPORTS)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the trials have shown, in a table for docs/RELIABILITY.md."""
    if not REPORTS:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(f"{'fault':40} trials   jobs   runs   lost  taken back  zombies  poisoned  violations")
    for fault, reports in REPORTS.items():
        total = sum(reports, Report())
        terminalreporter.write_line(
            f"{fault:40} {len(reports):6} {total.jobs:6} {total.runs:6} {total.lost:6} {total.taken_back:11} "
            f"{total.zombies:8} {total.poisoned:9} {len(total.violations):11}"
        )
