"""Jobs for the ledger's tests: made by hand, accepted by the ledger itself, looked at as they are."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import asyncpg

from app.engine.ledger.begin import Begun, Delivery, Verdict, begin
from app.engine.ledger.finish import End, Ended, Ending, finish
from app.engine.ledger.heartbeat import WorkerCard, register
from app.engine.ledger.rows import Hint, JobRow
from app.engine.ledger.submit import Accepted, NewJob, submit
from app.kit.db import Connection
from app.kit.ids import uuid7

QUEUE = "base"


def new_job(**fields: Any) -> NewJob:
    given: dict[str, Any] = {
        "tenant_id": "demo",
        "queue": QUEUE,
        "kind": "test.kind",
        "input": "{}",
        "max_attempts": 3,
        "timeout": 60.0,
    }
    return NewJob(**given | fields)


async def accepted(connection: Connection, *requests: NewJob) -> list[Accepted]:
    """Submit requests of which none is refused."""
    answers = await submit(connection, requests)
    for answer in answers:
        assert isinstance(answer, Accepted), answer
    return [answer for answer in answers if isinstance(answer, Accepted)]


async def queued(connection: Connection, **fields: Any) -> JobRow:
    """One accepted job."""
    return (await accepted(connection, new_job(**fields)))[0].job


async def live_worker(connection: Connection, *, lease: float = 600.0, queue: str = QUEUE) -> UUID:
    """A registered worker whose lease holds for as long as a test may take."""
    worker_id = uuid7()
    await register(connection, worker_id, WorkerCard(queue, "test-host", 1, "0", 10), lease)
    return worker_id


async def end_lease(connection: Connection, worker_id: UUID) -> None:
    """The worker looks dead from now on."""
    await connection.execute(
        "update workers set lease_until = clock_timestamp() - interval '1 second' where worker_id = $1", worker_id
    )


async def try_begin(connection: Connection, job: JobRow | Delivery, worker_id: UUID, **options: Any) -> Begun:
    """Begin the job's next delivery; the verdict, whatever it is."""
    attempt = job.attempt + 1
    hint = Hint(job.job_id, options.pop("attempt", attempt))
    token = options.pop("token", None) or uuid4()
    given: dict[str, Any] = {"queue": job.queue, "worker_id": worker_id, "deadline_grace": 30.0}
    return (await begin(connection, [hint], [token], **given | options))[0]


async def begun(connection: Connection, job: JobRow | Delivery, worker_id: UUID, **options: Any) -> Delivery:
    """A delivery that runs."""
    answer = await try_begin(connection, job, worker_id, **options)
    assert answer.verdict is Verdict.RUN, answer
    assert answer.delivery is not None
    return answer.delivery


async def end(connection: Connection, delivery: Delivery, how: End, **fields: Any) -> Ended | None:
    """End one delivery; None where the ledger refused."""
    if how is End.DONE:
        fields = {"result": "{}"} | fields
    return (await finish(connection, [Ending(delivery, how, **fields)])).get(delivery.hint)


async def row(connection: Connection, job_id: UUID) -> asyncpg.Record:
    """All of a job's row."""
    record = await connection.fetchrow("select * from jobs where job_id = $1", job_id)
    assert record is not None
    return record


async def attempts(connection: Connection, job_id: UUID) -> list[str]:
    """How the job's deliveries ended, in order."""
    records = await connection.fetch("select status from job_attempts where job_id = $1 order by attempt", job_id)
    return [record["status"] for record in records]
