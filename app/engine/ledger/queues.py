"""How the queues and their workers stand, for operators; and the pause that they may set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.engine.ledger.rows import LANE_HEAD
from app.kit.db import Connection


async def queue_overview(connection: Connection, queues: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each of these queues, in their order. A job is ready when only a free slot is missing."""
    return [dict(record) for record in await connection.fetch(_OVERVIEW, list(queues))]


async def set_paused(connection: Connection, queue: str, *, paused: bool, by: str) -> None:
    """Claim and begin heed it within a second; it outlives every loss of Redis."""
    await connection.execute(_SET_PAUSED, queue, paused, by)


async def list_workers(connection: Connection) -> list[dict[str, Any]]:
    return [dict(record) for record in await connection.fetch(_WORKERS)]


_OVERVIEW = f"""
select asked.queue, coalesce(control.paused, false) as paused, coalesce(live.queued, 0) as queued,
       coalesce(live.processing, 0) as processing, live.oldest_ready_seconds, coalesce(fleet.workers, 0) as workers
from unnest($1::text[]) with ordinality as asked (queue, place)
left join queue_controls control on control.queue = asked.queue
left join (
    select j.queue, count(*) filter (where j.status = 'queued') as queued,
           count(*) filter (where j.status = 'processing') as processing,
           extract(epoch from now() - min(greatest(j.created_at, j.run_at)) filter (
               where j.status = 'queued' and (j.run_at is null or j.run_at <= now()) and {LANE_HEAD}
           ))::float8 as oldest_ready_seconds
    from jobs j
    where j.status in ('queued', 'processing') and j.queue = any($1)
    group by j.queue
) live on live.queue = asked.queue
left join (
    select queue, count(*) as workers from workers where lease_until > now() group by queue
) fleet on fleet.queue = asked.queue
order by asked.place
"""

_SET_PAUSED = """
insert into queue_controls as control (queue, paused, paused_by) values ($1, $2, $3)
on conflict (queue) do update
set paused = excluded.paused, paused_by = excluded.paused_by, updated_at = now()
"""

_WORKERS = """
select worker_id, queue, host, pid, version, slots, load, started_at, lease_until, lease_until > now() as alive
from workers order by queue, started_at
"""
