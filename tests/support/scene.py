"""Servers and processes that a test may strike, a client that keeps them busy, and the judgement afterwards."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import redis.asyncio

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from app.engine.dispatch import LEASES_KEY
from app.kit.db import CONNECTION_LOST
from app.kit.ids import uuid7
from tests.support.fleet import Fleet
from tests.support.history import Accepted, Attempt, Fact, Line, Report, check, read_lines
from tests.support.waiting import eventually

QUEUES = {"base": 1, "chat": 3, "exam": 4, "assignment": 5, "profile": 6}
BATCH = 6
ROOM = 5 * BATCH
PATIENCE = 120.0

_numbers = itertools.count(1)


@dataclass
class Load:
    """What one trial has submitted so far, by its client's own account."""

    queue: str
    accepted: list[Accepted] = field(default_factory=list)
    until: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def jobs(self) -> list[UUID]:
        return [UUID(each.job_id) for each in self.accepted]


@dataclass
class Scene:
    """One deployment on servers of its own."""

    fleet: Fleet
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    api: httpx.AsyncClient
    crew: Sequence[asyncio.subprocess.Process]  # the API and two workers of `chat`, which outlive every fault
    history: Path
    reports: dict[str, list[Report]] = field(default_factory=dict)  # by fault

    def environment(self) -> dict[str, Any]:
        """What lets a process of the fleet write its lines."""
        return {"WITNESS_HISTORY": str(self.history)}

    def lines(self) -> list[Line]:
        return read_lines(self.history)

    @asynccontextmanager
    async def load(self, queue: str = "chat", *, seconds: float = 0.1) -> AsyncIterator[Load]:
        """Jobs of every sort, more and more of them for as long as the block lasts."""
        load = Load(queue)
        feeding = asyncio.create_task(self._feed(load, f"trial-{next(_numbers)}", seconds))
        try:
            yield load
        finally:
            load.until.set()
            await feeding

    async def _feed(self, load: Load, trial: str, seconds: float) -> None:
        for number in itertools.count():
            places = range(number * BATCH, (number + 1) * BATCH)
            await self.offer(load, [_item(load.queue, trial, place, seconds) for place in places])
            if load.until.is_set():
                return
            await eventually(lambda: self._has_room(load), within=PATIENCE, what="room for more jobs")

    async def _has_room(self, load: Load) -> bool:
        """Enough waits already, as long as the load is to go on."""
        return load.until.is_set() or len(load.jobs) - await self._ended(load) < ROOM

    async def _ended(self, load: Load) -> int:
        try:
            statuses = await self.fleet.statuses(load.jobs)
        except CONNECTION_LOST:
            return 0
        return statuses.total() - statuses["queued"] - statuses["processing"]

    async def offer(self, load: Load, items: Sequence[dict[str, object]]) -> list[UUID]:
        """Submit these, again and again under the same keys until they are accepted."""
        while True:
            try:
                answer = await self.api.post("/v1/jobs/bulk", json={"jobs": items})
            except httpx.TransportError:
                continue
            if answer.status_code == 202:
                break
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.1)
        fresh = [
            Accepted(str(item["idempotency_key"]), each["job"]["job_id"])
            for item, each in zip(items, answer.json()["data"], strict=True)
        ]
        load.accepted += fresh
        return [UUID(each.job_id) for each in fresh]

    async def amid(self, load: Load, *, processing: int = 2) -> int:
        """Wait until there is work for a fault to spoil: jobs that run, and jobs that wait. How many run."""

        async def busy() -> int:
            statuses = await self.fleet.statuses(load.jobs)
            return statuses["processing"] if statuses["processing"] >= processing and statuses["queued"] else 0

        return await eventually(busy, within=PATIENCE, what="work to spoil")

    async def judge(self, fault: str, load: Load) -> Report:
        """Wait until all is idle again, and hold the history against what is stored."""
        await self.fleet.all_ended(load.jobs, within=PATIENCE)
        left = await self._left(load.queue)
        report = check(load.accepted, self.lines(), await self._facts(load), left)
        self.reports.setdefault(fault, []).append(report)
        assert report.violations == []
        return report

    def unharmed(self) -> bool:
        """Whether every process of the crew has ridden out what came."""
        return all(process.returncode is None for process in self.crew)

    async def _left(self, queue: str) -> dict[str, int]:
        """What Redis still holds once nobody does anything, after the time in which that has to go."""
        async with (
            redis.asyncio.Redis.from_url(self.redis.url(QUEUES[queue])) as own,
            redis.asyncio.Redis.from_url(self.redis.url(0)) as shared,
        ):

            async def held() -> dict[str, int]:
                now = 1000 * (await shared.time())[0]
                permits = await shared.zcount("homeroom:permits:demo:llm_total", now, "+inf")
                return {"leases": await own.zcard(LEASES_KEY), "permits": permits}

            async def nothing() -> bool:
                return not any((await held()).values())

            try:
                await eventually(nothing, what="an idle Redis")
            except AssertionError:
                return await held()
        return {}

    async def _facts(self, load: Load) -> dict[str, Fact]:
        facts = {row["job_id"]: Fact(**row) for row in await self.fleet.ledger.fetch(_FACTS, load.jobs)}
        for row in await self.fleet.ledger.fetch(_ATTEMPTS, load.jobs):
            facts[row["job_id"]].attempts.append(Attempt(row["attempt"], row["token"], row["status"], row["at"]))
        for row in await self.fleet.ledger.fetch(_ROWS, [str(job) for job in load.jobs]):
            facts[row["job_id"]].rows.append((row["attempt"], row["token"]))
        return facts

    async def kill_postgres(self) -> None:
        """Every process of the server at once, so that none of them can flush a last word; then start it again."""
        assert self.postgres.pid is not None
        leader = psutil.Process(self.postgres.pid)
        everyone = [leader, *leader.children()]
        for process in everyone:
            process.suspend()
        for process in everyone:
            process.kill()
        await self.restart(self.postgres)

    async def restart(self, server: EmbeddedPostgres | EmbeddedRedis, *, after: float = 0.0) -> None:
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(after)
        await asyncio.to_thread(server.start)


def item(queue: str, *, kind: str = "run", lane: str | None = None, **deed: object) -> dict[str, object]:
    """One job of a bulk request, with a key of its own."""
    job: dict[str, object] = {"kind": f"witness.{kind}", "queue": queue, "input": deed, "idempotency_key": str(uuid7())}
    return job if lane is None else job | {"lane": lane}


def _item(queue: str, trial: str, number: int, seconds: float) -> dict[str, object]:
    """Of each six: two of lanes, one that fails once, one that needs a permit, one with a transaction of its own."""
    match number % BATCH:
        case 0 | 1 as lane:
            return item(queue, lane=f"{trial}-{lane}", seconds=seconds / 2)
        case 2:
            return item(queue, ends="retry", seconds=seconds)
        case 3:
            return item(queue, kind="permitted", seconds=seconds)
        case 4:
            return item(queue, ends="own", seconds=seconds)
        case _:
            return item(queue, seconds=seconds)


_FACTS = """
select job_id::text, status, lane_id as lane, coalesce(lane_seq, 0) as lane_seq, retries, error
from jobs where job_id = any($1::uuid[])
"""

_ATTEMPTS = """
select job_id::text, attempt, claim_token::text as token, status, extract(epoch from finished_at)::float8 as at
from job_attempts where job_id = any($1::uuid[]) order by job_id, attempt
"""

_ROWS = "select job_id, attempt, token from witnessed where job_id = any($1::text[])"
