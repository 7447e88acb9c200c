"""I8 as Redis sees it: leases that nobody holds. When a queue is idle there are none."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import NAMESPACE_OID, UUID, uuid5

from arq.connections import ArqRedis

from app.engine.dispatch import LEASES_KEY, hint_of
from app.engine.ledger.audit_invariants import Finding
from app.engine.ledger.rows import Hint
from app.kit.db import Connection, Database

SAMPLE = 1000  # leases looked at: those that end first, which is where unrenewed ones gather
OVERDUE = 60.0  # seconds after its end in which a worker with a free slot has long taken a lease over


class Leftovers:
    """Looks at one queue's leases."""

    def __init__(self, queue: str, redis: ArqRedis, database: Database, *, overdue: float = OVERDUE) -> None:
        self._queue = queue
        self._redis = redis
        self._database = database
        self._overdue = overdue

    async def look(self) -> Sequence[Finding]:
        seconds, microseconds = await self._redis.time()
        leases = await self._redis.zrange(LEASES_KEY, 0, SAMPLE - 1, withscores=True)
        if not leases:
            return []
        members = {member.decode(): ends_at / 1000 for member, ends_at in leases}
        async with self._database.ledger.acquire() as connection:
            found = await self._of_nothing(connection, members)
            if await connection.fetchval(_HAS_ROOM, self._queue):
                late = seconds + microseconds / 1e6 - self._overdue
                found += [_overdue(member) for member, ends_at in members.items() if ends_at < late]
        return found

    async def _of_nothing(self, connection: Connection, members: dict[str, float]) -> list[Finding]:
        hints = [hint for member in members if (hint := hint_of(member)) is not None]
        held = await connection.fetch(_HELD, [hint.job_id for hint in hints], [hint.attempt for hint in hints])
        idle = set(hints) - {Hint(record["job_id"], record["attempt"]) for record in held}
        detail = "a lease is left of a delivery that neither runs nor is to begin"
        return [Finding("I8", "lease_of_nothing", hint.job_id, detail) for hint in sorted(idle)]


def _overdue(member: str) -> Finding:
    hint = hint_of(member)
    subject: UUID = hint.job_id if hint is not None else uuid5(NAMESPACE_OID, member)
    return Finding("I8", "lease_overdue", subject, "its lease ended long ago, and no worker takes it over")


# A lease is held by the delivery that runs, or by one that was claimed and is about to begin.
_HELD = """
select hint.job_id, hint.attempt
from unnest($1::uuid[], $2::int[]) as hint (job_id, attempt)
join jobs j on j.job_id = hint.job_id
where (j.status = 'processing' and j.attempt = hint.attempt) or (j.status = 'queued' and j.attempt = hint.attempt - 1)
"""

_HAS_ROOM = """
select exists (select 1 from workers where queue = $1 and lease_until > now() and load < slots)
   and not exists (select 1 from queue_controls where queue = $1 and paused)
"""
