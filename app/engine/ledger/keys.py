"""Idempotency keys: the first request with a key makes the job, every later one is answered with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.engine.ledger.newjob import Accepted, Answer, IdempotencyConflict, NewJob
from app.engine.ledger.rows import JOB_COLUMNS, JobRow
from app.kit.db import Connection


async def take_keys(connection: Connection, requests: Sequence[NewJob]) -> set[UUID]:
    """Take these requests' keys for them; the ids of those who got theirs."""
    taken = await connection.fetch(
        _TAKE,
        [r.tenant_id for r in requests],
        [r.idempotency_key for r in requests],
        [r.fingerprint for r in requests],
        [r.job_id for r in requests],
    )
    return {record["job_id"] for record in taken}


async def earlier_answers(connection: Connection, requests: Sequence[NewJob]) -> dict[UUID, Answer]:
    """What requests whose key is another's are answered with; nothing where the key was removed in the meantime."""
    found = await connection.fetch(_READ, [r.tenant_id for r in requests], [r.idempotency_key for r in requests])
    holders = {(record["tenant_id"], record["held_key"]): dict(record) for record in found}
    answers: dict[UUID, Answer] = {}
    for request in requests:
        holder = holders.get((request.tenant_id, request.idempotency_key))
        if holder is not None and holder["held_fingerprint"] == request.fingerprint:
            job = {name: value for name, value in holder.items() if not name.startswith("held_")}
            answers[request.job_id] = Accepted(JobRow.of(job), fresh=False)
        elif holder is not None:
            answers[request.job_id] = conflict(holder["job_id"])
    return answers


def conflict(job_id: UUID) -> IdempotencyConflict:
    return IdempotencyConflict("The key stands for an earlier request with another body.", job_id=str(job_id))


async def give_back(connection: Connection, requests: Sequence[NewJob]) -> None:
    """Their requests were refused after all."""
    if requests:
        await connection.execute(_GIVE_BACK, *_named(requests))


async def point(connection: Connection, requests: Sequence[NewJob], meant: Mapping[UUID, UUID]) -> None:
    """The keys of these requests stand for the earlier jobs that they meant."""
    if requests:
        await connection.execute(_POINT, *_named(requests), [meant[r.job_id] for r in requests])


def _named(requests: Sequence[NewJob]) -> tuple[list[str], list[str | None], list[UUID]]:
    return (
        [r.tenant_id for r in requests],
        [r.idempotency_key for r in requests],
        [r.job_id for r in requests],
    )


# In one order everywhere, so that no two batches that share keys can deadlock.
_TAKE = """
insert into idempotency_keys (tenant_id, key, fingerprint, job_id)
select * from unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[]) as new (tenant_id, key, fingerprint, job_id)
order by tenant_id, key
on conflict do nothing
returning job_id
"""

_READ = f"""
select held.key as held_key, held.fingerprint as held_fingerprint, job.*
from unnest($1::text[], $2::text[]) as asked (tenant_id, key)
join idempotency_keys held on held.tenant_id = asked.tenant_id and held.key = asked.key
cross join lateral (select {JOB_COLUMNS} from jobs where job_id = held.job_id and tenant_id = held.tenant_id) job
"""

_GIVE_BACK = """
delete from idempotency_keys held
using unnest($1::text[], $2::text[], $3::uuid[]) as own (tenant_id, key, job_id)
where held.tenant_id = own.tenant_id and held.key = own.key and held.job_id = own.job_id
"""

_POINT = """
update idempotency_keys held set job_id = own.meant
from unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[]) as own (tenant_id, key, job_id, meant)
where held.tenant_id = own.tenant_id and held.key = own.key and held.job_id = own.job_id
"""
