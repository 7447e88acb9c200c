"""Count a queue's live jobs: what could run, what waits for its moment, what waits behind its lane, what runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.engine.ledger.rows import HINTED
from app.kit.db import Connection


class Census(NamedTuple):
    queue: str
    queued: int  # the sum of the three that follow
    ready: int  # only a free slot is missing
    scheduled: int  # its moment has not come: deferred, or between two attempts
    blocked: int  # behind another job of its lane
    processing: int
    oldest_ready_seconds: float | None  # since when the job that has been ready longest could have run
    counted_at: datetime


async def count_jobs(connection: Connection, queues: Sequence[str]) -> list[Census]:
    """In the order of the queues. Costs a look at each queued job's place in an index, and one at each live lane."""
    return [Census(*record) for record in await connection.fetch(_CENSUS, list(queues))]


# A lane's head has been ready since the one before it ended, not since it was submitted.
_LANES = """
with recursive head as (
    select '' as tenant_id, '' as lane_id, 'processing' as status, null::timestamptz as due
    union all
    select next.* from head cross join lateral (
        select j.tenant_id, j.lane_id, j.status, greatest(j.created_at, j.run_at) as due from jobs j
        where j.queue = asked.queue and j.status in ('queued', 'processing') and j.lane_id is not null
          and (j.tenant_id, j.lane_id) > (head.tenant_id, head.lane_id)
        order by j.tenant_id, j.lane_id, j.lane_seq limit 1) next
)
select count(*) - 1 as heads, count(*) filter (where head.due <= now() and head.status = 'queued') as ready,
       count(*) filter (where head.due > now() and head.status = 'queued') as scheduled,
       min(greatest(head.due, before.finished_at)) filter (where head.due <= now() and head.status = 'queued') as since
from head left join lateral (
    select j.finished_at from jobs j
    where head.status = 'queued' and j.tenant_id = head.tenant_id and j.lane_id = head.lane_id
      and j.queue = asked.queue and j.status in ('done', 'failed', 'cancelled')
    order by j.created_at desc, j.job_id desc limit 1) before on true
"""

# `hinted` is the second column of jobs_waiting, so that each half is read in the order of its third.
_CENSUS = f"""
select asked.queue, free.queued + lane_jobs.live - running.in_lanes as queued,
       free.queued - later.scheduled + lanes.ready as ready, later.scheduled + lanes.scheduled as scheduled,
       lane_jobs.live - lanes.heads as blocked, running.processing,
       extract(epoch from now() - least(oldest.due, lanes.since))::float8 as oldest_ready_seconds, now() as counted_at
from unnest($1::text[]) with ordinality as asked (queue, place)
cross join lateral (
    select count(*) as queued from jobs j where j.queue = asked.queue and j.status = 'queued' and j.lane_id is null
) free
cross join lateral (
    select count(*) as scheduled from (values (0), (1)) as half (hinted)
    join jobs j on j.queue = asked.queue and j.status = 'queued' and j.lane_id is null
         and {HINTED} = half.hinted and greatest(j.created_at, j.run_at) > now()
) later
cross join lateral (
    select min(first.due) as due from (values (0), (1)) as half (hinted) cross join lateral (
        select greatest(j.created_at, j.run_at) as due from jobs j
        where j.queue = asked.queue and j.status = 'queued' and j.lane_id is null
          and {HINTED} = half.hinted
        order by greatest(j.created_at, j.run_at) limit 1) first
    where first.due <= now()
) oldest
cross join lateral (
    select count(*) as processing, count(*) filter (where j.lane_id is not null) as in_lanes
    from jobs j where j.queue = asked.queue and j.status = 'processing'
) running
cross join lateral (
    select count(*) as live from jobs j
    where j.queue = asked.queue and j.status in ('queued', 'processing') and j.lane_id is not null
) lane_jobs
cross join lateral ({_LANES}) lanes
order by asked.place
"""
