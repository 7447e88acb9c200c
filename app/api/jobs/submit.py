"""POST /jobs: one job in."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from app.api.deps import RequestId
from app.api.examples import job_shown
from app.api.headers import headers as described
from app.api.jobs.deps import WritableJobs
from app.api.jobs.documents import POLL_SECONDS, JobDocument, Sight, job_path, job_response
from app.api.jobs.schemas import JobSubmission
from app.api.jobs.service import Jobs
from app.api.preferences import ClientKey, PreferredWait, wait_headers
from app.api.problems import refusals
from app.api.refusals import BodyTooLarge, InvalidIdempotencyKey, InvalidJson, InvalidRequest, UnsupportedMediaType
from app.api.wire import edge_router
from app.engine.backlog import TenantQueueFull
from app.engine.ledger.submit import Accepted, IdempotencyConflict, LaneFull
from app.engine.policy import TooManyJobs
from app.engine.requests import InvalidInput, InvalidPlacement, UnknownKind, Wish
from app.engine.submit import InvalidText
from app.tenancy.access import NotYours

router = edge_router("jobs")

BODY_REFUSALS = (InvalidJson, InvalidRequest, BodyTooLarge, UnsupportedMediaType, InvalidIdempotencyKey)
JOB_REFUSALS = (
    TooManyJobs,
    TenantQueueFull,
    UnknownKind,
    InvalidInput,
    InvalidPlacement,
    InvalidText,
    IdempotencyConflict,
    LaneFull,
    NotYours,
)

_HEADERS = described("Location", "Idempotency-Replayed", "Preference-Applied")
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": JobDocument,
        "description": "With `Prefer: wait`: the job has ended.",
        "content": job_shown("job_done"),
        "headers": _HEADERS,
    },
    202: {
        "model": JobDocument,
        "description": "The job is accepted, and will not be lost.",
        "content": job_shown("job_queued"),
        "headers": _HEADERS,
    },
    **refusals(*BODY_REFUSALS, *JOB_REFUSALS),
}


@router.post("/jobs", status_code=202, summary="Submit a job", responses=RESPONSES)
async def submit_job(
    submission: JobSubmission, jobs: WritableJobs, request_id: RequestId, key: ClientKey, wait: PreferredWait
) -> Response:
    """Accept a job of any public kind. With an `Idempotency-Key`, a repetition answers with the earlier job."""
    return await submit(jobs, submission.wish(jobs.tenant_id, key=key, request_id=request_id), wait)


async def submit(jobs: Jobs, wish: Wish, wait: int | None) -> Response:
    """Accept a job and answer with its document, or with its end where that comes within the wait."""
    return await answer(jobs, await jobs.submit(wish), wait)


async def answer(jobs: Jobs, accepted: Accepted, wait: int | None) -> Response:
    sight = await jobs.describe(accepted)
    if wait is not None:
        sight = await jobs.watch(sight, wait, _has_ended, debounced=accepted.debounced)
    headers = {"Location": job_path(sight.row.job_id, jobs.base)} | wait_headers(wait)
    if not accepted.fresh and not accepted.debounced:
        headers["Idempotency-Replayed"] = "true"
    if wait is not None and _has_ended(sight):
        return job_response(sight, headers=headers)
    return job_response(sight, status=202, headers=headers | {"Retry-After": POLL_SECONDS})


def _has_ended(sight: Sight) -> bool:
    return not sight.row.live
