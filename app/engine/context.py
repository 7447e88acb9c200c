"""What a job function gets: its input, its tenant's data, and the words to report with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from app.engine.events import Event, EventLog
from app.engine.ledger.begin import Delivery
from app.engine.ledger.finish import Ended, complete
from app.engine.ledger.progress import Progress
from app.engine.outbox import emit
from app.engine.outcomes import Done, Fail
from app.engine.results import result_text
from app.kit.db import Connection, Database, driver_connection
from app.kit.errors import StaleAttempt
from app.kit.failpoints import failpoint


@dataclass(slots=True)
class Hands:
    """What a worker's jobs work with."""

    database: Database
    events: EventLog
    moved: dict[Delivery, Progress] = field(default_factory=dict)  # the latest word of each, until all are written


class JobContext:
    """One delivery, as its job function sees it."""

    __slots__ = ("_delivery", "_hands", "_shield", "ended", "left_by_cancel")

    def __init__(self, delivery: Delivery, hands: Hands, shield: Callable[[bool], None]) -> None:
        self._delivery = delivery
        self._hands = hands
        self._shield = shield  # from cancels and lost leases, while a commit is under way
        self.ended: Ended | None = None  # set once `complete` has committed
        self.left_by_cancel: Callable[[], Done] = Done

    @property
    def job_id(self) -> str:
        return str(self._delivery.job_id)

    @property
    def tenant_id(self) -> str:
        return self._delivery.tenant_id

    @property
    def attempt(self) -> int:
        return self._delivery.attempt

    @property
    def failures(self) -> int:
        """Deliveries of this job that failed before this one."""
        return self._delivery.failures

    @property
    def input(self) -> Any:
        return self._delivery.input

    @property
    def traceparent(self) -> str | None:
        """The trace that it belongs to, for whatever it calls (W3C Trace Context)."""
        return self._delivery.traceparent

    def keep_when_cancelled(self, what: Callable[[], Done]) -> None:
        """What a cancel leaves of the work: asked for once the function has stopped, and committed with that end."""
        self.left_by_cancel = what

    async def progress(self, percent: int, step: str | None = None) -> None:
        """Tell how far the job is: readers of its events hear it now, its document within a second."""
        progress = Progress(max(0, min(100, percent)), step)
        self._hands.moved[self._delivery] = progress
        await self.tell("progress", {"progress": progress.percent, "step": step})

    async def tell(self, kind: str, data: dict[str, Any]) -> None:
        """Add an event to the job's stream; an earlier attempt's is refused there."""
        await self._hands.events.tell([Event(self.tenant_id, self._delivery.job_id, self.attempt, kind, data)])

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A transaction on the tenant's data that stands for itself: for reading, and for work that may repeat."""
        async with self._hands.database.session(self.tenant_id) as session:
            yield session

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """The same for statements alone: on the driver's connection, at a fraction of the cost."""
        async with self._hands.database.tenant(self.tenant_id) as connection:
            yield connection

    @asynccontextmanager
    async def complete(self, result: Any = None) -> AsyncIterator[AsyncSession]:
        """End the job with this result, together with all that the block writes: both commit, or neither does.

            async with ctx.complete({"exam_id": exam.id}) as session:
                session.add(exam)

        A result that only the block finds out is given as a function, which is called when the block has ended.
        Raises StaleAttempt, and writes nothing, where the job has gone on without this delivery.
        """
        kept = _kept(result)
        async with self._ending(), self._hands.database.session(self.tenant_id) as session:
            yield session
            await session.flush()
            await self._finish(await driver_connection(session), kept())

    @asynccontextmanager
    async def complete_raw(self, result: Any = None) -> AsyncIterator[Connection]:
        """The same for a block that only runs statements: on the driver's connection, at a fraction of the cost."""
        kept = _kept(result)
        async with self._ending(), self._hands.database.tenant(self.tenant_id) as connection:
            yield connection
            await self._finish(connection, kept())

    @asynccontextmanager
    async def _ending(self) -> AsyncIterator[None]:
        """Around a transaction that ends the job: `ended` is set once it has committed."""
        try:
            yield
        except BaseException:
            self._shield(False)
            self.ended = None
            raise
        failpoint("complete.committed")

    async def _finish(self, connection: Connection, result: str) -> None:
        self._shield(True)
        failpoint("complete.unfinished")
        try:
            ended = await complete(connection, self._delivery, result)
        except asyncpg.DataError as error:
            raise Fail("result_not_storable", f"The result cannot be stored: {error}") from error
        if ended is None:
            raise StaleAttempt(f"job {self.job_id} went on without attempt {self.attempt}")
        self.ended = ended

    async def emit(self, session: AsyncSession, topic: str, payload: dict[str, Any]) -> None:
        """Commit an effect on another workload together with this session's changes; the base worker relays it."""
        await emit(session, self.tenant_id, topic, payload)


def _kept(result: Any) -> Callable[[], str]:
    """The result as text: at once, so that one that cannot be kept fails before the block; or when it is known."""
    if callable(result):
        return lambda: result_text(result())
    text = result_text(result)
    return lambda: text
