"""The rows of new jobs, many in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.engine.ledger.newjob import Accepted, NewJob
from app.engine.ledger.rows import JobRow
from app.kit.db import Connection


async def insert(connection: Connection, requests: Sequence[NewJob]) -> dict[UUID, Accepted]:
    """Write these rows. For jobs outside lanes."""
    made = await connection.fetch(_INSERT, *_columns(requests), _traces(requests))
    moments = dict(made)
    return {r.job_id: _accepted(r, moments[r.job_id]) for r in requests}


async def insert_in_lanes(
    connection: Connection, requests: Sequence[NewJob], lane_seqs: Mapping[UUID, int], lanes: Sequence[Sequence[Any]]
) -> dict[UUID, JobRow]:
    """Write these rows, each of a lane with its number there, and what the lanes (by column: name, next number, newest
    fingerprint, newest job) remember of them."""
    seqs = [lane_seqs.get(r.job_id) for r in requests]
    made = await connection.fetch(_INSERT_IN_LANES, *_columns(requests), _traces(requests), seqs, *lanes)
    moments = dict(made)
    return {r.job_id: _row(r, moments[r.job_id], lane_seqs.get(r.job_id)) for r in requests}


async def insert_with_keys(connection: Connection, requests: Sequence[NewJob]) -> dict[UUID, Accepted]:
    """Take the keys, and write the rows of those who got theirs or asked for none. For jobs outside lanes."""
    keys = [r.idempotency_key for r in requests], [r.fingerprint for r in requests]
    made = await connection.fetch(_INSERT_WITH_KEYS, *_columns(requests), *keys, _traces(requests))
    moments = dict(made)
    return {r.job_id: _accepted(r, moments[r.job_id]) for r in requests if r.job_id in moments}


def _columns(requests: Sequence[NewJob]) -> tuple[list[Any], ...]:
    """What is each job's own, and by number what many have alike: a batch is mostly one kind for one tenant, and each
    value that crosses as an element of an array costs as much as all the rest of its job's way."""
    alike: dict[tuple[Any, ...], int] = {}
    numbers = [alike.setdefault(_shared(request), len(alike) + 1) for request in requests]
    return (
        [request.job_id for request in requests],
        [request.input for request in requests],
        [request.request_id for request in requests],
        numbers,
        *([*column] for column in zip(*alike, strict=True)),
    )


def _traces(requests: Sequence[NewJob]) -> list[str | None]:
    """Empty where nobody is traced: an array that ends early is filled up with nulls, and an empty one is free."""
    traces = [request.traceparent for request in requests]
    return traces if any(traces) else []


def _shared(new: NewJob) -> tuple[Any, ...]:
    return (
        new.tenant_id,
        new.queue,
        new.kind,
        new.max_attempts,
        new.timeout,
        new.priority,
        new.bulk,
        new.lane_id,
        new.run_at,
        new.session_id,
    )


def _accepted(new: NewJob, created_at: datetime) -> Accepted:
    return Accepted(_row(new, created_at, None), permits=new.permits)


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


_NAMES = """job_id, input, request_id, tenant_id, queue, kind, max_attempts, timeout_seconds, priority, bulk, lane_id,
            run_at, session_id, traceparent"""

# By number, and not by a join: the planner of these connections has only nested loops for it.
_VALUES = """job_id, input::jsonb, request_id, ($5::text[])[number], ($6::text[])[number], ($7::text[])[number],
             ($8::int[])[number], ($9::float8[])[number], ($10::int2[])[number], ($11::boolean[])[number],
             ($12::text[])[number], ($13::timestamptz[])[number], ($14::text[])[number], traceparent"""

_OWN = "unnest($1::uuid[], $2::text[], $3::text[], $4::int[]"

_INSERT = f"""
insert into jobs ({_NAMES})
select {_VALUES}
from {_OWN}, $15::text[]) as new (job_id, input, request_id, number, traceparent)
returning job_id, created_at
"""

_INSERT_IN_LANES = f"""
with lane as (
    select * from unnest($17::text[], $18::text[], $19::text[], $20::bigint[], $21::bytea[], $22::uuid[])
        as lane (tenant_id, queue, lane_id, next_seq, fingerprint, job_id)
), advanced as (
    update lanes set next_seq = lane.next_seq, last_fingerprint = lane.fingerprint, last_job_id = lane.job_id,
                     last_at = clock_timestamp()
    from lane
    where lanes.tenant_id = lane.tenant_id and lanes.queue = lane.queue and lanes.lane_id = lane.lane_id
)
insert into jobs ({_NAMES}, lane_seq)
select {_VALUES}, lane_seq
from {_OWN}, $15::text[], $16::bigint[]) as new (job_id, input, request_id, number, traceparent, lane_seq)
returning job_id, created_at
"""

# Keys in one order everywhere, so that no two batches that share some can deadlock.
_INSERT_WITH_KEYS = f"""
with new as materialized (
    select * from {_OWN}, $15::text[], $16::bytea[], $17::text[])
        as new (job_id, input, request_id, number, key, fingerprint, traceparent)
), taken as (
    insert into idempotency_keys (tenant_id, key, fingerprint, job_id)
    select ($5::text[])[number], key, fingerprint, job_id from new where key is not null order by 1, 2
    on conflict do nothing
    returning job_id
)
insert into jobs ({_NAMES})
select {_VALUES} from new where key is null or job_id in (select job_id from taken)
returning job_id, created_at
"""
