"""The worker: a subclass of `arq.Worker` that runs plain ARQ jobs as ARQ does, and ledgered jobs as the ledger decides.

One round of the loop claims as many jobs as there are free slots in one Lua call, begins all of them in one statement,
and starts a task for each. Losing Redis or Postgres never ends the process: it backs off and goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from arq.connections import ArqRedis

from app.engine.beginning import Beginner
from app.engine.control import Control
from app.engine.dispatch import Dispatcher, member_of
from app.engine.events import Event, EventLog
from app.engine.execute import Stop
from app.engine.finishing import Finisher
from app.engine.inflight import InFlight, Runnable
from app.engine.lease import Lease
from app.engine.ledger.begin import Begun, Verdict
from app.engine.ledger.heartbeat import WorkerCard
from app.engine.ledger.rows import Hint
from app.engine.plain import PlainWorker
from app.engine.reconcile import Reconciler
from app.kit.backoff import Backoff
from app.kit.db import CONNECTION_LOST, Database
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

RECONNECT = Backoff(first=0.1, cap=2.0)
IDLE_WAIT = 1.0  # seconds that one blocking read may last; deferred jobs shorten it
LAST_WORDS = 10.0  # seconds in which a draining worker may still write its ends

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    slots: int
    grace: float
    lease: float
    heartbeat: float
    host: str
    version: str
    only_tenant: str | None = None
    scan_on_start: bool = True


class Runtime(PlainWorker):
    """One worker process of one queue."""

    def __init__(
        self,
        queue: str,
        runnables: Mapping[str, Runnable],
        functions: Sequence[Any],
        *,
        database: Database,
        redis: ArqRedis,
        events: EventLog,
        options: RuntimeOptions,
        errands: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
    ) -> None:
        super().__init__(
            functions,
            redis_pool=redis,
            queue_name=redis.default_queue_name,
            job_serializer=redis.job_serializer,
            job_deserializer=redis.job_deserializer,
            max_jobs=options.slots,
            health_check_interval=60,
        )
        self.queue = queue
        self.dispatcher = Dispatcher(redis)
        self._events = events
        self._options = options
        self._errands = errands
        self._suspects: deque[Hint] = deque()  # begun only when nothing else runs here
        self._room_changed = asyncio.Event()
        self._draining = asyncio.Event()
        self._inflight = InFlight(
            runnables,
            database,
            events,
            self.dispatcher,
            Finisher(queue, database, self.dispatcher, events),
            on_room=self._room_changed.set,
        )
        card = WorkerCard(queue, options.host, os.getpid(), options.version, options.slots)
        self._lease = Lease(
            database.connect_ledger,
            card,
            seconds=options.lease,
            heartbeat=options.heartbeat,
            load=lambda: self.load,
            on_lost=self._lease_lost,
        )
        self._control = Control(
            queue,
            database,
            self.dispatcher,
            worker_id=lambda: self._lease.worker_id,
            held=self._held_members,
            running=lambda: bool(len(self._inflight)),
            cancel=self._inflight.cancel,
            take_progress=self._inflight.take_progress,
            lease=options.lease,
            heartbeat=options.heartbeat,
        )
        self._beginner = Beginner(
            database,
            worker_id=lambda: self._lease.worker_id,
            deadline_grace=options.grace,
            only_tenant=options.only_tenant,
            give_up=self._draining.is_set,
        )
        self._reconciler = Reconciler(
            queue,
            database,
            self.dispatcher,
            events,
            worker_id=lambda: self._lease.worker_id,
            lease=options.lease,
            only_tenant=options.only_tenant,
        )

    @property
    def load(self) -> int:
        return len(self._inflight) + len(self.tasks)

    def drain(self) -> None:
        """Stop claiming, let jobs finish within the grace period, hand the rest back; `main` returns then."""
        self._draining.set()

    async def main(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Serve until drained."""
        async with self._parts():
            if self._options.scan_on_start:
                with contextlib.suppress(*CONNECTION_LOST, *REDIS_AWAY):
                    await self._reconciler.reconcile()
            log.info("worker is ready", queue=self.queue, slots=self._options.slots, worker=str(self._lease.worker_id))
            on_ready()
            await self._serve()
            await self._hand_over()
        log.info("worker has stopped", queue=self.queue)

    @asynccontextmanager
    async def _parts(self) -> AsyncIterator[None]:
        """The lease's thread and the tasks beside the loop."""
        await self._lease.start()
        self.ctx |= {"redis": self.pool, "worker_id": self._lease.worker_id, "queue": self.queue, "pid": os.getpid()}
        beside = [asyncio.create_task(self._control.run()), asyncio.create_task(self._reconciler.run())]
        beside += [asyncio.create_task(errand()) for errand in self._errands]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside, timeout=LAST_WORDS)  # a library that swallows the cancel must not keep us here
            await self._lease.stop()

    async def _serve(self) -> None:
        failures = 0
        while not self._draining.is_set():
            try:
                await self._poll_iteration()
                failures = 0
            except (*CONNECTION_LOST, *REDIS_AWAY) as error:
                failures += 1
                log.warning("a server is away; the worker waits for it", error=f"{type(error).__name__}: {error}")
                await self._wait(RECONNECT.delay(failures))
            except Exception:
                failures += 1
                log.exception("a round of the loop failed; the next one goes on")
                await self._wait(RECONNECT.delay(failures))

    async def _poll_iteration(self) -> None:
        """One round: cron, claim, begin, or wait for a reason to look again."""
        await self.heart_beat()
        if self.job_tasks:
            await self._cancel_aborted_jobs()
        if self._suspects and not self.load:
            await self._heed(await self._beginner.begin([self._suspects.popleft()], alone=True))
            return
        room = self._options.slots - self.load
        if room <= 0 or self._suspects or self._control.paused or self._inflight.wants_quiet(self._options.slots):
            self._room_changed.clear()
            await self._wait(0.5, self._room_changed.wait())
            return
        claimed = await self.dispatcher.claim(room, self._options.lease)
        if claimed:
            failpoint("claim.taken")
        if not claimed.epoch:
            self._reconciler.kick()
        for job_id, score in claimed.plain:
            self.start_plain(job_id, score).add_done_callback(lambda _: self._room_changed.set())
        if claimed.hints:
            await self._heed(await self._beginner.begin(claimed.hints))
        if not claimed:
            wait = IDLE_WAIT if claimed.next_due_ms < 0 else min(IDLE_WAIT, claimed.next_due_ms / 1000)
            await self._wait(wait + 1.0, self.dispatcher.wait_for_work(max(0.01, wait)))

    async def _wait(self, timeout: float, *reasons: Coroutine[Any, Any, Any]) -> None:
        """Until one of the reasons, a drain, or the time-out; a reason's failure is raised."""
        tasks = [asyncio.ensure_future(reason) for reason in (self._draining.wait(), *reasons)]
        done, pending = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()

    async def _heed(self, begun: Sequence[Begun]) -> None:
        """Act on the verdicts. Jobs start first: Redis may be slow or away, and theirs is the time that counts."""
        deliveries = [each.delivery for each in begun if each.delivery is not None]
        await self._events.tell(
            [Event(each.tenant_id, each.job_id, each.attempt, "started", {"queue": each.queue}) for each in deliveries]
        )
        for delivery in deliveries:
            self._inflight.start(delivery)
        self._suspects.extend(each.hint for each in begun if each.verdict is Verdict.ALONE)
        await self.dispatcher.release([each.hint for each in begun if each.verdict is Verdict.DROP])
        for each in begun:
            if each.verdict is Verdict.LATER:
                await self.dispatcher.put_back(member_of(each.hint), each.wait)

    def _held_members(self) -> list[str]:
        """Everything whose lease in Redis must not run out."""
        hints = [*self._inflight.hints(), *self._suspects]
        return [member_of(hint) for hint in hints] + list(self.tasks)

    def _lease_lost(self, old: UUID, new: UUID) -> None:
        self.ctx["worker_id"] = new
        self._inflight.adopt_soon(old, new)

    async def _hand_over(self) -> None:
        """The end of a drain: wait, then hand back what still runs, and write every end."""
        started = time.monotonic()
        if running := [*self._inflight.running(), *self.tasks.values()]:
            log.info("draining", running=len(running), grace=self._options.grace)
            await asyncio.wait(running, timeout=self._options.grace)
        self._inflight.stop_all(Stop.DRAIN)
        for plain in list(self.tasks.values()):
            plain.cancel()
        for hint in self._suspects:
            with contextlib.suppress(*REDIS_AWAY):
                await self.dispatcher.put_back(member_of(hint), 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                while rest := [*self._inflight.unsettled(), *self.tasks.values()]:
                    await asyncio.wait(rest)
        log.info("drained", seconds=round(time.monotonic() - started, 2))
