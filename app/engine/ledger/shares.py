"""Who gets how much of a queue: what of it was each tenant's lately, and who waits.

Every look is bounded: the newest jobs that ended, up to a number of those that wait, and all that run, which are few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.ledger.pages import Bound, groups
from app.kit.db import Connection

ENDED = 1000  # of a queue's jobs that ended lately, how many of the newest are looked at
WAITING = 1000  # jobs of one tenant, kind and queue beyond which it is enough to know that there are more


@dataclass(slots=True)
class Share:
    """One tenant's part in a queue."""

    waiting: int = 0
    waiting_more: bool = False  # there are more than were counted
    running: int = 0
    ended: int = 0


async def tenant_shares(connection: Connection, queues: Sequence[str], seconds: int) -> dict[str, dict[str, Share]]:
    """By queue and tenant: those that have waiting or running jobs, and those of which some ended lately."""
    found: dict[str, dict[str, Share]] = {queue: defaultdict(Share) for queue in queues}
    for queue, tenant_id, count in await connection.fetch(_RUNNING, list(queues)):
        found[queue][tenant_id].running = count
    for queue, tenant_id, count in await connection.fetch(_ENDED, list(queues), seconds, ENDED):
        found[queue][tenant_id].ended = count
    bound = Bound()
    waiting = _waiting(bound, queues)
    for queue, tenant_id, count, more in await connection.fetch(waiting, *bound.values):
        found[queue][tenant_id].waiting, found[queue][tenant_id].waiting_more = count, more
    return found


_RUNNING = """
select queue, tenant_id, count(*) from jobs where status = 'processing' and queue = any($1::text[]) group by 1, 2
"""

_ENDED = """
select asked.queue, newest.tenant_id, count(*)
from unnest($1::text[]) as asked (queue) cross join lateral (
    select ended.tenant_id from (values ('done'), ('failed')) as final (status) cross join lateral (
        select j.tenant_id, j.finished_at from jobs j
        where j.queue = asked.queue and j.status = final.status
          and j.finished_at > now() - make_interval(secs => $2)
        order by j.finished_at desc limit $3) ended
    order by ended.finished_at desc limit $3) newest
group by 1, 2
"""


def _waiting(bound: Bound, queues: Sequence[str]) -> str:
    group, asked = groups(bound, None, status="queued"), bound(list(queues))
    return f"""
with {group}
select g.queue, g.tenant_id, sum(least(counted.jobs, {WAITING}))::int, bool_or(counted.jobs > {WAITING})
from tenant_group g cross join lateral (
    select count(*) as jobs from (
        select from jobs j
        where j.tenant_id = g.tenant_id and j.queue = g.queue and j.kind = g.kind and j.status = 'queued'
          and j.status <> 'processing'
        limit {WAITING} + 1) first) counted
where g.queue = any({asked}::text[])
group by g.queue, g.tenant_id
"""
