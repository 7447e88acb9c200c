"""Find failed jobs by what they have in common, to be retried together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from app.engine.ledger.pages import Bound, groups, has_error
from app.kit.db import Connection


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Which failed jobs. `failed_before` keeps out those that fail again in the meantime."""

    failed_before: datetime
    tenant_id: str | None = None  # None: of all tenants
    queue: str | None = None
    kind: str | None = None
    error: str | None = None
    failed_after: datetime | None = None


class DeadLetter(NamedTuple):
    tenant_id: str
    job_id: UUID


async def count_failed(connection: Connection, wanted: DeadLetters) -> int:
    bound = Bound()
    found = _found(bound, wanted)
    count: int = await connection.fetchval(f"with {found} select count(*) from found", *bound.values)
    return count


async def oldest_failed(connection: Connection, wanted: DeadLetters, limit: int) -> Sequence[DeadLetter]:
    """In the order in which they are to be retried: within a lane, that is the lane's own."""
    return [DeadLetter(*record) for record in await _oldest(connection, wanted, limit, "tenant_id, job_id")]


async def look_at_failed(connection: Connection, wanted: DeadLetters, limit: int) -> tuple[int, list[dict[str, Any]]]:
    """How many there are and the first of them, found in one pass."""
    columns = "job_id, tenant_id, queue, kind, lane_id, attempt, retries, error, error_detail, created_at, finished_at"
    rows = [dict(each) for each in await _oldest(connection, wanted, limit, f"{columns}, first.of_all")]
    of_all = [row.pop("of_all") for row in rows]
    return (of_all[0] if rows else 0), rows


async def _oldest(connection: Connection, wanted: DeadLetters, limit: int, columns: str) -> list[asyncpg.Record]:
    bound = Bound()
    found, at_most = _found(bound, wanted), bound(limit)
    statement = f"""
with {found}, first as (
    select tenant_id, job_id, lane_seq, created_at as at, count(*) over () as of_all from found
    order by lane_seq nulls first, created_at, job_id limit {at_most}
)
select {columns} from first join jobs j using (tenant_id, job_id)
order by first.lane_seq nulls first, first.at, job_id
"""
    records: list[asyncpg.Record] = await connection.fetch(statement, *bound.values)
    return records


def _found(bound: Bound, wanted: DeadLetters) -> str:
    group = groups(bound, wanted.tenant_id, queue=wanted.queue, kind=wanted.kind, status="failed")
    condition = f"j.finished_at < {bound(wanted.failed_before)}"
    if wanted.failed_after is not None:
        condition += f" and j.finished_at >= {bound(wanted.failed_after)}"
    if wanted.error is not None:
        condition += f" and {has_error(bound, wanted.error)}"
    return f"""{group}, found as (
    select j.tenant_id, j.job_id, j.lane_seq, j.created_at from tenant_group g
    join jobs j on j.tenant_id = g.tenant_id and j.queue = g.queue and j.kind = g.kind and j.status = 'failed'
    where {condition}
)"""
