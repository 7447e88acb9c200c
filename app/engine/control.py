"""What a worker hears and tells while its jobs run: cancels, pauses, progress, and the leases in Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from app.engine.dispatch import Dispatcher
from app.engine.ledger.begin import Delivery
from app.engine.ledger.cancel import cancel_requests
from app.engine.ledger.progress import Progress, note_progress
from app.engine.metrics import WorkerMetrics
from app.engine.permits import Permits
from app.kit.db import CONNECTION_LOST, Database
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

TICK = 0.5  # a cancel must stop an awaiting job within a second

log = get_logger(__name__)


class Control:
    """A worker's conversation with Postgres and Redis about what it runs, twice a second."""

    def __init__(
        self,
        queue: str,
        database: Database,
        dispatcher: Dispatcher,
        *,
        worker_id: Callable[[], UUID],
        held: Callable[[], Iterable[str]],
        running: Callable[[], bool],
        cancel: Callable[[set[UUID]], None],
        take_progress: Callable[[], dict[Delivery, Progress]],
        permits: Permits | None,
        metrics: WorkerMetrics,
        lease: float,
        heartbeat: float,
    ) -> None:
        self.paused = False
        self._queue = queue
        self._database = database
        self._dispatcher = dispatcher
        self._worker_id = worker_id
        self._held = held
        self._running = running
        self._cancel = cancel
        self._take_progress = take_progress
        self._permits = permits
        self._metrics = metrics
        self._lease = lease
        self._heartbeat = heartbeat
        self._extended_at = 0.0

    async def run(self) -> None:
        while True:
            try:
                await self._ask_postgres()
                await self._extend_leases()
            except (*CONNECTION_LOST, *REDIS_AWAY) as error:
                self._metrics.outage(error)
                log.debug("control waits for a server", error=str(error))
            except Exception:
                log.exception("a control tick failed; the next one goes on")
            await asyncio.sleep(TICK)

    async def _ask_postgres(self) -> None:
        async with self._database.ledger.acquire() as connection:
            paused = await connection.fetchval("select paused from queue_controls where queue = $1", self._queue)
            self.paused = bool(paused)
            if self._running():
                self._cancel(await cancel_requests(connection, self._worker_id(), self._queue))
            if moved := self._take_progress():
                await note_progress(connection, moved)

    async def _extend_leases(self) -> None:
        """Redis only hastens: were this late or lost, a second claim of a running job would be told to drop it."""
        if time.monotonic() - self._extended_at < self._heartbeat:
            return
        if members := list(self._held()):
            await self._dispatcher.extend(members, self._lease)
        if self._permits is not None:
            await self._permits.renew()
        self._extended_at = time.monotonic()
