"""Write ends into the ledger and let the world go on: commit first, then Redis and the readers.

One batch is in flight at a time, and the next gathers meanwhile. Ends are kept for as long as Postgres is away.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import asyncpg

from app.engine.dispatch import Dispatcher
from app.engine.events import Event, EventLog
from app.engine.hints import Held, Notebook
from app.engine.ledger.begin import Delivery
from app.engine.ledger.dispatching import lane_heads
from app.engine.ledger.finish import End, Ended, Ending, already_ended, finish
from app.engine.ledger.rows import TERMINAL, Due, Hint
from app.engine.ledger.writes import write
from app.engine.metrics import WorkerMetrics
from app.kit.aside import Aside
from app.kit.backoff import Backoff
from app.kit.db import CONNECTION_LOST, TRY_AGAIN, Database
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

RECONNECT = Backoff(first=0.1, cap=2.0)
MAX_BATCH = 500
UNSTORABLE = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.SyntaxOrAccessError, ValueError)

log = get_logger(__name__)


class Finisher:
    """Ends a worker's deliveries."""

    def __init__(
        self,
        queue: str,
        database: Database,
        dispatcher: Dispatcher,
        events: EventLog,
        *,
        metrics: WorkerMetrics,
        on_settled: Callable[[], None] = lambda: None,
    ) -> None:
        self._queue = queue
        self._database = database
        self._dispatcher = dispatcher
        self._events = events
        self._metrics = metrics
        self._on_settled = on_settled
        self._waiting: deque[tuple[Ending, Ended | None]] = deque()  # with what `complete` has committed itself
        self._over: list[Hint] = []  # their leases in Redis end with the next claim
        self._unsettled = 0
        self._flight: asyncio.Task[None] | None = None
        self._notes = Notebook(database)
        self._returning = Aside()
        self.refused = 0  # ends that came too late: zombies

    def __len__(self) -> int:
        """Ends that are not written yet."""
        return self._unsettled

    def add(self, ending: Ending, ended: Ended | None = None) -> None:
        """Write this end, however long it takes. `ended`: it is committed already, and the world has to go on."""
        failpoint("finish.before")
        self._waiting.append((ending, ended))
        self._unsettled += 1
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())

    def release(self, hints: Iterable[Hint]) -> None:
        """Nothing is to be written for these; their leases end."""
        self._over.extend(hints)

    def refuse(self, deliveries: Iterable[Delivery]) -> None:
        """The ledger took nothing of these. Their hints go back, and begin decides: most are stale and are dropped, but
        a begin that a crash of Postgres took back has left its job queued, and nobody else knows of it."""
        if dues := [delivery.due for delivery in deliveries]:
            self._returning.start(self._put_back(dues))

    def take_over(self) -> list[Hint]:
        """The deliveries that are over, for whoever tells Redis of them."""
        over, self._over = self._over, []
        return over

    async def flush(self) -> None:
        """Tell Redis of what is over, where no claim does."""
        over = self.take_over()
        try:
            await self._dispatcher.release(over)
        except REDIS_AWAY as error:
            log.debug("leases were left to run out", error=str(error))

    async def drained(self) -> None:
        """Until every end is written and told."""
        while self._flight is not None:
            await asyncio.wait({self._flight})
        if self._returning.tasks:
            await asyncio.wait(self._returning.tasks)
        await self.flush()
        await self._notes.drain()

    async def _fly(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
                try:
                    await self._settle(batch)
                except Exception:
                    log.exception("ends could not be written; their jobs will be rescued", jobs=len(batch))
                self._unsettled -= len(batch)
                self._on_settled()
        finally:
            self._flight = None

    async def _settle(self, batch: Sequence[tuple[Ending, Ended | None]]) -> None:
        settled = [(ending, ended) for ending, ended in batch if ended is not None]
        if unwritten := [ending for ending, ended in batch if ended is None]:
            settled += await self._write(unwritten)
            failpoint("finish.committed")
        accepted = {ending.delivery for ending, _ in settled}
        self._over.extend(delivery.hint for delivery in accepted)
        self.refuse(ending.delivery for ending, _ in batch if ending.delivery not in accepted)
        self.refused += len(batch) - len(settled)
        self._metrics.ended([ending for ending, _ in settled], refused=len(batch) - len(settled))
        self._events.post([_event(ending, ended) for ending, ended in settled])
        try:
            await self._dispatch_next(settled)
        except (*TRY_AGAIN, *REDIS_AWAY) as error:
            log.warning("the sweep will dispatch what comes next", error=str(error))

    async def _put_back(self, dues: Sequence[Due]) -> None:
        try:
            await self._dispatcher.put_back((due, 0.0) for due in dues)
        except REDIS_AWAY as error:
            log.debug("hints were left to their leases", error=str(error))

    async def _write(self, endings: Sequence[Ending]) -> list[tuple[Ending, Ended]]:
        """What was accepted; the rest is stale. One end that cannot be stored does not hold up the others."""
        tries = 0
        while True:
            try:
                ended = await self._commit(endings)
                return [(each, ended[each.delivery.hint]) for each in endings if each.delivery.hint in ended]
            except TRY_AGAIN as error:
                tries += 1
                if isinstance(error, CONNECTION_LOST):
                    self._metrics.outage(error)
                log.warning("postgres cannot take ends yet; they are kept", jobs=len(endings), error=str(error))
                await asyncio.sleep(RECONNECT.delay(tries))
            except UNSTORABLE as error:
                if len(endings) == 1:
                    return await self._write([_unstorable(endings[0], error)])
                middle = len(endings) // 2
                return await self._write(endings[:middle]) + await self._write(endings[middle:])

    async def _commit(self, endings: Sequence[Ending]) -> dict[Hint, Ended]:
        plain = [ending for ending in endings if not ending.writes]
        ended: dict[Hint, Ended] = {}
        if plain:
            async with self._database.finishes.use() as connection:
                ended |= await finish(connection, plain)
        writing: dict[str, list[Ending]] = defaultdict(list)
        for ending in endings:
            if ending.writes:
                writing[ending.delivery.tenant_id].append(ending)
        for tenant_id, theirs in writing.items():
            ended |= await self._commit_with_rows(tenant_id, theirs)
        if missing := [ending for ending in endings if ending.delivery.hint not in ended]:
            async with self._database.finishes.use() as connection:  # refused, or written and the reply was lost
                ended |= await already_ended(connection, missing)
        return ended

    async def _commit_with_rows(self, tenant_id: str, endings: Sequence[Ending]) -> dict[Hint, Ended]:
        """One transaction of one tenant, under its row level security: the rows of what the fence let through."""
        async with self._database.tenant(tenant_id) as connection:
            ended = await finish(connection, endings)
            failpoint("finish.unwritten")
            accepted = [ending for ending in endings if ending.delivery.hint in ended]
            await write(connection, tenant_id, [row for ending in accepted for row in ending.writes])
            return ended

    async def _dispatch_next(self, settled: Iterable[tuple[Ending, Ended]]) -> None:
        dues: list[Due] = []
        lanes: list[tuple[str, str]] = []
        for ending, ended in settled:
            tenant_id = ending.delivery.tenant_id
            if ended.status == "queued":
                again = Hint(ended.job_id, ended.attempt + 1)
                dues.append(Due(again, tenant_id, ended.bulk, ended.priority, ended.run_at))
            elif ended.lane_id is not None and ended.status in TERMINAL:
                lanes.append((tenant_id, ended.lane_id))
        if lanes:
            async with self._database.finishes.use() as connection:
                dues += await lane_heads(connection, self._queue, lanes)
        if dues:
            enqueued = await self._dispatcher.enqueue(dues)
            failpoint("finish.dispatched")
            self._notes.add([Held(due.hint, self._dispatcher, enqueued.epoch) for due in dues])


def _unstorable(ending: Ending, error: Exception) -> Ending:
    detail = f"The result cannot be stored: {error}"
    return replace(ending, end=End.FAILED, result=None, writes=(), error="result_not_storable", error_detail=detail)


def _event(ending: Ending, ended: Ended) -> Event:
    delivery = ending.delivery
    data = {"error": ending.error, "error_detail": ending.error_detail} if ending.error else {}
    return Event(delivery.tenant_id, delivery.job_id, delivery.attempt, ended.status, data)
