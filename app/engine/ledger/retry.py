"""Retry a failed job: same id, next attempt, a fresh budget, and a new place at the tail of its lane."""

from __future__ import annotations

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
    lane = await connection.fetchrow(_LANE_OF, tenant_id, job_id)
    if lane is None:
        return None
    seq = None
    if lane["lane_id"] is not None:
        seq = await connection.fetchval(_NEXT_SEQ, tenant_id, lane["queue"], lane["lane_id"])
    record = await connection.fetchrow(_RETRY, tenant_id, job_id, seq)
    return JobRow.of(record) if record else None


_LANE_OF = "select queue, lane_id from jobs where tenant_id = $1 and job_id = $2 and status = 'failed'"

_NEXT_SEQ = """
update lanes set next_seq = next_seq + 1 where tenant_id = $1 and queue = $2 and lane_id = $3 returning next_seq - 1
"""

_RETRY = f"""
update jobs
set status = 'queued', failures = 0, losses = 0, retries = retries + 1, lane_seq = $3, progress = 0, step = null,
    error = null, error_detail = null, finished_at = null, cancel_requested_at = null, dispatched_at = null,
    run_at = null, updated_at = now()
where tenant_id = $1 and job_id = $2 and status = 'failed'
returning {JOB_COLUMNS}
"""
