"""What operators read across tenants. A tenant's content is read for one job at a time, and by name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.engine.ledger.pages import JobFilter, page_of
from app.kit.db import Connection

_COLUMNS = (
    "job_id, tenant_id, queue, kind, status, step, progress, attempt, max_attempts, failures, losses, retries, "
    "priority, bulk, lane_id, lane_seq, error, error_detail, request_id, session_id, worker_id, created_at, "
    "updated_at, run_at, dispatched_at, started_at, begun_at, deadline_at, cancel_requested_at, finished_at"
)


async def list_across(connection: Connection, tenant_id: str | None, wanted: JobFilter) -> list[dict[str, Any]]:
    """Newest first, one row more than the limit."""
    return [dict(record) for record in await page_of(connection, tenant_id, wanted, _COLUMNS)]


async def read_across(connection: Connection, job_id: UUID) -> dict[str, Any] | None:
    record = await connection.fetchrow(f"select {_COLUMNS} from jobs where job_id = $1", job_id)
    return dict(record) if record else None


async def read_content(connection: Connection, tenant_id: str, job_id: UUID) -> list[tuple[str, str | None]]:
    """The job's input and result, by name, as JSON."""
    record = await connection.fetchrow(_CONTENT, tenant_id, job_id)
    return list(record.items()) if record else []


async def lanes_after(
    connection: Connection, queue: str, tenant_id: str | None, after: tuple[str, str], *, waiting: int, limit: int
) -> list[dict[str, Any]]:
    """Live lanes of a queue in the order of (tenant, lane) in which at least so many jobs wait."""
    records = await connection.fetch(_LANES, queue, *after, tenant_id, waiting, limit)
    return [dict(record) for record in records]


_CONTENT = """
select input::text as input, result::text as result from jobs where tenant_id = $1 and job_id = $2
"""

# From lane to lane by one look into the index each, for as long as the page has room.
_LANES = """
with recursive lane as (
    select greatest($2, coalesce($4, '')) as tenant_id,
           case when $2 >= coalesce($4, '') then $3 else '' end as lane_id, null::uuid as head_id
    union all
    select next.* from lane cross join lateral (
        select j.tenant_id, j.lane_id, j.job_id from jobs j
        where j.queue = $1 and j.status in ('queued', 'processing') and j.lane_id is not null
          and (j.tenant_id, j.lane_id) > (lane.tenant_id, lane.lane_id)
        order by j.tenant_id, j.lane_id, j.lane_seq limit 1) next
    where $4::text is null or lane.tenant_id = $4
)
select $1 as queue, lane.tenant_id, lane.lane_id, lane.head_id, head.status as head_status, head.kind as head_kind,
       head.worker_id, head.begun_at, head.run_at, behind.waiting, behind.oldest_wait_seconds
from lane
join jobs head on head.job_id = lane.head_id and head.tenant_id = lane.tenant_id
cross join lateral (
    select count(*) as waiting, extract(epoch from now() - min(j.created_at))::float8 as oldest_wait_seconds from jobs j
    where j.queue = $1 and j.tenant_id = lane.tenant_id and j.lane_id = lane.lane_id
      and j.status in ('queued', 'processing') and j.job_id <> lane.head_id
) behind
where ($4::text is null or lane.tenant_id = $4) and behind.waiting >= $5
limit $6
"""
