"""I8 as Redis sees it: leases and permits that nobody holds. When all is idle there are none.

What a dead worker held runs out with its lease, so a finding stands only if it is there again after longer than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import NAMESPACE_OID, UUID, uuid5

from arq.connections import ArqRedis

from app.engine.dispatch import LEASES_KEY, hint_of
from app.engine.ledger.audit_invariants import Finding
from app.engine.ledger.rows import Hint
from app.engine.permits import SINCE_KEY, Permit
from app.kit.db import Connection, Database

SAMPLE = 1000  # leases looked at: those that end first, which is where unrenewed ones gather
OVERDUE = 60.0  # seconds after its end in which a worker with a free slot has long taken a lease over
CHECKS = ("lease_of_nothing", "lease_overdue", "permit_of_nothing")


class Leases:
    """Looks at one queue's leases."""

    def __init__(self, queue: str, redis: ArqRedis, database: Database, *, overdue: float = OVERDUE) -> None:
        self._queue = queue
        self._redis = redis
        self._database = database
        self._overdue = overdue

    async def look(self) -> Sequence[Finding]:
        now = await _now_ms(self._redis)
        leases = await self._redis.zrange(LEASES_KEY, 0, SAMPLE - 1, withscores=True)
        if not leases:
            return []
        members = {member.decode(): ends_at for member, ends_at in leases}
        detail = "a lease is left of a delivery that neither runs nor is to begin"
        async with self._database.ledger.acquire() as connection:
            idle = await _of_nothing(connection, members)
            has_room = await connection.fetchval(_HAS_ROOM, self._queue)
        found = [Finding("I8", "lease_of_nothing", hint.job_id, detail) for hint in idle]
        late = now - self._overdue * 1000
        return found + [_overdue(member) for member, ends_at in members.items() if has_room and ends_at < late]


class HeldPermits:
    """Looks at the permits of all tenants."""

    def __init__(self, shared: ArqRedis, database: Database) -> None:
        self._redis = shared
        self._database = database

    async def look(self) -> Sequence[Finding]:
        now = await _now_ms(self._redis)
        members: set[str] = set()
        async for key in self._redis.scan_iter(match=Permit("*", "*").key, count=1000):
            if key.decode() != SINCE_KEY:
                members |= {member.decode() for member in await self._redis.zrangebyscore(key, now, "+inf")}
        if not members:
            return []
        async with self._database.ledger.acquire() as connection:
            idle = await _of_nothing(connection, members)
        detail = "a permit is kept for a delivery that neither runs nor is to begin"
        return [Finding("I8", "permit_of_nothing", hint.job_id, detail) for hint in idle]


async def _now_ms(redis: ArqRedis) -> float:
    seconds, microseconds = await redis.time()
    return float(seconds * 1000 + microseconds / 1000)


async def _of_nothing(connection: Connection, members: Iterable[str]) -> list[Hint]:
    """The ledgered ones of these that no delivery stands behind."""
    hints = [hint for member in members if (hint := hint_of(member)) is not None]
    held = await connection.fetch(_HELD, [hint.job_id for hint in hints], [hint.attempt for hint in hints])
    return sorted(set(hints) - {Hint(record["job_id"], record["attempt"]) for record in held})


def _overdue(member: str) -> Finding:
    hint = hint_of(member)
    subject: UUID = hint.job_id if hint is not None else uuid5(NAMESPACE_OID, member)
    return Finding("I8", "lease_overdue", subject, "its lease ended long ago, and no worker takes it over")


# Held by the delivery that runs, or by one that was claimed and is about to begin.
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
