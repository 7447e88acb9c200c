"""Live events: what happens to a job, as it happens, in a bounded Redis Stream per job.

They are news, not truth. Lifecycle events can always be told again from Postgres; when Redis is away they are simply
not told, and readers find out from the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from arq.connections import ArqRedis

from app.engine.dispatch import read_script
from app.kit import json
from app.kit.batching import Batcher
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

BELL = "homeroom:events"  # Pub/Sub crosses database numbers, so the channel carries the product's name
STREAM_LENGTH = 10_000
STREAM_LIFE_MS = 3_600_000
APART = 0.004  # seconds between two scripts of one process: no reader notices, and each costs as much as ten events
MAX_BATCH = 256  # events in one script: it holds Redis for a few milliseconds at most
PATIENCE = 2.0  # seconds that anybody waits for Redis to take news

TERMINAL_EVENTS = frozenset({"done", "failed", "cancelled"})

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one job, as it is written."""

    tenant_id: str
    job_id: UUID
    attempt: int
    type: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event as it is read: with its place in the stream."""

    id: str
    attempt: int
    type: str
    data: dict[str, Any]


class EventLog:
    """Writes and reads the streams."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._append = redis.register_script(read_script("append_events"))
        self._news: Batcher[Event, None] = Batcher(self._tell, max_batch=MAX_BATCH, apart=APART)

    async def append(self, events: Iterable[Event]) -> None:
        """Write these events, in one round trip; one that an earlier attempt tells too late is refused."""
        keys: list[str] = []
        told = list(events)
        job_ids = " ".join([str(event.job_id) for event in told])
        arguments: list[str | int | bytes] = [BELL, STREAM_LENGTH, STREAM_LIFE_MS, job_ids]
        for event in told:
            keys.append(_stream(event.tenant_id, event.job_id))
            arguments += (event.attempt, event.type, json.dumps(event.data) if event.data else b"{}")
        if keys:
            await self._append(keys=keys, args=arguments)

    def post(self, events: Iterable[Event]) -> None:
        """Tell the world, in order and in batches, without waiting for it."""
        for event in events:
            self._news.enqueue(event)

    async def tell(self, events: Iterable[Event]) -> None:
        """The same, and wait until it is told. Redis' absence passes: nothing that matters depends on it."""
        told = [self._news.enqueue(event) for event in events]
        if told:
            await asyncio.wait(told)

    async def drain(self) -> None:
        """Wait until all that was posted is told."""
        await self._news.drain()

    async def _tell(self, events: Sequence[Event]) -> list[None]:
        try:
            async with asyncio.timeout(PATIENCE):
                await self.append(events)
        except REDIS_AWAY as error:
            log.debug("events not told", error=str(error))
        return [None] * len(events)

    async def read(self, tenant_id: str, job_id: UUID, after: str = "-") -> list[StreamEvent]:
        """What the stream holds after this id."""
        start = after if after == "-" else f"({after}"
        entries = await self._redis.xrange(_stream(tenant_id, job_id), min=start)
        return [_read(entry_id, fields) for entry_id, fields in entries]


def _stream(tenant_id: str, job_id: UUID) -> str:
    return f"homeroom:events:{tenant_id}:{job_id}"


def _read(entry_id: bytes, fields: dict[bytes, bytes]) -> StreamEvent:
    return StreamEvent(
        entry_id.decode(), int(fields[b"attempt"]), fields[b"type"].decode(), json.loads(fields[b"data"])
    )


class EventBell:
    """One subscription per process that wakes whoever waits for news of a job; idle waiters cost Redis nothing."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def ringing(self) -> AsyncIterator[None]:
        self._task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextlib.contextmanager
    def waiting_for(self, job_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set at every piece of news about the job; the waiter clears it before it looks."""
        bell, key = asyncio.Event(), str(job_id)
        self._waiters[key].add(bell)
        try:
            yield bell
        finally:
            self._waiters[key].discard(bell)
            if not self._waiters[key]:
                del self._waiters[key]

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(BELL)
                    self._ring_all()  # news may have passed while nobody listened
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=10.0)
                        if message is not None:
                            self._ring(message["data"].decode())
            except REDIS_AWAY as error:
                log.debug("the event bell is silent", error=str(error))
                await asyncio.sleep(1.0)

    def _ring(self, job_ids: str) -> None:
        if not self._waiters:
            return
        for job_id in job_ids.split():
            for waiter in self._waiters.get(job_id, ()):
                waiter.set()

    def _ring_all(self) -> None:
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.set()
