"""A queue with job functions of the test's own: the real runtime over real servers, in the test's process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from arq.connections import ArqRedis
from arq.worker import func

from app.engine.context import JobContext
from app.engine.diagnostics import Echo, whoami
from app.engine.dispatch import Dispatcher
from app.engine.events import EventLog, StreamEvent
from app.engine.inflight import Runnable
from app.engine.metrics import WorkerMetrics
from app.engine.policy import TenantPolicy
from app.engine.runtime import Runtime, RuntimeOptions
from app.engine.submit import Submitter
from app.engine.workload import JobKind
from app.kit import json
from app.kit.backoff import Backoff
from app.kit.db import Database
from app.kit.logging import configure_logging
from app.kit.metrics import Meter
from app.kit.redis import connect, disconnect
from tests.support.deployment import Deployment
from tests.support.jobs import attempts, new_job, row
from tests.support.waiting import eventually

JobFunction = Callable[[JobContext], Coroutine[Any, Any, Any]]

AT_ONCE = Backoff(first=0.0)
OPTIONS = RuntimeOptions(slots=5, grace=5.0, lease=5.0, heartbeat=0.5, host="test", version="0")


def runnable(name: str, function: JobFunction, **kind: Any) -> Runnable:
    given: dict[str, Any] = {"task": "", "input": Echo, "result": Echo, "summary": "", "max_attempts": 3}
    return Runnable(JobKind(name=name, **{"backoff": AT_ONCE} | given | kind), function)


def unread_metrics(queue: str) -> WorkerMetrics:
    """For parts of a worker that a test sets up by themselves."""
    return WorkerMetrics(Meter("test"), queue, ())


@dataclass
class Stage:
    """One queue of one deployment: submit to it, serve it, look at what became of it."""

    queue: str
    url: str  # of the queue's Redis
    database: Database
    redis: ArqRedis
    events: EventLog
    submitter: Submitter
    runnables: dict[str, Runnable] = field(default_factory=dict)
    functions: list[Any] = field(default_factory=lambda: [func(whoami)])
    shared: ArqRedis | None = None  # where permits are, for workers that heed a policy
    policy: TenantPolicy | None = None

    @property
    def dispatcher(self) -> Dispatcher:
        return Dispatcher(self.redis)

    def job(self, name: str, function: JobFunction, **kind: Any) -> str:
        """Teach this queue a kind of job; returns its name."""
        self.runnables[name] = runnable(name, function, **kind)
        return name

    async def submit(self, kind: str, value: Any = None, **fields: Any) -> UUID:
        known = self.runnables.get(kind)
        given: dict[str, Any] = {"timeout": 60.0, "max_attempts": 3}
        if known is not None:
            given = {"timeout": known.kind.timeout, "max_attempts": known.kind.max_attempts}
            given["permits"] = known.kind.permits_for(value)
        request = new_job(**given | {"queue": self.queue, "kind": kind, "input": json.text(value)} | fields)
        return (await self.submitter.submit(request)).job.job_id

    async def row(self, job_id: UUID) -> asyncpg.Record:
        async with self.database.ledger.acquire() as connection:
            return await row(connection, job_id)

    async def attempts(self, job_id: UUID) -> list[str]:
        async with self.database.ledger.acquire() as connection:
            return await attempts(connection, job_id)

    async def execute(self, statement: str, *arguments: Any) -> None:
        async with self.database.ledger.acquire() as connection:
            await connection.execute(statement, *arguments)

    async def ended(self, job_id: UUID, *, within: float = 20.0) -> asyncpg.Record:
        """The job's row once it is terminal."""

        async def look() -> asyncpg.Record | None:
            found = await self.row(job_id)
            return found if found["status"] in ("done", "failed", "cancelled") else None

        return await eventually(look, within=within, what=f"the end of job {job_id}")

    async def reaches(self, job_id: UUID, **fields: Any) -> asyncpg.Record:
        """The job's row once these fields have these values."""

        async def look() -> asyncpg.Record | None:
            found = await self.row(job_id)
            return found if all(found[name] == value for name, value in fields.items()) else None

        return await eventually(look, what=f"{fields} of job {job_id}")

    async def told(self, job_id: UUID, tenant: str = "demo") -> list[StreamEvent]:
        return await self.events.read(tenant, job_id)

    async def idles(self, runtime: Runtime) -> None:
        """It runs nothing, and waits to be called."""

        async def look() -> bool:
            return runtime._bell._reading is not None and not runtime.load

        await eventually(look, what="an idle worker")

    async def is_quiet(self) -> None:
        """Nothing is left on the queue, under a lease or in the ledger: what must be so when all has ended."""

        async def look() -> bool:
            return await self.dispatcher.depth() == (0, 0)

        await eventually(look, what="an empty queue without leases")

    @asynccontextmanager
    async def worker(self, **options: Any) -> AsyncIterator[Runtime]:
        """A worker of this queue, ready; drained at the end."""
        given = {name: getattr(OPTIONS, name) for name in RuntimeOptions.__slots__}
        runtime = Runtime(
            self.queue,
            self.runnables,
            self.functions,
            database=self.database,
            redis=self.redis,
            events=self.events,
            options=RuntimeOptions(**given | options),
            shared=self.shared,
            policy=self.policy,
        )
        ready = asyncio.Event()
        serving = asyncio.create_task(runtime.main(on_ready=ready.set))
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            yield runtime
        finally:
            waiting.cancel()
            runtime.drain()
            await serving


@asynccontextmanager
async def open_stage(deployment: Deployment, database: Database, queue: str = "base") -> AsyncIterator[Stage]:
    settings = deployment.settings()
    configure_logging(level="warning", json_lines=True)
    redis, shared = connect(settings.queues[queue].redis_url), connect(settings.shared_redis_url)
    events = EventLog(shared)
    submitter = Submitter(database, lambda _: redis)
    yield Stage(queue, settings.queues[queue].redis_url, database, redis, events, submitter, shared=shared)
    await submitter.drain()
    await disconnect(redis)
    await disconnect(shared)
