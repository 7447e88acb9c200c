"""The deliveries that a worker has in its hands, from their begin until their end is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.engine.context import JobContext
from app.engine.dispatch import Dispatcher
from app.engine.events import EventLog
from app.engine.execute import Run, Stop, execute
from app.engine.finishing import Finisher
from app.engine.ledger.begin import Delivery
from app.engine.ledger.finish import End, Ending
from app.engine.ledger.heartbeat import adopt
from app.engine.ledger.progress import Progress
from app.engine.ledger.rows import Hint
from app.engine.workload import JobKind
from app.kit.backoff import Backoff
from app.kit.db import TRY_AGAIN, Database
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

RECONNECT = Backoff(first=0.1, cap=2.0)
UNKNOWN_KIND_DELAY = 10.0  # a newer release's job waits for a newer worker

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Runnable:
    """A kind and the function that runs it."""

    kind: JobKind
    function: Callable[[JobContext], Coroutine[Any, Any, Any]]


class InFlight:
    """Runs deliveries side by side. A slot is free once its function ended; ends are written beside the next runs."""

    def __init__(
        self,
        runnables: Mapping[str, Runnable],
        database: Database,
        events: EventLog,
        dispatcher: Dispatcher,
        finisher: Finisher,
        *,
        on_room: Callable[[], None],
    ) -> None:
        self._runnables = runnables
        self._database = database
        self._events = events
        self._dispatcher = dispatcher
        self._finisher = finisher
        self._moved: dict[Delivery, Progress] = {}
        self._on_room = on_room
        self._runs: dict[Delivery, Run] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._runs)

    def report(self, delivery: Delivery, progress: Progress) -> None:
        """Keep the latest word of each delivery until somebody writes them all at once."""
        self._moved[delivery] = progress

    def take_progress(self) -> dict[Delivery, Progress]:
        moved, self._moved = self._moved, {}
        return moved

    def hints(self) -> list[Hint]:
        return [delivery.hint for delivery in self._runs]

    def running(self) -> list[asyncio.Task[Any]]:
        return [run.task for run in self._runs.values() if run.task is not None]

    def unsettled(self) -> list[asyncio.Task[Any]]:
        """What runs, and what has run and is not written yet."""
        return [*self.running(), *self._closing]

    def wants_quiet(self, slots: int) -> bool:
        """No further claims: a suspect runs alone, or Postgres lags behind with the ends."""
        return any(delivery.suspect for delivery in self._runs) or len(self._closing) > 2 * slots

    def start(self, delivery: Delivery) -> None:
        run = Run(delivery)
        self._runs[delivery] = run
        run.task = asyncio.create_task(self._deliver(run))

    def cancel(self, job_ids: set[UUID]) -> None:
        for run in list(self._runs.values()):
            if run.delivery.job_id in job_ids:
                run.stop(Stop.CANCEL)

    def stop_all(self, why: Stop) -> None:
        for run in list(self._runs.values()):
            run.stop(why)

    def adopt_soon(self, old: UUID, new: UUID) -> None:
        """The worker's lease ran out and it is registered anew: keep what rescue has not given away, drop the rest."""
        self._beside(self._adopt(old, new))

    async def _deliver(self, run: Run) -> None:
        delivery = run.delivery
        context = JobContext(
            delivery, database=self._database, events=self._events, report=self.report, shield=run.shield
        )
        try:
            if (runnable := self._runnables.get(delivery.kind)) is None:
                reason = f"no worker of this release runs {delivery.kind}"
                ending: Ending | None = Ending(delivery, End.RELEASED, error_detail=reason, delay=UNKNOWN_KIND_DELAY)
            else:
                ending = await execute(run, runnable.kind, runnable.function, context)
        finally:
            run.shield()
            self._runs.pop(delivery, None)
            self._on_room()
        self._beside(self._close(run, context, ending))

    async def _close(self, run: Run, context: JobContext, ending: Ending | None) -> None:
        try:
            if context.ended is not None:
                await self._finisher.go_on(Ending(run.delivery, End.DONE), context.ended)
            elif ending is not None:
                await self._finisher.finish(ending)
            else:
                await self._dispatcher.release([run.delivery.hint])
        except REDIS_AWAY as error:
            log.debug("a lease was left to run out", error=str(error))
        except Exception:
            log.exception("an end could not be written; the job will be rescued", job_id=str(run.delivery.job_id))

    async def _adopt(self, old: UUID, new: UUID) -> None:
        runs = list(self._runs.values())
        tries = 0
        while True:
            try:
                async with self._database.ledger.acquire() as connection:
                    kept = await adopt(connection, old, new, [run.delivery for run in runs])
                break
            except TRY_AGAIN:
                tries += 1
                await asyncio.sleep(RECONNECT.delay(tries))
        for run in runs:
            if run.delivery.job_id not in kept:
                run.stop(Stop.LOST)

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
