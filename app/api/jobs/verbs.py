"""POST /jobs/{id}/cancel and /retry."""

from __future__ import annotations

from fastapi import Response

from app.api.examples import job_shown
from app.api.jobs.deps import JobId, WritableJobs
from app.api.jobs.documents import JobDocument, job_response
from app.api.problems import refusals
from app.api.refusals import JobExpired, JobNotFound
from app.api.wire import edge_router
from app.engine.ledger.cancel import JobNotCancellable
from app.engine.ledger.retry import JobNotRetryable
from app.tenancy.access import NotYours

router = edge_router("jobs")


@router.post(
    "/jobs/{job_id}/cancel",
    summary="Cancel a job",
    responses={
        200: {
            "model": JobDocument,
            "description": "The job was queued and is cancelled.",
            "content": job_shown("job_cancelled"),
        },
        202: {
            "model": JobDocument,
            "description": "The job is running; its worker stops it. Repeating this is safe.",
            "content": job_shown("job_processing"),
        },
        **refusals(JobNotFound, JobExpired, JobNotCancellable, NotYours),
    },
)
async def cancel_job(job_id: JobId, jobs: WritableJobs) -> Response:
    """Ask for the job's end. Whichever is committed first wins: a job that ends by itself meanwhile stays so."""
    sight = await jobs.cancel(job_id)
    return job_response(sight, status=202 if sight.row.live else 200)


@router.post(
    "/jobs/{job_id}/retry",
    status_code=202,
    summary="Retry a failed job",
    responses={
        202: {"model": JobDocument, "content": job_shown("job_retried")},
        **refusals(JobNotFound, JobExpired, JobNotRetryable, NotYours),
    },
)
async def retry_job(job_id: JobId, jobs: WritableJobs) -> Response:
    """Queue a failed job again: the same id and input, a fresh budget of attempts, the tail of its lane."""
    return job_response(await jobs.retry(job_id), status=202)
