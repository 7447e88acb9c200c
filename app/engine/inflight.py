"""The deliveries that a worker has in its hands, from their begin until they are handed to the finisher."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.engine.context import Hands, JobContext
from app.engine.execute import Run, Stop, execute
from app.engine.finishing import Finisher
from app.engine.ledger.begin import Delivery
from app.engine.ledger.finish import End, Ending
from app.engine.ledger.heartbeat import adopt
from app.engine.ledger.progress import Progress
from app.engine.ledger.rows import Hint
from app.engine.metrics import WorkerMetrics
from app.engine.workload import JobKind
from app.kit.aside import Aside
from app.kit.backoff import Backoff
from app.kit.db import TRY_AGAIN
from app.kit.logging import get_logger

RECONNECT = Backoff(first=0.1, cap=2.0)
UNKNOWN_KIND_DELAY = 10.0  # a newer release's job waits for a newer worker
DROPPED = "dropped"  # an end of a run that is none of the job's: it had gone on without this attempt
WATCH = 0.1  # seconds between two looks for runs that are over their time

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
        hands: Hands,
        finisher: Finisher,
        *,
        metrics: WorkerMetrics,
        on_over: Callable[[Hint, float], None],  # and how long it ran
    ) -> None:
        self._runnables = runnables
        self._hands = hands
        self._finisher = finisher
        self._metrics = metrics
        self._on_over = on_over
        self._runs: dict[Delivery, Run] = {}
        self._aside = Aside()
        self._adopting = asyncio.Lock()  # in turn: each looks for what the one before it left under its name

    def __len__(self) -> int:
        return len(self._runs)

    def hints(self) -> list[Hint]:
        return [delivery.hint for delivery in self._runs]

    def take_progress(self) -> dict[Delivery, Progress]:
        moved, self._hands.moved = self._hands.moved, {}
        return moved

    def running(self) -> list[asyncio.Task[Any]]:
        return [run.task for run in self._runs.values() if run.task is not None]

    def wants_quiet(self, slots: int) -> bool:
        """No further claims: a suspect runs alone, or Postgres lags behind with the ends."""
        return len(self._finisher) > 2 * slots or any(delivery.suspect for delivery in self._runs)

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

    async def watch(self) -> None:
        """Stop what runs over its time. One look at all of them: a timer for each would cost more than most runs do."""
        while True:
            await asyncio.sleep(WATCH)
            now = time.monotonic()
            for run in list(self._runs.values()):
                if run.ends_by <= now:
                    run.stop(Stop.TIMEOUT)

    def adopt_soon(self, old: UUID, new: UUID) -> None:
        """The worker's lease ran out and it is registered anew: keep what rescue has not given away, drop the rest."""
        self._aside.start(self._adopt(old, new))

    async def _deliver(self, run: Run) -> None:
        delivery = run.delivery
        context = JobContext(run.delivery, self._hands, run.shield)
        ending: Ending | None = None
        try:
            if (runnable := self._runnables.get(delivery.kind)) is None:
                reason = f"no worker of this release runs {delivery.kind}"
                ending = Ending(delivery, End.RELEASED, error_detail=reason, delay=UNKNOWN_KIND_DELAY)
            else:
                ending = await execute(run, runnable.kind, runnable.function, context)
        finally:
            run.shield()
            del self._runs[delivery]
            self._on_over(delivery.hint, time.monotonic() - run.began)
        if context.ended is not None:
            ending = Ending(delivery, End.DONE)
        self._metrics.ran(delivery.kind, ending.end.value if ending else DROPPED, time.monotonic() - run.began)
        if ending is None:
            self._finisher.refuse([delivery])
        else:
            self._finisher.add(ending, context.ended)

    async def _adopt(self, old: UUID, new: UUID) -> None:
        async with self._adopting:
            runs = [run for run in self._runs.values() if run.delivery.worker_id == old]
            tries = 0
            while True:
                try:
                    async with self._hands.database.ledger.acquire() as connection:
                        kept = await adopt(connection, old, new, [run.delivery for run in runs])
                    break
                except TRY_AGAIN:
                    tries += 1
                    await asyncio.sleep(RECONNECT.delay(tries))
            for run in runs:
                if run.delivery.job_id in kept:
                    run.delivery.worker_id = new
                else:
                    run.stop(Stop.LOST)
