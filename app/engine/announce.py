"""What follows an acceptance: the hint, and a moment later the note that Redis holds it.

None of it decides anything. Is Redis away, or does the process die in between, the sweep finds the row.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

from arq.connections import ArqRedis

from app.engine.dispatch import Dispatcher, Weigh, equal_shares
from app.engine.hints import Held, Notebook
from app.engine.ledger.dispatching import lane_heads
from app.engine.ledger.newjob import Accepted
from app.engine.ledger.rows import Due, JobRow
from app.kit.db import TRY_AGAIN, Database
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

PATIENCE = 2.0  # seconds that an answer waits for Redis; beyond them the sweep dispatches

log = get_logger(__name__)


class Announcer:
    """Tells Redis about jobs that are committed, a batch at a time."""

    def __init__(
        self,
        database: Database,
        pool_of: Callable[[str], ArqRedis],
        *,
        weigh: Weigh = equal_shares,
    ) -> None:
        self._database = database
        self._pool_of = pool_of
        self._weigh = weigh
        self._dispatchers: dict[str, Dispatcher] = {}
        self._notes = Notebook(database)

    async def announce(self, accepted: Sequence[Accepted]) -> None:
        """Hint at what is new; Redis' absence only delays it."""
        failpoint("submit.committed")
        fresh = [answer for answer in accepted if answer.fresh]
        if not fresh:
            return
        ends = asyncio.get_running_loop().time() + PATIENCE
        dues: dict[str, list[Due]] = defaultdict(list)
        for answer in fresh:
            if answer.dispatchable:
                dues[answer.job.queue].append(answer.due)
        if waiting := [answer.job for answer in fresh if not answer.dispatchable]:
            for queue, heads in (await self._heads(waiting)).items():
                dues[queue] += heads
        hints = [self.hint(queue, of_queue, until=ends) for queue, of_queue in dues.items()]
        if len(hints) == 1:  # as a rule: it needs no task of its own
            await hints[0]
        else:
            await asyncio.gather(*hints)

    async def hint(self, queue: str, dues: Sequence[Due], *, until: float | None = None) -> None:
        """Dispatch these, and have it noted."""
        if not dues:
            return
        dispatcher = self.dispatcher(queue)
        try:
            async with asyncio.timeout_at(until or asyncio.get_running_loop().time() + PATIENCE):
                enqueued = await dispatcher.enqueue(dues)
        except REDIS_AWAY as error:
            log.warning("redis is away; the sweep will dispatch", queue=queue, jobs=len(dues), error=str(error))
            return
        failpoint("submit.dispatched")
        self._notes.add([Held(due.hint, dispatcher, enqueued.epoch) for due in dues])

    async def drain(self) -> None:
        await self._notes.drain()

    def dispatcher(self, queue: str) -> Dispatcher:
        if queue not in self._dispatchers:
            self._dispatchers[queue] = Dispatcher(self._pool_of(queue), self._weigh)
        return self._dispatchers[queue]

    async def _heads(self, waiting: Sequence[JobRow]) -> dict[str, list[Due]]:
        """Of lanes that were occupied when these were accepted: who is at their head now. A job that ended in between
        found nobody behind it, and it would be left to the sweep to see that it is gone."""
        lanes: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for job in waiting:
            assert job.lane_id is not None
            lanes[job.queue].add((job.tenant_id, job.lane_id))
        try:
            async with self._database.ledger.acquire() as connection:
                return {queue: await lane_heads(connection, queue, sorted(each)) for queue, each in lanes.items()}
        except TRY_AGAIN as error:
            log.debug("lanes were not looked at again", error=str(error))
            return {}
