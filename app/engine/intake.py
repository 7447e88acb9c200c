"""From claimed hints to running jobs: what the ledger says of each, heeded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from app.engine.beginning import Beginner
from app.engine.dispatch import Dispatcher
from app.engine.events import Event, EventLog
from app.engine.finishing import Finisher
from app.engine.inflight import InFlight
from app.engine.ledger.begin import Begun, Verdict
from app.engine.ledger.rows import Due, Hint
from app.engine.metrics import WorkerMetrics
from app.engine.permits import Answers
from app.kit.aside import Aside
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

log = get_logger(__name__)


class Intake:
    """Begins what was claimed. What Redis has to hear is posted, or goes with the next claim: jobs start at once."""

    def __init__(
        self,
        beginner: Beginner,
        inflight: InFlight,
        finisher: Finisher,
        *,
        dispatcher: Dispatcher,
        events: EventLog,
        metrics: WorkerMetrics,
    ) -> None:
        self._beginner = beginner
        self._inflight = inflight
        self._finisher = finisher
        self._dispatcher = dispatcher
        self._events = events
        self._metrics = metrics
        self._suspects: deque[Due] = deque()  # begun only when nothing else runs here
        self._returning = Aside()

    @property
    def holds_suspects(self) -> bool:
        return bool(self._suspects)

    def hints(self) -> list[Hint]:
        """What waits here under a lease."""
        return [due.hint for due in self._suspects]

    async def take(self, hints: Sequence[Hint]) -> None:
        if hints:
            self._heed(await self._beginner.begin(hints))
            await asyncio.sleep(0)  # their first steps, before the loop's next one

    async def look(self, hint: Hint) -> Sequence[Begun]:
        """Begin what Redis has not handed over yet: whose it is, the ledger decides. What needs more than that, permits
        or its way back, waits for the claim: `go_on`."""
        looked = await self._beginner.look([hint])
        self._heed([each for each in looked if each.verdict is Verdict.RUN])
        return looked

    async def go_on(self, looked: Sequence[Begun], answers: Answers | None = None) -> None:
        """The hint is claimed as well; with answers, its permits have been asked for."""
        waiting = [each for each in looked if each.verdict is not Verdict.RUN]
        self._heed(await self._beginner.permit(waiting, answers=answers))
        await asyncio.sleep(0)  # its first steps, before the loop's next one

    async def take_suspect(self) -> None:
        """Nothing else runs here now: the one that workers died under may."""
        self._heed(await self._beginner.begin([self._suspects.popleft().hint], alone=True))

    async def hand_back(self) -> None:
        """The worker stops: others may have what has not begun here."""
        if self._suspects:
            await self._put_back([(due, 0.0) for due in self._suspects])
        if self._returning.tasks:
            await asyncio.wait(self._returning.tasks)

    def _heed(self, begun: Sequence[Begun]) -> None:
        deliveries = [each.delivery for each in begun if each.delivery is not None]
        self._metrics.begun(deliveries)
        for delivery in deliveries:  # first of all: tasks run in the order in which they were made
            self._inflight.start(delivery)
        self._events.post(
            [Event(each.tenant_id, each.job_id, each.attempt, "started", {"queue": each.queue}) for each in deliveries]
        )
        # A begin may have been sent under a registration that has ended since, unseen by the adoption that followed.
        for old in {delivery.worker_id for delivery in deliveries} - {self._beginner.worker_id()}:
            if old is not None:
                self._inflight.adopt_soon(old, self._beginner.worker_id())
        self._suspects.extend(each.due for each in begun if each.verdict is Verdict.ALONE and each.due)
        self._finisher.release(each.hint for each in begun if each.verdict is Verdict.DROP)
        if back := [(each.due, each.wait) for each in begun if each.verdict is Verdict.LATER and each.due]:
            self._returning.start(self._put_back(back))

    async def _put_back(self, dues: Sequence[tuple[Due, float]]) -> None:
        try:
            await self._dispatcher.put_back(dues)
        except REDIS_AWAY as error:
            log.debug("hints were left to their leases", error=str(error))
