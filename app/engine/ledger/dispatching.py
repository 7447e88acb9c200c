"""Which queued jobs need a hint in Redis, and the note that they have one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.engine.ledger.rows import HINTED, Due, Hint
from app.kit.db import Connection


async def undispatched(
    connection: Connection, queue: str, *, only_tenant: str | None = None, limit: int = 1000
) -> list[Due]:
    """Queued jobs without a hint: never dispatched, handed back, rescued, or head of their lane only now."""
    return _due(await connection.fetch(_UNDISPATCHED, queue, only_tenant, limit))


async def lane_heads(connection: Connection, queue: str, lanes: Iterable[tuple[str, str]]) -> list[Due]:
    """The next job of each (tenant, lane), where it waits for a hint."""
    tenants, lane_ids = zip(*lanes, strict=True)
    return _due(await connection.fetch(_LANE_HEADS, queue, list(tenants), list(lane_ids)))


async def mark_dispatched(connection: Connection, hints: Sequence[Hint]) -> None:
    """Redis holds these hints now. A job that went on in the meantime, or just does, is left alone: a lock is not worth
    waiting for, and waiting for several could deadlock with the workers that begin them."""
    await connection.execute(_MARK, [hint.job_id for hint in hints], [hint.attempt for hint in hints])


async def forget_hints(connection: Connection, hints: Sequence[Hint]) -> None:
    """Redis may have lost these hints: they are to be dispatched again."""
    await connection.execute(_FORGET_HINTS, [hint.job_id for hint in hints], [hint.attempt for hint in hints])


async def forget_dispatches(connection: Connection, queue: str) -> int:
    """Redis has forgotten this queue: every queued job needs a new hint. Returns how many do."""
    status: str = await connection.execute(_FORGET, queue)
    return int(status.rpartition(" ")[2])


def _due(records: list[Any]) -> list[Due]:
    return [
        Due(Hint(r["job_id"], r["attempt"] + 1), r["tenant_id"], r["bulk"], r["priority"], r["run_at"]) for r in records
    ]


# Jobs outside lanes stand in an index of their own. Of the others only lanes' heads may be due, and a lane may hold
# thousands that wait: so the index of live lane jobs is stepped through from lane to lane, one row each.
_UNDISPATCHED = f"""
with recursive head as (
    select coalesce($2, '') as tenant_id, '' as lane_id, null::uuid as job_id
    union all
    select next.tenant_id, next.lane_id, next.job_id
    from head cross join lateral (
        select j.tenant_id, j.lane_id, j.job_id from jobs j
        where j.queue = $1 and j.status in ('queued', 'processing') and j.lane_id is not null
          and (j.tenant_id, j.lane_id) > (head.tenant_id, head.lane_id)
        order by j.tenant_id, j.lane_id, j.lane_seq limit 1) next
    where $2::text is null or head.tenant_id = $2
), found as (
    (select j.job_id, j.attempt, j.tenant_id, j.bulk, j.priority, j.run_at, greatest(j.created_at, j.run_at) as due
     from jobs j
     where j.queue = $1 and j.status = 'queued' and j.lane_id is null and {HINTED} = 0
       and ($2::text is null or j.tenant_id = $2)
     order by greatest(j.created_at, j.run_at) limit $3)
    union all
    (select j.job_id, j.attempt, j.tenant_id, j.bulk, j.priority, j.run_at, greatest(j.created_at, j.run_at)
     from head join jobs j on j.job_id = head.job_id and j.tenant_id = head.tenant_id
          and j.status is not distinct from 'queued' and j.dispatched_at is null
     where $2::text is null or j.tenant_id = $2)
)
select job_id, attempt, tenant_id, bulk, priority, run_at from found
where not exists (select 1 from queue_controls control where control.queue = $1 and control.paused)
order by due limit $3
"""

_LANE_HEADS = """
select head.job_id, head.attempt, head.tenant_id, head.bulk, head.priority, head.run_at
from unnest($2::text[], $3::text[]) as ended (tenant_id, lane_id)
cross join lateral (
    select j.job_id, j.attempt, j.tenant_id, j.bulk, j.priority, j.run_at, j.status, j.dispatched_at from jobs j
    where j.tenant_id = ended.tenant_id and j.queue = $1 and j.lane_id = ended.lane_id
      and j.status in ('queued', 'processing')
    order by j.lane_seq limit 1) head
where head.status = 'queued' and head.dispatched_at is null
"""

_MARK = """
with hinted as materialized (
    select j.job_id, j.tenant_id
    from unnest($1::uuid[], $2::int[]) as hint (job_id, attempt)
    join jobs j on j.job_id = hint.job_id and j.attempt = hint.attempt - 1 and j.status is not distinct from 'queued'
         and j.dispatched_at is null
    for no key update of j skip locked
)
update jobs j set dispatched_at = now()
from hinted where j.job_id = hinted.job_id and j.tenant_id = hinted.tenant_id
"""

_FORGET = "update jobs set dispatched_at = null where queue = $1 and status = 'queued' and dispatched_at is not null"

_FORGET_HINTS = """
update jobs j set dispatched_at = null
from unnest($1::uuid[], $2::int[]) as hint (job_id, attempt)
where j.job_id = hint.job_id and j.attempt = hint.attempt - 1 and j.status is not distinct from 'queued'
"""
