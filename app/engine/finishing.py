"""Write ends into the ledger and let the world go on: commit first, then Redis and the readers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import asyncpg

from app.engine.dispatch import Dispatcher
from app.engine.events import Event, EventLog
from app.engine.hints import dispatch
from app.engine.ledger.dispatching import lane_heads
from app.engine.ledger.finish import End, Ended, Ending, already_ended, finish
from app.engine.ledger.rows import TERMINAL, Due, Hint
from app.kit.backoff import Backoff
from app.kit.batching import Batcher
from app.kit.db import TRY_AGAIN, Database
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

RECONNECT = Backoff(first=0.1, cap=2.0)

log = get_logger(__name__)


class Finisher:
    """Ends deliveries in batches; keeps a result for as long as Postgres is away."""

    def __init__(self, queue: str, database: Database, dispatcher: Dispatcher, events: EventLog) -> None:
        self._queue = queue
        self._database = database
        self._dispatcher = dispatcher
        self._events = events
        self._batcher: Batcher[Ending, Ended | None] = Batcher(
            self._commit, max_batch=500, culprit_errors=(asyncpg.DataError,)
        )
        self.refused = 0  # ends that came too late: zombies

    async def finish(self, ending: Ending) -> Ended | None:
        """Write this end, however long it takes. None: the job had gone on without this delivery."""
        failpoint("finish.before")
        tries = 0
        while True:
            try:
                ended = await self._batcher.submit(ending)
                break
            except TRY_AGAIN as error:
                tries += 1
                job_id = str(ending.delivery.job_id)
                log.warning("postgres cannot take an end yet; it is kept", job_id=job_id, error=str(error))
                await asyncio.sleep(RECONNECT.delay(tries))
            except asyncpg.DataError as error:
                detail = f"The result cannot be stored: {error}"
                ending = replace(ending, end=End.FAILED, result=None, error="result_not_storable", error_detail=detail)
        failpoint("finish.committed")
        if ended is None:
            self.refused += 1
            await self._release([ending.delivery.hint])
        else:
            await self.go_on(ending, ended)
        return ended

    async def go_on(self, ending: Ending, ended: Ended) -> None:
        """After the commit: free the hint, tell the readers, and hand the lane or the next try to Redis."""
        await self._events.tell([_event(ending, ended)])
        await self._release([ending.delivery.hint])
        try:
            await self._dispatch_next(ending, ended)
        except (*TRY_AGAIN, *REDIS_AWAY) as error:
            log.warning("the sweep will dispatch what comes next", error=str(error))

    async def _commit(self, endings: Sequence[Ending]) -> list[Ended | None]:
        async with self._database.ledger.acquire() as connection:
            ended = await finish(connection, endings)
            missing = [ending for ending in endings if ending.delivery.hint not in ended]
            if missing:  # refused, or written before and the reply was lost
                ended |= await already_ended(connection, missing)
        return [ended.get(ending.delivery.hint) for ending in endings]

    async def _release(self, hints: Sequence[Hint]) -> None:
        try:
            await self._dispatcher.release(hints)
        except REDIS_AWAY as error:
            log.debug("a lease was left to run out", error=str(error))

    async def _dispatch_next(self, ending: Ending, ended: Ended) -> None:
        dues: list[Due] = []
        if ended.status == "queued":
            next_try = Hint(ended.job_id, ended.attempt + 1)
            dues = [Due(next_try, ending.delivery.tenant_id, ended.bulk, ended.priority, ended.run_at)]
        elif ended.lane_id is not None and ended.status in TERMINAL:
            async with self._database.ledger.acquire() as connection:
                dues = await lane_heads(connection, self._queue, [(ending.delivery.tenant_id, ended.lane_id)])
        if dues:
            await dispatch(self._database, self._dispatcher, dues)


def _event(ending: Ending, ended: Ended) -> Event:
    delivery = ending.delivery
    data = {"error": ending.error, "error_detail": ending.error_detail} if ending.error else {}
    return Event(delivery.tenant_id, delivery.job_id, delivery.attempt, ended.status, data)
