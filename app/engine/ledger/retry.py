"""Retry failed jobs: same id, next attempt, a fresh budget, and a new place at the tail of the lane."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.engine.ledger.rows import JOB_COLUMNS, JobRow
from app.kit.db import Connection
from app.kit.errors import Refusal


class JobNotRetryable(Refusal):
    status = 409
    code = "job_not_retryable"
    title = "Only a failed job can be retried"
    cure = "Wait until the job has ended, or submit a new one."


async def retry(connection: Connection, tenant_id: str, job_id: UUID) -> JobRow | None:
    """The job as it stands afterwards, or None where it had not failed. Call it inside a transaction."""
    retried = await retry_many(connection, [tenant_id], [job_id])
    return retried[0] if retried else None


async def retry_many(
    connection: Connection, tenant_ids: Sequence[str], job_ids: Sequence[UUID], *, failed_before: datetime | None = None
) -> list[JobRow]:
    """Those of these jobs that had failed, and before that moment. Those of a lane keep their order among themselves.

    Call it inside a transaction. The lanes are locked first, in the order in which submits lock theirs, so that the
    numbers which the second statement sees are the last.
    """
    await connection.execute(_LOCK_LANES, list(tenant_ids), list(job_ids))
    return [
        JobRow.of(record) for record in await connection.fetch(_RETRY, list(tenant_ids), list(job_ids), failed_before)
    ]


_LOCK_LANES = """
select 1 from lanes
where (tenant_id, queue, lane_id) in (
    select j.tenant_id, j.queue, j.lane_id
    from unnest($1::text[], $2::uuid[]) as asked (tenant_id, job_id) join jobs j using (tenant_id, job_id)
    where j.lane_id is not null)
order by tenant_id, queue, lane_id
for update
"""

_RETRY = f"""
with chosen as materialized (
    select j.tenant_id, j.job_id, j.queue, j.lane_id, j.lane_seq
    from unnest($1::text[], $2::uuid[]) as asked (tenant_id, job_id) join jobs j using (tenant_id, job_id)
    where j.status = 'failed' and ($3::timestamptz is null or j.finished_at < $3)
    order by j.tenant_id, j.job_id
    for update of j
), placed as (
    select chosen.*, lanes.next_seq - 1 + row_number() over (
        partition by chosen.tenant_id, chosen.queue, chosen.lane_id order by chosen.lane_seq) as new_seq
    from chosen left join lanes using (tenant_id, queue, lane_id)
), advanced as (
    update lanes l set next_seq = ends.new_seq + 1
    from (
        select tenant_id, queue, lane_id, max(new_seq) as new_seq from placed
        where lane_id is not null group by tenant_id, queue, lane_id
    ) ends
    where l.tenant_id = ends.tenant_id and l.queue = ends.queue and l.lane_id = ends.lane_id
), retried as (
    update jobs j
    set status = 'queued', failures = 0, losses = 0, retries = retries + 1,
        lane_seq = case when j.lane_id is not null then placed.new_seq end, progress = 0, step = null, error = null,
        error_detail = null, finished_at = null, cancel_requested_at = null, dispatched_at = null, run_at = null,
        updated_at = now()
    from placed
    where j.tenant_id = placed.tenant_id and j.job_id = placed.job_id and j.status is not distinct from 'failed'
    returning j.*
)
select {JOB_COLUMNS} from retried order by tenant_id, queue, lane_id, lane_seq, created_at, job_id
"""
