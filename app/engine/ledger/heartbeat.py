"""Workers and their leases. Postgres' clock decides who owns a job; a lease that ran out is never renewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.engine.ledger.begin import Delivery
from app.kit.db import Connection


@dataclass(frozen=True, slots=True)
class WorkerCard:
    """How a worker process introduces itself."""

    queue: str
    host: str
    pid: int
    version: str
    slots: int


async def register(connection: Connection, worker_id: UUID, card: WorkerCard, lease: float) -> None:
    """Begin a worker's first lease; it may be repeated after a lost reply."""
    await connection.execute(_REGISTER, worker_id, card.queue, card.host, card.pid, card.version, card.slots, lease)


async def renew(connection: Connection, worker_id: UUID, lease: float, load: int) -> bool:
    """True while the lease still held; False means that rescue may have given this worker's jobs away."""
    return await connection.fetchval(_RENEW, worker_id, lease, load) is not None


async def adopt(connection: Connection, old: UUID, new: UUID, deliveries: Sequence[Delivery]) -> set[UUID]:
    """After a lost lease: take again what was not given away, under the new registration."""
    records = await connection.fetch(
        _ADOPT, [delivery.job_id for delivery in deliveries], [delivery.token for delivery in deliveries], old, new
    )
    return {record["job_id"] for record in records}


async def deregister(connection: Connection, worker_id: UUID) -> None:
    await connection.execute("delete from workers where worker_id = $1", worker_id)


async def forget_the_dead(connection: Connection, queue: str) -> None:
    """Remove workers whose lease ended long ago and under whom nothing is running any more."""
    await connection.execute(_FORGET, queue)


_REGISTER = """
insert into workers (worker_id, queue, host, pid, version, slots, lease_until)
values ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7))
on conflict (worker_id) do update set lease_until = excluded.lease_until
"""

_RENEW = """
update workers set lease_until = clock_timestamp() + make_interval(secs => $2), load = $3
where worker_id = $1 and lease_until > clock_timestamp()
returning 1
"""

_ADOPT = """
update jobs j set worker_id = $4
from unnest($1::uuid[], $2::uuid[]) as mine (job_id, token)
where j.job_id = mine.job_id and j.claim_token = mine.token and j.worker_id = $3
  and j.status is not distinct from 'processing'
returning j.job_id
"""

_FORGET = """
delete from workers w
where w.queue = $1 and w.lease_until < now() - interval '1 minute'
  and not exists (
      select 1 from jobs j where j.worker_id = w.worker_id and j.queue = w.queue and j.status = 'processing')
"""
