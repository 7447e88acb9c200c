"""A worker's claims: one at a time, and while many short jobs wait, the next one while the last one's jobs begin."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from app.engine.dispatch import Claimed, Dispatcher, member_of
from app.engine.finishing import Finisher
from app.engine.metrics import WorkerMetrics
from app.kit.failpoints import failpoint

AHEAD = 0.02  # seconds: no more is claimed ahead than what begins within about this time
STALE = 0.25  # seconds after which what did not begin after all is let go: another worker may be idle


class Claims:
    """Redis finds the next hints while Postgres begins the last ones. What is ahead is little, and not for long."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        finisher: Finisher,
        *,
        lease: float,
        metrics: WorkerMetrics,
        on_forgotten: Callable[[], None],  # Redis knows no epoch: it has forgotten the queue
    ) -> None:
        self._dispatcher = dispatcher
        self._finisher = finisher
        self._lease = lease
        self._metrics = metrics
        self._on_forgotten = on_forgotten
        self._ahead = Claimed("", -1)
        self._fetched_at = 0.0
        self._fetching: asyncio.Task[Claimed] | None = None
        self._more = False  # the last claim got all that it asked for
        self._soon_free = 0.0  # slots, within the next moment
        self._freed = 0  # slots, since `_counted_from`
        self._counted_from = time.monotonic()

    @property
    def may_be_more(self) -> bool:
        """Whether another look may find something: the last one got all that it asked for, or some is still here."""
        return self._more or bool(self._ahead) or self._fetching is not None

    def slot_freed(self) -> None:
        self._freed += 1

    def members(self) -> list[str]:
        """What waits here under a lease."""
        return [member_of(hint) for hint in self._ahead.hints] + [job.job_id for job in self._ahead.plain]

    async def take(self, room: int) -> Claimed:
        """At most so many: of those that are here, else of those in Redis."""
        await self.let_go(older_than=STALE)
        if self._ahead:
            return self._ahead.cut(room)
        return await self._claim(room)

    def fetch_ahead(self, want: int) -> None:
        """So many more, if as many slots become free in a moment, by how many did in the last; for fewer it is not
        worth a call."""
        now = time.monotonic()
        if (elapsed := now - self._counted_from) >= AHEAD:
            self._soon_free = self._freed * AHEAD / elapsed
            self._freed, self._counted_from = 0, now
        if self._soon_free >= want and self._more and self._fetching is None and not self._ahead:
            self._fetching = asyncio.create_task(self._claim(want))

    async def let_go(self, *, older_than: float = 0.0) -> None:
        """What is here for so many seconds and has not begun: others may have it at once."""
        await self._land()
        if time.monotonic() - self._fetched_at >= older_than and (members := self.members()):
            self._ahead = Claimed("", -1)
            await self._dispatcher.let_go(members)

    async def _land(self) -> None:
        if self._fetching is not None:
            fetching, self._fetching = self._fetching, None
            self._ahead = await fetching
            self._fetched_at = time.monotonic()

    async def _claim(self, want: int) -> Claimed:
        over = self._finisher.take_over()
        try:
            claimed = await self._dispatcher.claim(want, self._lease, over=over)
        except BaseException:
            self._finisher.release(over)
            raise
        self._more = len(claimed) == want
        if claimed:
            self._metrics.claimed(len(claimed.hints) + len(claimed.plain))
            failpoint("claim.taken")
        if not claimed.epoch:
            self._on_forgotten()
        return claimed
