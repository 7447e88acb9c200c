"""How the queues and their workers stand, for operators; and how they stop and start a queue."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from app.engine.ledger.census import Census, count_jobs
from app.engine.ledger.samples import keep
from app.kit.db import Connection

MANY = 10_000  # queued jobs beyond which a sample of the last seconds is good enough
SHOWN = 100  # running jobs that are told one by one


class Flow(StrEnum):
    """What operators may want of a queue. The engine heeds it at once, and it outlives every loss of Redis."""

    RUN = "run"
    PAUSE = "pause"  # nothing begins
    DRAIN = "drain"  # nothing begins, and somebody waits for what runs to end


async def queue_overview(connection: Connection, queues: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each of these queues, in their order. Where very many jobs wait, they are as last sampled; and where
    nobody samples, who counts them leaves the count to those who ask next."""
    records = await connection.fetch(_OVERVIEW, list(queues), MANY)
    uncounted = [record["queue"] for record in records if record["counted_at"] is None]
    counted = {count.queue: count for count in await count_jobs(connection, uncounted)} if uncounted else {}
    if crowded := [count for count in counted.values() if count.queued > MANY]:
        await keep(connection, crowded)
    return [_row(dict(record), counted.get(record["queue"])) for record in records]


async def set_flow(connection: Connection, queue: str, flow: Flow, *, by: str) -> None:
    await connection.execute(_SET_FLOW, queue, flow is not Flow.RUN, flow is Flow.DRAIN, by)


async def running_jobs(connection: Connection, queue: str) -> list[dict[str, Any]]:
    """The jobs that run longest."""
    return [dict(record) for record in await connection.fetch(_RUNNING, queue, SHOWN)]


async def list_workers(connection: Connection) -> list[dict[str, Any]]:
    return [dict(record) for record in await connection.fetch(_WORKERS)]


def _row(row: dict[str, Any], count: Census | None) -> dict[str, Any]:
    """Put the count in, and say in a word how the queue stands."""
    if count is not None:
        row |= {name: value for name, value in count._asdict().items() if name != "processing"}
    if not row["paused"]:
        state = "running"
    elif not row["draining"]:
        state = "paused"
    else:
        state = "draining" if row["processing"] else "drained"
    return {"queue": row["queue"], "state": state} | row


_OVERVIEW = """
select asked.queue, coalesce(control.paused, false) as paused, coalesce(control.draining, false) as draining,
       sample.queued, sample.ready, sample.scheduled, sample.blocked, running.processing, sample.oldest_ready_seconds,
       fleet.workers, fleet.slots, sample.sampled_at as counted_at
from unnest($1::text[]) with ordinality as asked (queue, place)
left join queue_controls control on control.queue = asked.queue
cross join lateral (
    select count(*) as workers, coalesce(sum(slots), 0) as slots
    from workers w where w.queue = asked.queue and w.lease_until > now()
) fleet
cross join lateral (
    select count(*) as processing from jobs j where j.queue = asked.queue and j.status = 'processing'
) running
left join lateral (
    select * from queue_samples s
    where s.queue = asked.queue and s.sampled_at > now() - interval '30 seconds'
    order by s.sampled_at desc limit 1
) sample on sample.queued > $2
order by asked.place
"""

_SET_FLOW = """
insert into queue_controls as control (queue, paused, draining, paused_by) values ($1, $2, $3, $4)
on conflict (queue) do update
set paused = excluded.paused, draining = excluded.draining, paused_by = excluded.paused_by, updated_at = now()
"""

_RUNNING = """
select job_id, tenant_id, kind, worker_id, lane_id, progress, step, begun_at, deadline_at from jobs
where queue = $1 and status = 'processing' order by begun_at, job_id limit $2
"""

_WORKERS = """
select worker_id, queue, host, pid, version, slots, load, started_at, lease_until, lease_until > now() as alive
from workers order by queue, started_at
"""
