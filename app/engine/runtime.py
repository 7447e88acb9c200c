"""The worker: a subclass of `arq.Worker` that runs plain ARQ jobs as ARQ does, and ledgered jobs as the ledger decides.

One round of the loop claims as many jobs as there are free slots in one Lua call, begins all of them in one statement,
and starts a task for each. Losing Redis or Postgres never ends the process: it backs off and goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from arq.connections import ArqRedis

from app.engine.beginning import Beginner
from app.engine.bell import Bell
from app.engine.claiming import STALE, Claims
from app.engine.context import Hands
from app.engine.control import Control
from app.engine.dispatch import Call, Claimed, Dispatcher, equal_shares, member_of
from app.engine.events import EventLog
from app.engine.execute import Stop
from app.engine.finishing import Finisher
from app.engine.inflight import InFlight, Runnable
from app.engine.intake import Intake
from app.engine.lease import Lease
from app.engine.ledger.begin import Begun, Verdict
from app.engine.ledger.heartbeat import WorkerCard
from app.engine.ledger.losses import Tolerance
from app.engine.ledger.rows import Due, Hint
from app.engine.metrics import WorkerMetrics
from app.engine.pace import Part
from app.engine.permits import Permits
from app.engine.plain import PlainWorker
from app.engine.policy import TenantPolicy
from app.engine.reconcile import Reconciler
from app.kit.aside import Aside
from app.kit.backoff import Backoff
from app.kit.db import CONNECTION_LOST, Database
from app.kit.logging import get_logger
from app.kit.metrics import Meter
from app.kit.redis import REDIS_AWAY
from app.kit.waker import Waker

RECONNECT = Backoff(first=0.1, cap=2.0)
IDLE_WAIT = 0.5  # seconds that one blocking read may last: who enqueues without ringing is heard then
ABORTS_EVERY = 0.1  # seconds between two looks at which plain jobs somebody wants to abort
BUSY_WAIT = 0.5  # seconds after which a worker without room looks about anyway
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
        shared: ArqRedis | None = None,
        policy: TenantPolicy | None = None,  # None: equal shares, and permits for everybody
        errands: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
        meter: Meter | None = None,  # of the process, where others count too
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
        self.dispatcher = Dispatcher(redis, policy.weight if policy else equal_shares)
        self._database = database
        self._events = events
        self._options = options
        self._errands = errands
        self._changed = Waker()  # a slot is free, an end is written, work has come, or the worker is to stop
        self._draining = False
        self._aborts_at = 0.0
        self._aside = Aside()
        self.meter = meter or Meter(options.version)
        self._metrics = metrics = WorkerMetrics(self.meter, queue, runnables)
        self._finisher = Finisher(
            queue, database, self.dispatcher, events, metrics=metrics, on_settled=self._changed.set
        )
        self._inflight = InFlight(
            runnables, Hands(database, events), self._finisher, metrics=metrics, on_over=self._over
        )
        self._bell = Bell(self.dispatcher, self._changed.set, patience=IDLE_WAIT)
        self._permits: Permits | None = None
        if policy is not None and shared is not None:
            gated = [each.kind for each in runnables.values() if each.kind.permits]
            self._permits = Permits(
                gated, shared, self.dispatcher, policy, lease=options.lease, heartbeat=options.heartbeat
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
        metrics.watch(
            load=lambda: self.load,
            slots=options.slots,
            permits=lambda: len(self._permits) if self._permits is not None else 0,
            lease_lag=self._lease.lag,
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
            permits=self._permits,
            metrics=metrics,
            lease=options.lease,
            heartbeat=options.heartbeat,
        )
        tolerance = Tolerance({name: each.kind.max_losses for name, each in runnables.items()})
        beginner = Beginner(
            queue,
            database,
            worker_id=lambda: self._lease.worker_id,
            deadline_grace=options.grace,
            only_tenant=options.only_tenant,
            give_up=lambda: self._draining,
            permits=self._permits,
            tolerance=tolerance,
        )
        self._intake = Intake(
            beginner, self._inflight, self._finisher, dispatcher=self.dispatcher, events=events, metrics=metrics
        )
        self._reconciler = Reconciler(
            queue,
            database,
            self.dispatcher,
            events,
            metrics=metrics,
            worker_id=lambda: self._lease.worker_id,
            lease=options.lease,
            only_tenant=options.only_tenant,
            tolerance=tolerance,
        )
        self._claims = Claims(
            self.dispatcher,
            self._finisher,
            lease=options.lease,
            metrics=metrics,
            on_forgotten=self._reconciler.kick,
        )

    @property
    def load(self) -> int:
        return len(self._inflight) + self.running_plain

    @property
    def claiming(self) -> bool:
        """Registered, and not on the way out: what readiness is."""
        return self._lease.held and not self._draining

    @property
    def beat_at(self) -> float:
        """The last sign of life of the thread that keeps the lease, by the monotonic clock."""
        return self._lease.beat_at

    def drain(self) -> None:
        """Stop claiming, let jobs finish within the grace period, hand the rest back; `main` returns then."""
        self._draining = True
        self._changed.set()

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
        beside += [asyncio.create_task(self._inflight.watch())]
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
        while not self._draining:
            try:
                await self._poll_iteration()
                failures = 0
            except (*CONNECTION_LOST, *REDIS_AWAY) as error:
                failures += 1
                self._metrics.outage(error)
                log.warning("a server is away; the worker waits for it", error=f"{type(error).__name__}: {error}")
                await self._pause(RECONNECT.delay(failures))
            except Exception:
                failures += 1
                log.exception("a round of the loop failed; the next one goes on")
                await self._pause(RECONNECT.delay(failures))

    async def _poll_iteration(self) -> None:
        """One round: cron, claim, begin, or wait for a reason to look again."""
        await self.heart_beat()
        if self.job_tasks and time.monotonic() >= self._aborts_at:
            self._aborts_at = time.monotonic() + ABORTS_EVERY
            await self._cancel_aborted_jobs()
        heard = self._bell.heard()
        if self._intake.holds_suspects and self._is_idle:
            await self._intake.take_suspect()
            return
        self._changed.clear()  # before the look: what changes from now on is a reason for another one
        part = self.pace.part(self._options.slots, in_line=self._database.in_line)
        room = await self._room_for(part)
        if room <= 0 or self._is_reserved():
            await self._wait_for_room()
            return
        claimed = await self._claim(min(room, part.jobs), heard)
        for job in claimed.plain:
            self.start_plain(job)
        self._claims.fetch_ahead(part.jobs)
        await self._intake.take(claimed.hints)
        if (claimed or heard) and self._claims.may_be_more:
            return
        if len(self._finisher):  # its end brings the lane's next job, and leases to end: no blocking on Redis now
            await self._changed.wait(BUSY_WAIT)
            return
        self._bell.listen()
        await self._changed.wait(IDLE_WAIT if claimed.next_due_ms < 0 else min(IDLE_WAIT, claimed.next_due_ms / 1000))

    async def _claim(self, room: int, heard: Call | None) -> Claimed:
        """What there is, but for the hint that the bell named: Postgres begins that while Redis looks for it."""
        if isinstance(heard, Due) and self._permits is not None:
            return await self._claim_for_permits(room, heard, self._permits)
        if not isinstance(heard, Hint) or room == 1:
            return await self._claims.take(room)
        claiming = asyncio.create_task(self._claims.take(room - 1))  # one slot is for the hint, whoever claims it
        try:
            looked = await self._intake.look(heard)
        finally:
            claimed = await claiming
        if looked and heard in claimed.hints:
            claimed.hints.remove(heard)
            await self._intake.go_on(looked)
        return claimed

    async def _claim_for_permits(self, room: int, called: Due, permits: Permits) -> Claimed:
        """What there is, but for the one that was called: which permits it needs is known, so they are taken while
        Redis looks for it. Where another worker claims it, they stay with the hint: they are that worker's then, and
        to give them back would take them from under its job."""
        waiting = [Begun(Verdict.PERMIT, called.hint, due=called)]
        claiming = asyncio.create_task(self._claims.take(room))
        try:
            answers = await permits.ask(waiting)
        finally:
            claimed = await claiming
        if called.hint in claimed.hints:
            claimed.hints.remove(called.hint)
            await self._intake.go_on(waiting, answers)
        return claimed

    async def _room_for(self, part: Part) -> int:
        """The slots that are free: where there is more to fill them with, after the part's patience for others."""
        until = time.monotonic() + (part.patience if self._claims.may_be_more else 0.0)
        while 0 < (room := self._options.slots - self.load) < part.jobs and (rest := until - time.monotonic()) > 0:
            self._changed.clear()
            await self._changed.wait(rest)
        return room

    async def _wait_for_room(self) -> None:
        if not await self._changed.wait(BUSY_WAIT):  # no claim for a while, which leases would end with
            await self._finisher.flush()
        await self._claims.let_go(older_than=STALE)

    @property
    def _is_idle(self) -> bool:
        """Nothing runs here, and every end is written: what dies with this process now is nobody else's."""
        return not self.load and not len(self._finisher) and not self.unwritten_plain

    def _is_reserved(self) -> bool:
        """Free slots are not to be filled now."""
        slots = self._options.slots
        lags = self.unwritten_plain > 2 * slots
        return self._control.paused or self._intake.holds_suspects or self._inflight.wants_quiet(slots) or lags

    async def _pause(self, seconds: float) -> None:
        """Wait out a failure; a drain ends it."""
        until = time.monotonic() + seconds
        while not self._draining and (rest := until - time.monotonic()) > 0:
            self._changed.clear()
            if not self._draining:
                await self._changed.wait(rest)

    def _held_members(self) -> list[str]:
        """Everything whose lease in Redis must not run out."""
        return [member_of(hint) for hint in (*self._inflight.hints(), *self._intake.hints())] + [
            *self.tasks,
            *self._claims.members(),
        ]

    def _over(self, hint: Hint, seconds: float) -> None:
        """A run has ended: its slot is free, and so are its permits."""
        self.pace.ran(seconds)
        self._claims.slot_freed()
        self._changed.set()
        if self._permits is not None and self._permits.holds(hint):
            self._aside.start(self._permits.give_back([hint]))

    def on_plain(self, *, returned: bool) -> None:
        if returned:
            self._claims.slot_freed()
        self._changed.set()

    def _lease_lost(self, old: UUID, new: UUID) -> None:
        self.ctx["worker_id"] = new
        self._inflight.adopt_soon(old, new)

    async def _hand_over(self) -> None:
        """The end of a drain: wait, then hand back what still runs, and write every end."""
        started = time.monotonic()
        with contextlib.suppress(*REDIS_AWAY):
            await self._claims.let_go()
        if running := [*self._inflight.running(), *self.tasks.values()]:
            log.info("draining", running=len(running), grace=self._options.grace)
            await asyncio.wait(running, timeout=self._options.grace)
        self._inflight.stop_all(Stop.DRAIN)
        for plain in list(self.tasks.values()):
            plain.cancel()
        with contextlib.suppress(TimeoutError, *REDIS_AWAY):
            async with asyncio.timeout(LAST_WORDS):
                while rest := [*self._inflight.running(), *self.tasks.values(), *self._aside.tasks]:
                    await asyncio.wait(rest)
                await self._intake.hand_back()
                await self._finisher.drained()
                await self._events.drain()
        await self._bell.stop()
        log.info("drained", seconds=round(time.monotonic() - started, 2))
