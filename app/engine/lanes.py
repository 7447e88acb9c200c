"""Lanes as a mechanism: who gets in, who may begin, and what an end makes of the lane.

A lane lives in Postgres alone (docs/adr/0020-lanes-live-in-postgres.md). `LedgerLanes` asks the ledger's own verbs;
`MemoryLanes` (memory.py) is its twin for tests without servers. One suite holds both to the same sentences:
tests/integration/test_lane_conformance.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID, uuid4

from app.engine.ledger.begin import Begun, begin
from app.engine.ledger.cancel import cancel
from app.engine.ledger.dispatching import lane_heads
from app.engine.ledger.finish import Ended, Ending, finish
from app.engine.ledger.heartbeat import WorkerCard, deregister, register
from app.engine.ledger.newjob import Answer, LaneKey, NewJob
from app.engine.ledger.pages import JobFilter
from app.engine.ledger.read import list_jobs, read_attempts, read_job
from app.engine.ledger.rescue import rescue
from app.engine.ledger.retry import retry
from app.engine.ledger.rows import Due, Hint, JobRow
from app.engine.ledger.submit import submit
from app.kit.db import Database
from app.kit.ids import uuid7

DEADLINE_GRACE = 30.0  # seconds that a delivery may run beyond its kind's time-out


class LaneStore(Protocol):
    """One queue's lanes. Whoever comes second changes nothing, and is told so."""

    async def join(self, lease: float) -> UUID:
        """A worker that may begin deliveries for so many seconds."""
        ...

    async def lose(self, worker_id: UUID) -> None:
        """The worker has died: what it ran goes back to the place that it had."""
        ...

    async def enter(self, requests: Sequence[NewJob]) -> list[Answer]:
        """Numbers in the lane, an earlier job that was meant, or a refusal: the n-th answer is the n-th request's."""
        ...

    async def head(self, lane: LaneKey) -> Due | None:
        """The lane's next delivery; None while one runs or nobody waits."""
        ...

    async def begin(self, hint: Hint, worker_id: UUID, *, token: UUID | None = None, alone: bool = False) -> Begun:
        """Become the lane's holder, or hear why not."""
        ...

    async def end(self, ending: Ending) -> Ended | None:
        """None: the job went on without this delivery, and nothing was written."""
        ...

    async def cancel(self, tenant_id: str, job_id: UUID) -> JobRow | None:
        """Waiting: at once. Running: the lane stays held until its worker has stopped. None: it has ended."""
        ...

    async def retry(self, tenant_id: str, job_id: UUID) -> JobRow | None:
        """A person's retry of a failed job, at the lane's tail. None: it has not failed."""
        ...

    async def read(self, tenant_id: str, job_id: UUID) -> JobRow | None: ...

    async def live(self, lane: LaneKey) -> list[JobRow]:
        """Whoever waits or runs, in the lane's order."""
        ...

    async def attempts(self, tenant_id: str, job_id: UUID) -> list[str]:
        """How the job's deliveries ended, in order; the one that runs is the last."""
        ...


class LedgerLanes:
    """The lanes of one queue as they are: each word is the ledger's verb of that name, committed by itself."""

    def __init__(self, database: Database, queue: str) -> None:
        self._ledger = database.ledger
        self._queue = queue

    async def join(self, lease: float) -> UUID:
        worker_id = uuid7()
        async with self._ledger.acquire() as connection:
            await register(connection, worker_id, WorkerCard(self._queue, "lanes", 0, "0", 1), lease)
        return worker_id

    async def lose(self, worker_id: UUID) -> None:
        async with self._ledger.acquire() as connection:
            await deregister(connection, worker_id)
            await rescue(connection, self._queue)

    async def enter(self, requests: Sequence[NewJob]) -> list[Answer]:
        async with self._ledger.acquire() as connection:
            return await submit(connection, requests)

    async def head(self, lane: LaneKey) -> Due | None:
        tenant_id, queue, lane_id = lane
        async with self._ledger.acquire() as connection:
            heads = await lane_heads(connection, queue, [(tenant_id, lane_id)])
        return heads[0] if heads else None

    async def begin(self, hint: Hint, worker_id: UUID, *, token: UUID | None = None, alone: bool = False) -> Begun:
        async with self._ledger.acquire() as connection:
            [begun] = await begin(
                connection,
                [hint],
                [token or uuid4()],
                queue=self._queue,
                worker_id=worker_id,
                deadline_grace=DEADLINE_GRACE,
                alone=alone,
            )
        return begun

    async def end(self, ending: Ending) -> Ended | None:
        async with self._ledger.acquire() as connection:
            return (await finish(connection, [ending])).get(ending.delivery.hint)

    async def cancel(self, tenant_id: str, job_id: UUID) -> JobRow | None:
        async with self._ledger.acquire() as connection:
            return await cancel(connection, tenant_id, job_id)

    async def retry(self, tenant_id: str, job_id: UUID) -> JobRow | None:
        async with self._ledger.acquire() as connection, connection.transaction():
            return await retry(connection, tenant_id, job_id)

    async def read(self, tenant_id: str, job_id: UUID) -> JobRow | None:
        async with self._ledger.acquire() as connection:
            return await read_job(connection, tenant_id, job_id)

    async def live(self, lane: LaneKey) -> list[JobRow]:
        tenant_id, queue, lane_id = lane
        found: list[JobRow] = []
        async with self._ledger.acquire() as connection:
            for status in ("processing", "queued"):
                wanted = JobFilter(queue=queue, lane=lane_id, status=status, limit=1000)
                found += await list_jobs(connection, tenant_id, wanted)
        return sorted(found, key=lambda job: job.lane_seq or 0)

    async def attempts(self, tenant_id: str, job_id: UUID) -> list[str]:
        async with self._ledger.acquire() as connection:
            return [each["status"] for each in await read_attempts(connection, tenant_id, job_id)]
