"""The rows of new jobs, many in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.engine.ledger.newjob import Accepted, NewJob
from app.engine.ledger.rows import JobRow
from app.kit.db import Connection


async def insert(
    connection: Connection, requests: Sequence[NewJob], lane_seqs: Mapping[UUID, int]
) -> dict[UUID, Accepted]:
    """Write these rows; a job of a lane has its number there already."""
    made = await connection.fetch(_INSERT, *_columns(requests), [lane_seqs.get(r.job_id) for r in requests])
    moments = dict(made)
    return {r.job_id: Accepted(_row(r, moments[r.job_id], lane_seqs.get(r.job_id))) for r in requests}


async def insert_with_keys(connection: Connection, requests: Sequence[NewJob]) -> dict[UUID, Accepted]:
    """Take the keys, and write the rows of those who got theirs or asked for none. For jobs outside lanes."""
    keys = [r.idempotency_key for r in requests], [r.fingerprint for r in requests]
    made = await connection.fetch(_INSERT_WITH_KEYS, *_columns(requests), *keys)
    moments = dict(made)
    return {r.job_id: Accepted(_row(r, moments[r.job_id], None)) for r in requests if r.job_id in moments}


def _columns(requests: Sequence[NewJob]) -> tuple[list[Any], ...]:
    return (
        [r.job_id for r in requests],
        [r.tenant_id for r in requests],
        [r.queue for r in requests],
        [r.kind for r in requests],
        [r.input for r in requests],
        [r.max_attempts for r in requests],
        [r.timeout for r in requests],
        [r.priority for r in requests],
        [r.bulk for r in requests],
        [r.lane_id for r in requests],
        [r.run_at for r in requests],
        [r.request_id for r in requests],
        [r.session_id for r in requests],
    )


def _row(new: NewJob, created_at: datetime, lane_seq: int | None) -> JobRow:
    """The row as it was just written: all but the moment was known here, so nothing else was sent back."""
    return JobRow(
        new.job_id,
        new.tenant_id,
        new.queue,
        new.kind,
        "queued",
        None,
        0,
        0,
        new.max_attempts,
        new.priority,
        new.bulk,
        None,
        None,
        None,
        new.request_id,
        new.session_id,
        new.lane_id,
        lane_seq,
        created_at,
        created_at,
        new.run_at.astimezone(UTC) if new.run_at is not None else None,
        None,
        None,
    )


_NAMES = """job_id, tenant_id, queue, kind, input, max_attempts, timeout_seconds, priority, bulk, lane_id, run_at,
            request_id, session_id"""

_VALUES = """unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::float8[], $8::int2[],
                   $9::boolean[], $10::text[], $11::timestamptz[], $12::text[], $13::text[]"""

_SELECTED = _NAMES.replace("input", "input::jsonb")

_INSERT = f"""
insert into jobs ({_NAMES}, lane_seq)
select {_SELECTED}, lane_seq from {_VALUES}, $14::bigint[]) as new ({_NAMES}, lane_seq)
returning job_id, created_at
"""

# Keys in one order everywhere, so that no two batches that share some can deadlock.
_INSERT_WITH_KEYS = f"""
with new as materialized (
    select * from {_VALUES}, $14::text[], $15::bytea[]) as new ({_NAMES}, key, fingerprint)
), taken as (
    insert into idempotency_keys (tenant_id, key, fingerprint, job_id)
    select tenant_id, key, fingerprint, job_id from new where key is not null order by tenant_id, key
    on conflict do nothing
    returning job_id
)
insert into jobs ({_NAMES})
select {_SELECTED} from new where key is null or job_id in (select job_id from taken)
returning job_id, created_at
"""
