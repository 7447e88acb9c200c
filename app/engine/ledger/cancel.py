"""Ask for a job's end. Queued: at once. Processing: the worker stops it; whichever commits first wins."""

from __future__ import annotations

from uuid import UUID

from app.engine.ledger.rows import JOB_COLUMNS, JobRow
from app.kit.db import Connection
from app.kit.errors import Refusal


class JobNotCancellable(Refusal):
    status = 409
    code = "job_not_cancellable"
    title = "The job has already ended"
    cure = "Nothing is left to cancel; read the job for how it ended."


async def cancel(connection: Connection, tenant_id: str, job_id: UUID) -> JobRow | None:
    """The job as it stands afterwards, or None where it had ended (or never was)."""
    record = await connection.fetchrow(_CANCEL, tenant_id, job_id)
    return JobRow.of(record) if record else None


async def cancel_requests(connection: Connection, worker_id: UUID, queue: str) -> set[UUID]:
    """Jobs that this worker runs and that somebody wants ended."""
    records = await connection.fetch(_REQUESTED, worker_id, queue)
    return {record["job_id"] for record in records}


_CANCEL = f"""
update jobs
set status = case when status = 'queued' then 'cancelled' else status end,
    finished_at = case when status = 'queued' then now() end,
    cancel_requested_at = coalesce(cancel_requested_at, now()),
    updated_at = now()
where tenant_id = $1 and job_id = $2 and status in ('queued', 'processing')
returning {JOB_COLUMNS}
"""

_REQUESTED = """
select job_id from jobs
where queue = $2 and worker_id = $1 and status = 'processing' and cancel_requested_at is not null
"""
