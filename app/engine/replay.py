"""Retry many failed jobs: chosen once, then queued again batch by batch, each in a transaction of its own.

Whatever dies in between, a batch is either queued again as a whole or still failed, and a repetition finds the rest.
What was queued but not dispatched is swept within a second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from app.engine.events import Event, EventLog
from app.engine.ledger.dispatching import lane_heads
from app.engine.ledger.replay import DeadLetters, oldest_failed
from app.engine.ledger.retry import retry_many
from app.engine.ledger.rows import Due, JobRow
from app.engine.submit import Submitter
from app.kit.db import Connection

BATCH = 500
LARGEST_REPLAY = 10_000

Transaction = Callable[[], AbstractAsyncContextManager[Connection]]
Record = Callable[[Connection, int], Awaitable[None]]


async def replay(
    wanted: DeadLetters,
    *,
    limit: int,
    transaction: Transaction,
    record: Record,  # within each batch's transaction: how many jobs it queued
    submitter: Submitter,
    events: EventLog,
) -> int:
    """How many jobs were queued again; one that somebody else has retried meanwhile is not among them."""
    async with transaction() as connection:
        letters = await oldest_failed(connection, wanted, limit)
    replayed = 0
    for start in range(0, len(letters), BATCH):
        tenants, jobs = zip(*letters[start : start + BATCH], strict=True)
        async with transaction() as connection:
            rows = await retry_many(connection, tenants, jobs, failed_before=wanted.failed_before)
            await record(connection, len(rows))
            dues = await _dues(connection, rows)
        replayed += len(rows)
        # The events go first, or a quick worker would tell `started` before them.
        await events.tell([_queued(row) for row in rows])
        for queue, due in dues.items():
            await submitter.redispatch(queue, due)
    return replayed


async def _dues(connection: Connection, rows: Sequence[JobRow]) -> dict[str, list[Due]]:
    """What may be hinted at by queue: jobs outside lanes, and of lanes the heads."""
    dues: dict[str, list[Due]] = defaultdict(list)
    lanes: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        if row.lane_id is None:
            dues[row.queue].append(row.due())
        else:
            lanes[row.queue].add((row.tenant_id, row.lane_id))
    for queue, of_queue in lanes.items():
        dues[queue] += await lane_heads(connection, queue, sorted(of_queue))
    return dues


def _queued(row: JobRow) -> Event:
    return Event(row.tenant_id, row.job_id, row.attempt, "queued", {"queue": row.queue, "kind": row.kind})
