"""Which queued jobs need a hint in Redis, and the note that they have one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from app.engine.ledger.rows import HINTED, LANE_HEAD, Due, Hint
from app.kit.db import Connection

Place: TypeAlias = tuple[datetime, UUID]
_FIRST: Place = (datetime.min.replace(tzinfo=UTC), UUID(int=0))


async def undispatched(
    connection: Connection, queue: str, *, only_tenant: str | None = None, limit: int = 1000
) -> list[Due]:
    """Queued jobs without a hint: never dispatched, handed back, rescued, or head of their lane only now."""
    return _due(await connection.fetch(_UNDISPATCHED, queue, only_tenant, limit))


async def lane_heads(connection: Connection, queue: str, lanes: Iterable[tuple[str, str]]) -> list[Due]:
    """The next job of each (tenant, lane), where it waits for a hint."""
    tenants, lane_ids = zip(*lanes, strict=True)
    return _due(await connection.fetch(_LANE_HEADS, queue, list(tenants), list(lane_ids)))


async def mark_dispatched(connection: Connection, hints: Sequence[Hint], epochs: Sequence[str]) -> None:
    """Redis holds these hints, taken in these epochs; of an epoch that has passed, it holds nothing any more.

    A job that went on in the meantime, or just does, is left alone: a lock is not worth waiting for, and waiting for
    several could deadlock with the workers that begin them.
    """
    columns = ([hint.job_id for hint in hints], [hint.attempt for hint in hints], list(epochs))
    await connection.execute(_MARK, *columns, list(set(epochs)))


async def current_epoch(connection: Connection, queue: str) -> str | None:
    """The life of Redis that this queue's notes speak of."""
    epoch: str | None = await connection.fetchval("select epoch from queue_controls where queue = $1", queue)
    return epoch


async def enter_epoch(connection: Connection, queue: str, epoch: str) -> None:
    """From now on, notes about hints of earlier epochs are void; those under way are waited for."""
    await connection.execute(_ENTER_EPOCH, queue, epoch)


async def noted_page(
    connection: Connection, queue: str, after: Place | None, limit: int
) -> tuple[list[Due], Place | None]:
    """Queued jobs outside lanes of which a hint was noted, by the moment they may run from; and where to go on."""
    records = await connection.fetch(_NOTED, queue, *(after or _FIRST), limit)
    place = (records[-1]["due"], records[-1]["job_id"]) if len(records) == limit else None
    return _due(records), place


async def all_lane_heads(connection: Connection, queue: str) -> list[Due]:
    """The head of every lane of this queue that waits, whatever was noted of it."""
    return _due(await connection.fetch(_ALL_HEADS, queue, None))


def _due(records: list[Any]) -> list[Due]:
    return [
        Due(Hint(r["job_id"], r["attempt"] + 1), r["tenant_id"], r["bulk"], r["priority"], r["run_at"]) for r in records
    ]


# Jobs outside lanes stand in an index of their own. Of the others only lanes' heads may be due, and a lane may hold
# thousands that wait: so the index of live lane jobs is stepped through from lane to lane, one row each.
_HEADS = """head as (
    select coalesce($2, '') as tenant_id, '' as lane_id, null::uuid as job_id
    union all
    select next.tenant_id, next.lane_id, next.job_id
    from head cross join lateral (
        select j.tenant_id, j.lane_id, j.job_id from jobs j
        where j.queue = $1 and j.status in ('queued', 'processing') and j.lane_id is not null
          and (j.tenant_id, j.lane_id) > (head.tenant_id, head.lane_id)
        order by j.tenant_id, j.lane_id, j.lane_seq limit 1) next
    where $2::text is null or head.tenant_id = $2
)"""

_UNDISPATCHED = f"""
with recursive {_HEADS}, found as (
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

# The share lock lets a new epoch wait for notes under way, and notes that come later find that theirs has passed.
_MARK = f"""
with current as materialized (
    select epoch from queue_controls where epoch = any($4::text[]) for share
), hinted as materialized (
    select j.job_id, j.tenant_id
    from unnest($1::uuid[], $2::int[], $3::text[]) as hint (job_id, attempt, epoch)
    join current using (epoch)
    join jobs j on j.job_id = hint.job_id and j.attempt = hint.attempt - 1 and j.status is not distinct from 'queued'
         and j.dispatched_at is null and {LANE_HEAD}
    for no key update of j skip locked
)
update jobs j set dispatched_at = now()
from hinted where j.job_id = hinted.job_id and j.tenant_id = hinted.tenant_id
"""

_ENTER_EPOCH = """
insert into queue_controls as control (queue, epoch) values ($1, $2)
on conflict (queue) do update set epoch = excluded.epoch
"""

_NOTED = f"""
select j.job_id, j.attempt, j.tenant_id, j.bulk, j.priority, j.run_at, greatest(j.created_at, j.run_at) as due
from jobs j
where j.queue = $1 and j.status = 'queued' and j.lane_id is null and {HINTED} = 1
  and greatest(j.created_at, j.run_at) >= $2 and (greatest(j.created_at, j.run_at), j.job_id) > ($2, $3)
order by greatest(j.created_at, j.run_at), j.job_id limit $4
"""

_ALL_HEADS = f"""
with recursive {_HEADS}
select j.job_id, j.attempt, j.tenant_id, j.bulk, j.priority, j.run_at
from head join jobs j on j.job_id = head.job_id and j.tenant_id = head.tenant_id
     and j.status is not distinct from 'queued'
"""
