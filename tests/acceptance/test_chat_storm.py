"""Many conversations while workers are killed and Redis forgets: every turn is answered, in order, once.

Small in `make test`. The full storm, 50 lanes of 20 turns with three workers and a kill every two seconds, is
`make storm`.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio
import redis.asyncio

from tests.support.chat import messages, model_environment, turn
from tests.support.deployment import Deployment
from tests.support.fleet import Fleet
from tests.support.provider import ScriptedProvider, Step, at_once, serve_provider
from tests.support.waiting import eventually

LANES = int(os.environ.get("STORM_LANES", "6"))
TURNS = int(os.environ.get("STORM_TURNS", "3"))
WORKERS = int(os.environ.get("STORM_WORKERS", "2"))
KILL_EVERY = float(os.environ.get("STORM_KILL_EVERY", "4"))
SLOTS = math.ceil(LANES / WORKERS)  # of each worker, so that all of them take part
PATIENCE = 60 + LANES * TURNS  # seconds until all of it is answered
TEXT = re.compile(r"\[\[(.+?)\]\] turn (\d+)$")


@pytest_asyncio.fixture(loop_scope="session")
async def provider(tmp_path: Path) -> AsyncIterator[ScriptedProvider]:
    async with serve_provider(log=tmp_path / "calls.log") as running:
        running.default = Step(first_delay=0.1, delay=0.02)
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def fleet(deployment: Deployment, tmp_path: Path) -> AsyncIterator[Fleet]:
    ledger = await asyncpg.create_pool(deployment.database_url, min_size=1, max_size=4)
    yield Fleet(deployment, ledger, tmp_path)
    await ledger.close()


@pytest.fixture
def tell(pytestconfig: pytest.Config, capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Onto the terminal, where there is one."""
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")

    def write(line: str) -> None:
        if reporter is not None:
            with capfd.disabled():
                reporter.write_line(f"\n{line}")

    return write


class Storm:
    """Workers that are replaced when they die, and what kills them."""

    def __init__(self, fleet: Fleet, environment: dict[str, str]) -> None:
        self._fleet = fleet
        self._environment = environment
        self._chance = random.Random(7)
        self._processes: list[asyncio.subprocess.Process] = []
        self.kills = 0

    @asynccontextmanager
    async def raging(self) -> AsyncIterator[None]:
        places = [asyncio.create_task(self._serve()) for _ in range(WORKERS)]
        killing = asyncio.create_task(self._kill())
        try:
            yield
        finally:
            for task in (killing, *places):
                task.cancel()
            await asyncio.gather(killing, *places, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            async with self._fleet.worker("chat", wait=False, **self._environment) as process:
                self._processes.append(process)
                try:
                    await process.wait()
                finally:
                    self._processes.remove(process)

    async def _kill(self) -> None:
        """First one that is in the middle of turns, then any of them, whatever it is at: starting, idle or busy."""
        victim = await eventually(self._busy, within=PATIENCE, what="a worker with turns in its hands")
        while True:
            if victim is not None:
                victim.kill()
                self.kills += 1
            await asyncio.sleep(KILL_EVERY)
            alive = [process for process in self._processes if process.returncode is None]
            victim = self._chance.choice(alive) if alive else None

    async def _busy(self) -> asyncio.subprocess.Process | None:
        pids = {row["pid"] for row in await self._fleet.ledger.fetch(_BUSY)}
        return next((process for process in self._processes if process.pid in pids), None)


def lane_of(number: int) -> str:
    return f"student:storm-{number}:main"


async def converse(api: httpx.AsyncClient, number: int, jobs: list[UUID]) -> None:
    """All turns of one lane, as fast as it takes them."""
    for index in range(1, TURNS + 1):
        text = f"[[{lane_of(number)}]] turn {index}"
        body = turn(text, student=f"storm-{number}", request_id=f"storm-{number}-{index}")
        while (answer := await api.post("/v1/chat", json=body)).status_code == 429:
            assert answer.json()["code"] == "lane_full"
            await asyncio.sleep(float(answer.headers["Retry-After"]))
        assert answer.status_code == 202, answer.text
        jobs.append(UUID(answer.json()["job_id"]))


async def test_every_turn_is_answered_in_order_and_once(
    api: httpx.AsyncClient,
    fleet: Fleet,
    provider: ScriptedProvider,
    tell: Callable[[str], None],
    tmp_path: Path,
) -> None:
    limits = '{"llm_total": 1000, "llm_student": 1000}'
    await fleet.ledger.execute("update tenants set limits = $1::jsonb where tenant_id = 'demo'", limits)
    jobs: list[UUID] = []
    storm = Storm(fleet, model_environment(provider) | {"CHAT_CONCURRENCY": str(SLOTS)})
    began = time.monotonic()
    async with storm.raging():
        talking = [asyncio.create_task(converse(api, number, jobs)) for number in range(LANES)]
        await forget_amid(fleet, jobs)
        await asyncio.gather(*talking)
        assert len(set(jobs)) == LANES * TURNS
        ended = await fleet.all_ended(jobs, within=PATIENCE)
        seconds = time.monotonic() - began
    losses = await fleet.ledger.fetchrow("select sum(losses) as lost, max(losses) as most from jobs")
    tell(
        f"{ended.total()} turns in {seconds:.0f} s, {storm.kills} kills: {losses['lost']} deliveries lost, "
        f"{losses['most']} of one turn at most; {len(provider.calls)} calls of the model"
    )
    assert ended == {"done": LANES * TURNS}
    assert await fleet.successes(jobs) == {1: LANES * TURNS}
    assert storm.kills > 0
    assert losses["lost"] > 0, "no kill met a turn that was being answered"
    await assert_said(api)
    assert_called(provider, at_once(tmp_path / "calls.log"))


async def forget_amid(fleet: Fleet, jobs: list[UUID]) -> None:
    """FLUSHALL, when half of the turns are there and work is going on."""

    async def amid() -> bool:
        return len(jobs) >= LANES * TURNS / 2 and await fleet.processing(jobs) > 0

    await eventually(amid, within=PATIENCE, what="the middle of the storm")
    client = redis.asyncio.Redis.from_url(fleet.deployment.redis_url)
    try:
        await client.flushall()
    finally:
        await client.aclose()


async def assert_said(api: httpx.AsyncClient) -> None:
    """The history: each question once, and after it its own answer, once and whole."""
    for number in range(LANES):
        lane = lane_of(number)
        said = [(each["turn"], each["role"], each["content"]) for each in await messages(api, lane)]
        expected: list[tuple[Any, ...]] = []
        for index in range(1, TURNS + 1):
            text = f"[[{lane}]] turn {index}"
            expected += [(index, "user", text), (index, "assistant", f"You said: {text}")]
        assert said == expected


def assert_called(provider: ScriptedProvider, most_at_once: dict[str, int]) -> None:
    """What the model saw: of a lane never two calls at once, and never a turn before an earlier one was through."""
    assert {lane: most_at_once[lane] for lane in map(lane_of, range(LANES))} == dict.fromkeys(
        map(lane_of, range(LANES)), 1
    )
    turns: dict[str, list[int]] = defaultdict(list)
    for call in provider.calls:
        found = TEXT.search(call.messages[-1]["content"])
        assert found is not None, call.messages[-1]
        turns[found[1]].append(int(found[2]))
    for lane, order in turns.items():
        assert order == sorted(order), lane


_BUSY = "select distinct w.pid from jobs j join workers w using (worker_id) where j.status = 'processing'"
