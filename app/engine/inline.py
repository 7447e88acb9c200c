"""A queue that runs a job where it is submitted: for tests of job functions, without a server and without waiting.

Lanes, verdicts, retries, time-outs and outcomes are the engine's: what an end means is decided by the same code that a
worker runs (execute.py), and by the twin of the ledger (memory.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.engine.context import Hands, JobContext
from app.engine.events import Event, EventLog
from app.engine.execute import Run, Stop, execute
from app.engine.inflight import Runnable
from app.engine.ledger.begin import Delivery, Verdict
from app.engine.ledger.finish import End, Ended
from app.engine.ledger.newjob import Accepted, NewJob
from app.engine.ledger.rows import Due, Hint, JobRow
from app.engine.memory import MemoryLanes, only_in_tests
from app.engine.outcomes import Write
from app.kit.db import Database
from app.kit.errors import ConfigurationError, Refusal

LEASE = 1e9  # seconds: the worker of an inline queue is the test itself
ENDLESS = 1000  # deliveries after which a job that never ends is a mistake of the test


class InlineQueue:
    """`submit` returns when the job, and whoever waited behind it in its lane, has ended."""

    def __init__(self, runnables: Iterable[Runnable], *, environment: str) -> None:
        only_in_tests("InlineQueue", environment)
        self.lanes = MemoryLanes(environment=environment, clock=self._now)
        self.told: list[Event] = []  # what the functions reported
        self.written: list[Write] = []  # the rows that their ends carried
        self._runnables = {each.kind.name: each for each in runnables}
        self._hands = Hands(_NoDatabase(), _Told(self.told))
        self._skipped = timedelta()  # nobody waits here for a retry's moment: the clock goes there
        self._runs: dict[UUID, Run] = {}
        self._worker_id: UUID | None = None

    async def submit(self, request: NewJob) -> Accepted:
        """As the real door answers, but with the job as it ended; raises what that door refuses."""
        if request.kind not in self._runnables:
            raise ConfigurationError(f"No function runs {request.kind} here.", cure="Give InlineQueue its Runnable.")
        [answer] = await self.lanes.enter([request])
        if isinstance(answer, Refusal):
            raise answer
        if request.lane_id is None:
            await self._drive(answer.job.due())
        else:
            while (head := await self.lanes.head(request.lane)) is not None:
                await self._drive(head)
        answer.job = await self._read(answer.job)
        return answer

    async def cancel(self, tenant_id: str, job_id: UUID) -> JobRow | None:
        cancelled = await self.lanes.cancel(tenant_id, job_id)
        if cancelled is not None and (run := self._runs.get(job_id)) is not None:
            run.stop(Stop.CANCEL)
        return cancelled

    async def _drive(self, due: Due) -> None:
        """One job, from delivery to delivery, until it has ended."""
        self._worker_id = self._worker_id or await self.lanes.join(LEASE)
        hint = due.hint
        for _ in range(ENDLESS):
            begun = await self.lanes.begin(hint, self._worker_id, alone=True)
            if begun.verdict is Verdict.LATER:
                self._skipped += timedelta(seconds=begun.wait)
                continue
            if begun.delivery is None:
                return
            ended = await self._deliver(begun.delivery)
            if ended is None or ended.status != "queued":
                return
            hint = Hint(ended.job_id, ended.attempt + 1)
        raise ConfigurationError(
            f"Job {hint.job_id} has not ended in {ENDLESS} deliveries.", cure="Have its function stop snoozing."
        )

    async def _deliver(self, delivery: Delivery) -> Ended | None:
        runnable = self._runnables[delivery.kind]
        run = self._runs[delivery.job_id] = Run(delivery)
        context = JobContext(delivery, self._hands, run.shield)
        run.task = asyncio.create_task(execute(run, runnable.kind, runnable.function, context))
        alarm = asyncio.get_running_loop().call_later(delivery.timeout, run.stop, Stop.TIMEOUT)
        try:
            ending = await run.task
        finally:
            alarm.cancel()
            del self._runs[delivery.job_id]
        if ending is None:
            return None
        ended = await self.lanes.end(ending)
        if ended is not None and ending.end in (End.DONE, End.CANCELLED):
            self.written += ending.writes
        return ended

    async def _read(self, job: JobRow) -> JobRow:
        row = await self.lanes.read(job.tenant_id, job.job_id)
        assert row is not None
        return row

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._skipped


class _Told(EventLog):
    """Keeps what the functions report, in their order."""

    def __init__(self, told: list[Event]) -> None:
        self._told = told

    async def tell(self, events: Iterable[Event]) -> None:
        self._told.extend(events)


class _NoDatabase(Database):
    """What a function of an inline queue finds behind `ctx.session` and `ctx.complete`."""

    def __init__(self) -> None:
        pass

    @asynccontextmanager
    async def session(self, tenant_id: str) -> AsyncIterator[AsyncSession]:
        raise ConfigurationError(
            f"An inline queue has no database, and the job wants rows of {tenant_id}.",
            cure="Test a job that reads or writes rows on a Stage, over real servers (tests/support/stage.py).",
        )
        yield  # what makes it a context manager, as the real one is
