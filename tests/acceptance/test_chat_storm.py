"""Many conversations while workers are killed and Redis forgets: every turn is answered, in order, once.

Small in `make test`. The full storm, 50 lanes of 20 turns with three workers and a kill every two seconds, is
`make storm`.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
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


class Storm:
    """Workers that are replaced when they die, and what kills them."""

    def __init__(self, fleet: Fleet, environment: dict[str, str]) -> None:
        self._fleet = fleet
        self._environment = environment
        self._chance = random.Random(7)
        self._alive: list[asyncio.subprocess.Process] = []
        self.kills = 0

    @asynccontextmanager
    async def raging(self, jobs: list[UUID]) -> AsyncIterator[None]:
        places = [asyncio.create_task(self._serve()) for _ in range(WORKERS)]
        killing = asyncio.create_task(self._kill(jobs))
        try:
            yield
        finally:
            for task in (killing, *places):
                task.cancel()
            await asyncio.gather(killing, *places, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            async with self._fleet.worker("chat", wait=True, **self._environment) as process:
                self._alive.append(process)
                try:
                    await process.wait()
                finally:
                    self._alive.remove(process)

    async def _kill(self, jobs: list[UUID]) -> None:
        while True:
            await eventually(lambda: self._fleet.processing(jobs), within=PATIENCE, what="turns to spoil")
            if self._alive:
                self._chance.choice(self._alive).kill()
                self.kills += 1
            await asyncio.sleep(KILL_EVERY)


def lane_of(number: int) -> str:
    return f"student:storm-{number}:main"


async def converse(api: httpx.AsyncClient, number: int, jobs: list[UUID]) -> None:
    """All turns of one lane, as fast as it takes them."""
    for index in range(1, TURNS + 1):
        text = f"[[{lane_of(number)}]] turn {index}"
        body = turn(text, student=f"storm-{number}", request_id=f"storm-{number}-{index}")
        while (answer := await api.post("/v1/chat", json=body)).status_code == 429:
            assert answer.json()["code"] == "lane_full"
            await asyncio.sleep(0.2)
        assert answer.status_code == 202, answer.text
        jobs.append(UUID(answer.json()["job_id"]))


async def test_every_turn_is_answered_in_order_and_once(
    api: httpx.AsyncClient, fleet: Fleet, provider: ScriptedProvider, tmp_path: Path
) -> None:
    limits = '{"llm_total": 1000, "llm_student": 1000}'
    await fleet.ledger.execute("update tenants set limits = $1::jsonb where tenant_id = 'demo'", limits)
    jobs: list[UUID] = []
    storm = Storm(fleet, model_environment(provider))
    async with storm.raging(jobs):
        talking = [asyncio.create_task(converse(api, number, jobs)) for number in range(LANES)]
        await forget_amid(fleet, jobs)
        await asyncio.gather(*talking)
        assert len(set(jobs)) == LANES * TURNS
        await fleet.all_ended(jobs, within=PATIENCE)
    await answer_the_poisoned(fleet, api, storm, provider)
    assert await fleet.statuses(jobs) == {"done": LANES * TURNS}
    assert await fleet.successes(jobs) == {1: LANES * TURNS}
    lost = await fleet.ledger.fetchval("select count(*) from job_attempts where status = 'lost'")
    assert storm.kills > 0
    assert lost > 0, "no kill met a turn that was being answered"
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


async def answer_the_poisoned(fleet: Fleet, api: httpx.AsyncClient, storm: Storm, provider: ScriptedProvider) -> None:
    """A turn under which three workers in a row were killed has failed as it should; a person tries it again."""
    rows = await fleet.ledger.fetch("select job_id, error, losses from jobs where status = 'failed'")
    assert all(row["error"] == "poisoned" and row["losses"] >= 3 for row in rows), rows
    assert len(rows) <= storm.kills  # a suspect runs alone, so that a kill takes no more than one of them
    if rows:
        async with fleet.worker("chat", wait=True, **model_environment(provider)):
            for row in rows:
                await api.post(f"/v1/jobs/{row['job_id']}/retry")
            await fleet.all_ended([row["job_id"] for row in rows])


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
