"""End deliveries: one statement for all that end together, each with its attempt row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import asyncpg

from app.engine.ledger.begin import Delivery
from app.engine.ledger.rows import Hint
from app.engine.outcomes import Write
from app.kit.db import Connection

DETAIL_LIMIT = 200


class End(StrEnum):
    """How a delivery ended, by the attempt row's own words."""

    DONE = "success"
    FAILED = "failure"
    CANCELLED = "cancelled"
    RETRY = "retry"
    RELEASED = "released"  # handed back unharmed: a drain, or a job that snoozes


@dataclass(slots=True)
class Ending:
    """One delivery's end, on its way into the ledger."""

    delivery: Delivery
    end: End
    result: str | None = None  # JSON
    error: str | None = None
    error_detail: str | None = None
    delay: float = 0.0  # seconds until the next delivery, for retry and release
    exit_code: int | None = None
    writes: Sequence[Write] = ()


class Ended(NamedTuple):
    """What the ledger made of it."""

    job_id: UUID
    attempt: int
    status: str  # the job's status from now on
    lane_id: str | None
    bulk: bool
    priority: int
    run_at: datetime | None


async def finish(connection: Connection, endings: Sequence[Ending]) -> dict[Hint, Ended]:
    """Compare-and-swap on (job, attempt, token, processing). What is missing in the answer was refused: stale.

    As `homeroom_app` inside a tenant's transaction, the result and the tenant's domain rows commit together.
    """
    records = await connection.fetch(
        _FINISH,
        [ending.delivery.job_id for ending in endings],
        [ending.delivery.attempt for ending in endings],
        [ending.delivery.token for ending in endings],
        [ending.end.value for ending in endings],
        [ending.result for ending in endings],
        [ending.error for ending in endings],
        [(ending.error_detail or "")[:DETAIL_LIMIT] or None for ending in endings],
        [ending.delay for ending in endings],
        [ending.exit_code for ending in endings],
    )
    return _by_hint(records)


async def complete(connection: Connection, delivery: Delivery, result: str) -> Ended | None:
    """The same for one delivery that ended well, without arrays and without what belongs to other ends: what a
    transaction of its own can afford. None: refused."""
    record = await connection.fetchrow(_COMPLETE, delivery.job_id, delivery.attempt, delivery.token, result)
    return Ended(delivery.job_id, delivery.attempt, "done", *record) if record is not None else None


async def already_ended(connection: Connection, endings: Sequence[Ending]) -> dict[Hint, Ended]:
    """After a lost reply: which of these endings did commit? Their attempt rows carry my token."""
    records = await connection.fetch(
        _REREAD,
        [ending.delivery.job_id for ending in endings],
        [ending.delivery.attempt for ending in endings],
        [ending.delivery.token for ending in endings],
        [ending.end.value for ending in endings],
    )
    return _by_hint(records)


def _by_hint(records: Sequence[asyncpg.Record]) -> dict[Hint, Ended]:
    return {Hint(record["job_id"], record["attempt"]): Ended(*record) for record in records}


# `is not distinct from` keeps the planner off the partial index on processing rows: as `=`, it drove from that index
# and compared rows x batch (measured: a tenth of the speed at 500 in flight).
_END = """ended as (
    update jobs j
    set status = case
            when outcome = 'success' then 'done'
            when outcome = 'failure' then 'failed'
            when outcome = 'cancelled' or j.cancel_requested_at is not null then 'cancelled'
            else 'queued' end,
        result = ending.result::jsonb,
        error = ending.error,
        error_detail = ending.detail,
        failures = j.failures + (outcome in ('failure', 'retry'))::int,
        progress = case when outcome = 'success' then 100 else j.progress end,
        step = case when outcome = 'success' then 'done' else j.step end,
        run_at = case when ending.delay > 0 then now() + make_interval(secs => ending.delay) else j.run_at end,
        dispatched_at = case when outcome in ('retry', 'released') then null else j.dispatched_at end,
        finished_at = case
            when outcome in ('success', 'failure', 'cancelled') or j.cancel_requested_at is not null then now() end,
        deadline_at = null,
        updated_at = now()
    from ending
    where j.job_id = ending.job_id and j.attempt = ending.attempt and j.claim_token = ending.token
      and j.status is not distinct from 'processing'
    returning j.job_id, j.tenant_id, j.attempt, j.claim_token, j.worker_id, j.begun_at, j.status, j.lane_id,
              j.bulk, j.priority, j.run_at, outcome, ending.error, ending.detail, ending.exit_code
), recorded as (
    insert into job_attempts (job_id, attempt, tenant_id, worker_id, claim_token, status, started_at, duration_ms,
                              exit_code, error, error_detail)
    select job_id, attempt, tenant_id, worker_id, claim_token, outcome, begun_at,
           extract(epoch from now() - begun_at)::float8 * 1000, exit_code, error, detail
    from ended
)
select job_id, attempt, status, lane_id, bulk, priority, run_at from ended
"""

_FINISH = f"""
with ending as materialized (
    select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::float8[], $9::int[])
      as ending (job_id, attempt, token, outcome, result, error, detail, delay, exit_code)
), {_END}"""

_COMPLETE = """
with ended as (
    update jobs j
    set status = 'done', result = $4::text::jsonb, error = null, error_detail = null, progress = 100, step = 'done',
        finished_at = now(), deadline_at = null, updated_at = now()
    where j.job_id = $1 and j.attempt = $2 and j.claim_token = $3 and j.status is not distinct from 'processing'
    returning j.job_id, j.attempt, j.tenant_id, j.worker_id, j.claim_token, j.begun_at, j.lane_id, j.bulk, j.priority,
              j.run_at
), recorded as (
    insert into job_attempts (job_id, attempt, tenant_id, worker_id, claim_token, status, started_at, duration_ms)
    select job_id, attempt, tenant_id, worker_id, claim_token, 'success', begun_at,
           extract(epoch from now() - begun_at)::float8 * 1000
    from ended
)
select lane_id, bulk, priority, run_at from ended
"""

_REREAD = """
select recorded.job_id, recorded.attempt, j.status, j.lane_id, j.bulk, j.priority, j.run_at
from job_attempts recorded
join unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[]) as mine (job_id, attempt, token, outcome)
  on recorded.job_id = mine.job_id and recorded.attempt = mine.attempt and recorded.claim_token = mine.token
     and recorded.status = mine.outcome
join jobs j on j.job_id = recorded.job_id and j.tenant_id = recorded.tenant_id
"""
