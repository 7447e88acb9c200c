"""How the queues stood in the last two hours: one row a queue every ten seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.engine.ledger.census import Census, count_jobs
from app.kit.db import Connection

INTERVAL = 10  # seconds
TIMED = 1000  # of the jobs done in an interval, how many of the newest are looked at for how long they took


async def take_samples(connection: Connection, queues: Sequence[str]) -> bool:
    """Sample what has no sample yet at the last full ten seconds; False where nothing was missing.

    The moments are the database's and the same for whoever asks, so several samplers write no row twice.
    """
    missing = [record["queue"] for record in await connection.fetch(_MISSING, list(queues))]
    if not missing:
        return False
    await keep(connection, await count_jobs(connection, missing))
    await connection.execute("delete from queue_samples where sampled_at < now() - interval '2 hours'")
    return True


async def keep(connection: Connection, counts: Sequence[Census]) -> None:
    """As samples of the last full ten seconds, where these have none."""
    await connection.execute(
        _WRITE,
        [count.queue for count in counts],
        [count.queued for count in counts],
        [count.ready for count in counts],
        [count.scheduled for count in counts],
        [count.blocked for count in counts],
        [count.processing for count in counts],
        [count.oldest_ready_seconds for count in counts],
    )


async def read_samples(connection: Connection, queue: str, minutes: int) -> list[dict[str, Any]]:
    """Oldest first. Where nobody sampled there is a gap."""
    return [dict(record) for record in await connection.fetch(_READ, queue, minutes)]


# A second late, so that what ended before the moment is committed.
_MOMENT = f"date_bin('{INTERVAL} seconds', now() - interval '1 second', 'epoch'::timestamptz)"

_MISSING = f"""
select asked.queue from unnest($1::text[]) as asked (queue)
where not exists (select 1 from queue_samples s where s.queue = asked.queue and s.sampled_at = {_MOMENT})
"""

_WRITE = f"""
insert into queue_samples (queue, sampled_at, queued, ready, scheduled, blocked, processing, oldest_ready_seconds, done,
                           failed, latency_p50, latency_p95)
select counted.*, ended.done, ended.failed, took.p50, took.p95
from (
    select queue, {_MOMENT} as sampled_at, queued, ready, scheduled, blocked, processing, oldest
    from unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::float8[])
      as counted (queue, queued, ready, scheduled, blocked, processing, oldest)
) counted
cross join lateral (
    select count(*) filter (where j.status = 'done') as done, count(*) filter (where j.status = 'failed') as failed
    from jobs j
    where j.queue = counted.queue and j.status in ('done', 'failed')
      and j.finished_at >= counted.sampled_at - interval '{INTERVAL} seconds' and j.finished_at < counted.sampled_at
) ended
cross join lateral (
    select percentile_cont(0.5) within group (order by seconds) as p50,
           percentile_cont(0.95) within group (order by seconds) as p95
    from (
        select extract(epoch from j.finished_at - greatest(j.created_at, j.run_at))::float8 as seconds from jobs j
        where j.queue = counted.queue and j.status = 'done' and j.retries = 0
          and j.finished_at >= counted.sampled_at - interval '{INTERVAL} seconds' and j.finished_at < counted.sampled_at
        order by j.finished_at desc limit {TIMED}) newest
) took
on conflict do nothing
"""

_READ = """
select sampled_at, queued, ready, scheduled, blocked, processing, oldest_ready_seconds, done, failed,
       latency_p50, latency_p95
from queue_samples where queue = $1 and sampled_at > now() - make_interval(mins => $2) order by sampled_at
"""
