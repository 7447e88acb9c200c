"""A worker's lease on its jobs: one row in Postgres, renewed by a thread that no job can block."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg

from app.engine.ledger.heartbeat import WorkerCard, deregister, register, renew
from app.kit.backoff import Backoff
from app.kit.db import CONNECTION_LOST
from app.kit.ids import uuid7
from app.kit.logging import get_logger

RECONNECT = Backoff(first=0.2, cap=2.0)

log = get_logger(__name__)


class Lease:
    """Registers the worker and keeps its row alive until it is told to stop.

    A lease that ran out (the process was frozen, Postgres was away) is never renewed: rescue may have given the jobs
    away. The worker registers anew, and `on_lost(old, new)` runs in the worker's loop to adopt what is still its own.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        card: WorkerCard,
        *,
        seconds: float,
        heartbeat: float,
        load: Callable[[], int],
        on_lost: Callable[[UUID, UUID], None],
    ) -> None:
        self.worker_id = uuid7()
        self.seconds = seconds
        self.beat_at = self._renewed_at = time.monotonic()  # the thread's last sign of life, and its last success
        self._connect = connect
        self._card = card
        self._heartbeat = heartbeat
        self._load = load
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._registered: asyncio.Future[None] = self._loop.create_future()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    @property
    def held(self) -> bool:
        """Whether the worker is registered, and was so recently that its lease must still hold."""
        return self._registered.done() and time.monotonic() - self._renewed_at < self.seconds

    def lag(self) -> float:
        """Seconds by which the renewal is late."""
        return max(0.0, time.monotonic() - self._renewed_at - self._heartbeat)

    async def start(self) -> None:
        self._thread.start()
        await self._registered

    async def stop(self) -> None:
        """Give the lease up; the row goes, so that rescue need not wait for anything left behind."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join, 10.0)

    def _run(self) -> None:
        try:
            asyncio.run(self._keep())
        except Exception as error:  # a thread that died in silence would leave a worker without a lease
            log.exception("the lease thread ended")
            self._loop.call_soon_threadsafe(_settle, self._registered, error)

    async def _keep(self) -> None:
        tries = 0
        while not self._stop.is_set():
            try:
                connection = await self._connect()
                try:
                    await self._beat_on(connection)
                finally:
                    with contextlib.suppress(*CONNECTION_LOST):
                        await connection.close(timeout=2.0)
                tries = 0
            except Exception as error:
                # Only a start may fail. Later, whatever is wrong (a failover's read-only server, a grant that is gone)
                # may pass, and a worker whose lease nobody keeps would run jobs that others take away from it.
                if not self._registered.done() and not isinstance(error, CONNECTION_LOST):
                    raise
                tries += 1
                self.beat_at = time.monotonic()  # the thread does its part: that a server is away kills no worker
                log.warning("the lease cannot be renewed", error=str(error), worker_id=str(self.worker_id))
                await asyncio.sleep(RECONNECT.delay(tries))

    async def _beat_on(self, connection: asyncpg.Connection) -> None:
        if not self._registered.done():
            await register(connection, self.worker_id, self._card, self.seconds)
            self._loop.call_soon_threadsafe(_settle, self._registered)
        while True:
            if not await renew(connection, self.worker_id, self.seconds, self._load()):
                await self._register_anew(connection)
            self.beat_at = self._renewed_at = time.monotonic()
            # This thread's loop has nothing else to do, so it may simply block until the next beat or the stop.
            self._stop.wait(self._heartbeat)
            if self._stop.is_set():
                await deregister(connection, self.worker_id)
                return

    async def _register_anew(self, connection: asyncpg.Connection) -> None:
        old, new = self.worker_id, uuid7()
        await register(connection, new, self._card, self.seconds)
        self.worker_id = new
        log.warning("the lease ran out; registered anew", old=str(old), new=str(new))
        self._loop.call_soon_threadsafe(self._on_lost, old, new)


def _settle(future: asyncio.Future[None], error: Exception | None = None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
