"""One lane of either store, with a worker that serves it: for what must hold of both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.engine.lanes import LaneStore, LedgerLanes
from app.engine.ledger.begin import Delivery, Verdict
from app.engine.ledger.finish import End, Ended, Ending
from app.engine.ledger.newjob import Accepted, LaneFull, LaneKey
from app.engine.ledger.rows import Hint, JobRow
from app.engine.memory import MemoryLanes
from app.kit.db import Database
from tests.support.jobs import QUEUE, new_job

LEASE = 600.0


@dataclass
class Lane:
    """One lane of one store, and a worker that serves it."""

    store: LaneStore
    key: LaneKey
    worker: UUID
    later: Callable[[float], Awaitable[None]]  # so many seconds pass

    async def ask(self, **fields: Any) -> Accepted | LaneFull:
        tenant_id, queue, lane_id = self.key
        request = new_job(**{"tenant_id": tenant_id, "queue": queue, "lane_id": lane_id} | fields)
        [answer] = await self.store.enter([request])
        assert isinstance(answer, Accepted | LaneFull)
        return answer

    async def enter(self, **fields: Any) -> JobRow:
        answer = await self.ask(**fields)
        assert isinstance(answer, Accepted), answer
        return answer.job

    async def begin(self, job: JobRow | Delivery, **options: Any) -> Delivery:
        begun = await self.store.begin(Hint(job.job_id, job.attempt + 1), self.worker, **options)
        assert begun.verdict is Verdict.RUN, begun
        assert begun.delivery is not None
        return begun.delivery

    async def verdict(self, job: JobRow | Delivery, **options: Any) -> Verdict:
        return (await self.store.begin(Hint(job.job_id, job.attempt + 1), self.worker, **options)).verdict

    async def end(self, delivery: Delivery, how: End = End.DONE, **fields: Any) -> Ended | None:
        given: dict[str, Any] = {"result": "1"} if how is End.DONE else {}
        return await self.store.end(Ending(delivery, how, **given | fields))

    async def head(self) -> UUID | None:
        due = await self.store.head(self.key)
        return due.hint.job_id if due is not None else None

    async def live(self) -> list[UUID]:
        return [job.job_id for job in await self.store.live(self.key)]

    async def status(self, job: JobRow) -> str:
        row = await self.store.read(job.tenant_id, job.job_id)
        assert row is not None
        return row.status

    async def attempts(self, job: JobRow) -> list[str]:
        return await self.store.attempts(job.tenant_id, job.job_id)


def memory_store() -> tuple[LaneStore, Callable[[float], Awaitable[None]]]:
    passed = timedelta()

    async def later(seconds: float) -> None:
        nonlocal passed
        passed += timedelta(seconds=seconds)

    return MemoryLanes(environment="test", clock=lambda: datetime.now(UTC) + passed), later


def ledger_store(database: Database, tenant: str) -> tuple[LaneStore, Callable[[float], Awaitable[None]]]:
    async def later(seconds: float) -> None:
        """What lies ahead comes nearer, and what has been was longer ago."""
        async with database.ledger.acquire() as connection:
            for statement in (
                "update lanes set last_at = last_at - make_interval(secs => $1) where tenant_id = $2",
                "update jobs set run_at = run_at - make_interval(secs => $1) where tenant_id = $2",
            ):
                await connection.execute(statement, seconds, tenant)

    return LedgerLanes(database, QUEUE), later
