"""Make Redis agree with Postgres again, every second, by one worker of the queue.

It sweeps only queued rows without a hint and processing rows without an owner. That Redis forgot (FLUSHALL, a restart
that lost its last second, a failover) shows in the epoch: the identity of the server run that the content belongs to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from uuid import UUID, uuid4

from app.engine.dispatch import Dispatcher
from app.engine.events import Event, EventLog
from app.engine.hints import Held, note
from app.engine.ledger.dispatching import all_lane_heads, current_epoch, enter_epoch, noted_page, undispatched
from app.engine.ledger.heartbeat import forget_the_dead
from app.engine.ledger.lineage import read_lineage
from app.engine.ledger.losses import COMMON, Tolerance
from app.engine.ledger.rescue import Rescued, rescue
from app.engine.metrics import WorkerMetrics
from app.kit.db import CONNECTION_LOST, Database
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

INTERVAL = 1.0  # seconds between two looks
TURN = 3.0  # seconds that a worker stays the queue's reconciler without renewing
SOONEST = 0.25  # seconds: leases are never so short that looks are worth coming sooner
SWEEP = 1000  # jobs dispatched per statement
REBUILD = 5000  # jobs hinted at again per statement

log = get_logger(__name__)


class Reconciler:
    """One queue's sweeper. Every worker runs one; the row lease in `queue_controls` picks which of them works."""

    def __init__(
        self,
        queue: str,
        database: Database,
        dispatcher: Dispatcher,
        events: EventLog,
        *,
        metrics: WorkerMetrics,
        worker_id: Callable[[], UUID],
        lease: float,
        only_tenant: str | None = None,
        tolerance: Tolerance = COMMON,
    ) -> None:
        self._queue = queue
        self._database = database
        self._dispatcher = dispatcher
        self._events = events
        self._metrics = metrics
        self._worker_id = worker_id
        self._lease = lease
        self._only_tenant = only_tenant
        self._tolerance = tolerance
        # A short lease promises a quick rescue, also of those who died while the last reconciler was dead already.
        self._interval = min(INTERVAL, max(SOONEST, lease / 6))
        self._turn = min(TURN, max(2 * self._interval, lease / 3))
        self._due = asyncio.Event()
        self._reconciling = asyncio.Lock()  # a worker's first look and the task beside it would both sweep all
        self._patient_until = 0.0  # after a reconnect, owners get one whole lease to show themselves

    def kick(self) -> None:
        """Look now, not in a second: the worker noticed that Redis forgot."""
        self._due.set()

    async def run(self) -> None:
        while True:
            self._due.clear()
            try:
                if self._only_tenant is not None or await self._take_turn():
                    await self.reconcile()
            except CONNECTION_LOST as error:
                self._metrics.outage(error)
                log.warning("postgres is away", error=str(error))
                self._patient_until = time.monotonic() + self._lease
            except REDIS_AWAY as error:
                self._metrics.outage(error)
                log.warning("redis is away", error=str(error))
            except Exception:
                log.exception("reconciling failed; it is tried again")
            try:
                async with asyncio.timeout(self._interval):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def reconcile(self) -> None:
        """Rescue first, so that what is rescued is dispatched in the same breath."""
        async with self._reconciling:
            if time.monotonic() >= self._patient_until:
                await self._rescue()
            await self._heed_epoch()
            await self._sweep()
            async with self._database.ledger.acquire() as connection:
                await forget_the_dead(connection, self._queue)

    async def _take_turn(self) -> bool:
        async with self._database.ledger.acquire() as connection:
            return await connection.fetchval(_TAKE_TURN, self._queue, self._worker_id(), self._turn) is not None

    async def _rescue(self) -> None:
        async with self._database.ledger.acquire() as connection:
            rescued = await rescue(connection, self._queue, only_tenant=self._only_tenant, tolerance=self._tolerance)
        if rescued:
            failpoint("rescue.committed")
            self._metrics.rescued(len(rescued))
            log.warning("rescued jobs of lost workers", jobs=len(rescued))
            await self._events.tell([_event(job) for job in rescued])

    async def _heed_epoch(self) -> None:
        """Is what Redis holds whole, and what the ledger's notes speak of? A restored Postgres may remember less."""
        (seen, remembered), run = await self._dispatcher.epoch_and_lineage(), await self._dispatcher.server_run()
        async with self._database.ledger.acquire() as connection:
            lineage, known = await read_lineage(connection), await current_epoch(connection, self._queue)
        if seen.partition("/")[0] == run and seen == known and lineage.follows(remembered):
            await self._dispatcher.remember(lineage)
        elif (mark := await self._dispatcher.begin_rebuild(seen)) is not None:
            await self._rebuild(mark, f"{run}/{uuid4().hex}")
            await self._dispatcher.remember(lineage)

    async def _rebuild(self, mark: str, epoch: str) -> None:
        """Hint again at all that was noted, the oldest first; the ledger's rows stay as they are."""
        async with self._database.ledger.acquire() as connection:
            await enter_epoch(connection, self._queue, epoch)
            failpoint("rebuild.entered")
            heads = await all_lane_heads(connection, self._queue)
        hinted, place = (await self._dispatcher.enqueue(heads)).added, None
        while await self._dispatcher.go_on_rebuilding(mark):
            async with self._database.ledger.acquire() as connection:
                page, place = await noted_page(connection, self._queue, place, REBUILD)
            hinted += (await self._dispatcher.enqueue(page)).added
            failpoint("rebuild.hinted")
            if place is None:
                await self._dispatcher.settle_epoch(mark, epoch)
                failpoint("rebuild.settled")
                break
        self._metrics.rebuilt()
        if hinted:
            log.warning("redis has forgotten; the queue is rebuilt", jobs=hinted)

    async def _sweep(self) -> None:
        while True:
            async with self._database.ledger.acquire() as connection:
                dues = await undispatched(connection, self._queue, only_tenant=self._only_tenant, limit=SWEEP)
            if not dues:
                return
            enqueued = await self._dispatcher.enqueue(dues)
            failpoint("sweep.dispatched")
            self._metrics.swept(enqueued.added)  # the others were known, and only not noted yet
            noted = await note(self._database, [Held(due.hint, self._dispatcher, enqueued.epoch) for due in dues])
            if not noted or len(dues) < SWEEP:
                return


def _event(job: Rescued) -> Event:
    data = {"reason": "the worker was lost"} if job.status == "queued" else {}
    return Event(job.tenant_id, job.job_id, job.attempt, job.status, data)


_TAKE_TURN = """
insert into queue_controls as control (queue, reconciler_id, reconciler_until)
values ($1, $2, clock_timestamp() + make_interval(secs => $3))
on conflict (queue) do update
set reconciler_id = excluded.reconciler_id, reconciler_until = excluded.reconciler_until
where control.reconciler_id is null or control.reconciler_id = excluded.reconciler_id
   or control.reconciler_until < clock_timestamp()
returning 1
"""
