"""Remove what a tenant has kept for long enough, and remember that it was: a job past retention is gone, not unknown.

No index is kept for this. A job ends after it was created, so what ended before the horizon stands at the old end of
its group in `jobs_by_group`; only what lived for very long stands there too, and the cursor steps over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from app.kit.db import Connection

BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))  # before every job


class Expired(NamedTuple):
    """A job that goes: what whoever keeps something of its own about it needs to know."""

    job_id: UUID
    tenant_id: str
    queue: str
    kind: str
    created_at: datetime


class Group(NamedTuple):
    """Jobs of one tenant, one queue, one kind and one end; a tenant has few."""

    tenant_id: str
    queue: str
    kind: str
    status: str


async def old_groups(connection: Connection, tenant_id: str, days: int) -> list[Group]:
    """The groups in which there is something that may be past retention."""
    return [Group(*record) for record in await connection.fetch(_GROUPS, tenant_id, days)]


async def hold_expired(
    connection: Connection, group: Group, days: int, *, after: tuple[datetime, UUID] = BEGINNING, limit: int
) -> list[Expired]:
    """Lock the group's oldest jobs that ended before the horizon; for the rest of the caller's transaction."""
    return [Expired(*record) for record in await connection.fetch(_HOLD, *group, days, *after, limit)]


async def remove(connection: Connection, tenant_id: str, job_ids: Sequence[UUID]) -> None:
    """Delete these jobs with their attempts and keys, and leave a tombstone of each."""
    await connection.execute(_REMOVE, tenant_id, list(job_ids))


async def forget_tombstones(connection: Connection, tenant_id: str, days: int, limit: int) -> int:
    return _count(await connection.execute(_FORGET_TOMBSTONES, tenant_id, days, limit))


async def remove_idle_lanes(connection: Connection, tenant_id: str, days: int, limit: int) -> int:
    """Lanes that nobody has used since the horizon and of which no job is left, not even one that could be retried."""
    return _count(await connection.execute(_IDLE_LANES, tenant_id, days, limit))


async def remove_delivered(connection: Connection, limit: int) -> int:
    """Effects that became jobs more than a day ago, the shortest time that a tenant may keep its jobs for."""
    return _count(await connection.execute(_DELIVERED, limit))


async def remove_dead_workers(connection: Connection) -> int:
    """Workers of queues that nobody serves any more: elsewhere the queue's reconciler forgets the dead."""
    return _count(await connection.execute(_DEAD_WORKERS))


async def has_expired(connection: Connection, tenant_id: str, job_id: UUID) -> bool:
    """Whether the tenant had this job once."""
    return await connection.fetchval(_HAS_EXPIRED, tenant_id, job_id) is not None


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])


# Steps from group to group; a `distinct` would read every job of the tenant.
_GROUPS = """
with recursive step as (
    (select tenant_id, queue, kind, status from jobs where tenant_id = $1 and status <> 'processing'
     order by tenant_id, queue, kind, status limit 1)
    union all
    select following.* from step cross join lateral (
        select tenant_id, queue, kind, status from jobs
        where tenant_id = $1 and status <> 'processing'
          and (queue, kind, status) > (step.queue, step.kind, step.status)
        order by tenant_id, queue, kind, status limit 1) following
)
select tenant_id, queue, kind, status from step
where status in ('done', 'failed', 'cancelled') and exists (
    select 1 from jobs j
    where j.tenant_id = $1 and j.queue = step.queue and j.kind = step.kind and j.status = step.status
      and j.status <> 'processing' and j.created_at < now() - make_interval(days => $2))
"""

_HOLD = """
select job_id, tenant_id, queue, kind, created_at from jobs
where tenant_id = $1 and queue = $2 and kind = $3 and status = $4 and status <> 'processing'
  and created_at < now() - make_interval(days => $5) and finished_at < now() - make_interval(days => $5)
  and (created_at, job_id) > ($6, $7)
order by created_at, job_id
limit $8
for update skip locked
"""

# Arrays, here and below, are looked up one by one in an index whatever the statistics say; a join with a table that has
# just been filled may be planned as a comparison of all with all.
_REMOVE = """
with attempts as (
    delete from job_attempts where tenant_id = $1 and job_id = any($2::uuid[])
), keys as (
    delete from idempotency_keys where tenant_id = $1 and job_id = any($2::uuid[])
), tombstones as (
    insert into expired_jobs (tenant_id, job_id) select $1, unnest($2::uuid[]) on conflict do nothing
)
delete from jobs where tenant_id = $1 and job_id = any($2::uuid[])
"""

# The least UUIDv7 of a moment: ids bound what was made before it, where no index on the moment is worth its cost.
_ID_OF = "(lpad(to_hex((extract(epoch from {moment}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid"

# A job whose tombstone is so old was kept for as long before.
_FORGET_TOMBSTONES = f"""
delete from expired_jobs where tenant_id = $1 and job_id = any(array(
    select job_id from expired_jobs
    where tenant_id = $1 and job_id < {_ID_OF.format(moment="now() - make_interval(days => 2 * $2)")}
      and expired_at < now() - make_interval(days => $2)
    order by job_id limit $3 for update skip locked))
"""

_IDLE_LANES = """
with idle as materialized (
    select queue, lane_id from lanes
    where tenant_id = $1 and last_at < now() - make_interval(days => $2)
      and not exists (
          select 1 from jobs
          where jobs.tenant_id = $1 and jobs.lane_id = lanes.lane_id and jobs.queue = lanes.queue
            and jobs.status in ('done', 'failed', 'cancelled'))
      and not exists (
          select 1 from jobs
          where jobs.tenant_id = $1 and jobs.lane_id = lanes.lane_id and jobs.queue = lanes.queue
            and jobs.status in ('queued', 'processing'))
    limit $3
    for update skip locked
)
delete from lanes using idle
where lanes.tenant_id = $1 and lanes.queue = idle.queue and lanes.lane_id = idle.lane_id
"""

_DELIVERED = f"""
delete from outbox where effect_id = any(array(
    select effect_id from outbox
    where effect_id < {_ID_OF.format(moment="now() - interval '1 day'")} and delivered_at < now() - interval '1 day'
    order by effect_id limit $1 for update skip locked))
"""

_DEAD_WORKERS = """
delete from workers w
where w.lease_until < now() - interval '1 day'
  and not exists (
      select 1 from jobs j where j.worker_id = w.worker_id and j.queue = w.queue and j.status = 'processing')
"""

_HAS_EXPIRED = "select 1 from expired_jobs where tenant_id = $1 and job_id = $2"
