"""Count a tenant's live jobs."""

from __future__ import annotations

from app.kit.db import Connection


async def count_live(connection: Connection, tenant_id: str) -> int:
    """Its jobs that wait or run."""
    count: int = await connection.fetchval(_COUNT, tenant_id)
    return count


# What waits is counted group by group in the index that lists are read from: one of its own would have to be written at
# each change of a job's status.
_COUNT = """
with recursive step as (
    select '' as queue, '' as kind
    union all
    select next.queue, next.kind
    from step cross join lateral (
        select j.queue, j.kind from jobs j
        where j.tenant_id = $1 and j.status <> 'processing' and (j.queue, j.kind) > (step.queue, step.kind)
        order by j.queue, j.kind limit 1) next
)
select coalesce(sum(waiting.jobs), 0)::bigint + (
           select count(*) from jobs where tenant_id = $1 and status = 'processing')
from step cross join lateral (
    select count(*) as jobs from jobs j
    where j.tenant_id = $1 and j.queue = step.queue and j.kind = step.kind
      and j.status = 'queued' and j.status <> 'processing') waiting
"""
