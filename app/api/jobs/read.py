"""GET /jobs: one, many, and how often each was tried."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel

from app.api.examples import job_shown
from app.api.headers import headers as described
from app.api.jobs.deps import JobId, ReadableJobs
from app.api.jobs.documents import JobDocument, Sight, Status, job_response
from app.api.jobs.schemas import Moment
from app.api.pages import Limit, PageCursor
from app.api.preferences import IfNoneMatch, PreferredWait, none_match, wait_headers
from app.api.problems import refusals
from app.api.refusals import InvalidCursor, InvalidRequest, JobExpired, JobNotFound
from app.api.wire import JsonResponse, Name, edge_router
from app.engine.ledger.pages import JobFilter
from app.tenancy.access import NotYours

router = edge_router("jobs")

_HEADERS = ("ETag", "Preference-Applied")


class JobPage(BaseModel):
    """Newest first. `next_cursor` is the way on, and null on the last page."""

    data: list[JobDocument]
    has_more: bool
    next_cursor: str | None


class AttemptDocument(BaseModel):
    """One delivery of the job to a worker. `lost` and `released` ones cost the job nothing."""

    attempt: int
    worker_id: UUID | None
    status: Literal["running", "success", "failure", "retry", "lost", "cancelled", "released"]
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    exit_code: int | None
    error: str | None
    error_detail: str | None


class AttemptList(BaseModel):
    data: list[AttemptDocument]


@router.get(
    "/jobs",
    summary="List jobs",
    responses={200: {"model": JobPage}, **refusals(InvalidCursor, InvalidRequest)},
)
async def list_jobs(
    *,
    jobs: ReadableJobs,
    cursor: PageCursor,
    queue: Annotated[Name | None, Query()] = None,
    kind: Annotated[Name | None, Query()] = None,
    status: Annotated[Status | None, Query()] = None,
    lane: Annotated[Name | None, Query()] = None,
    created_after: Annotated[Moment | None, Query()] = None,
    limit: Limit = 20,
) -> Response:
    """The tenant's jobs, newest first; filters combine. A person's token is shown what that person may see: such a page
    may have fewer jobs than its limit, and others behind it all the same."""
    wanted = JobFilter(queue, kind, status, lane, created_after, before=cursor, limit=limit)
    return JsonResponse(await jobs.list(wanted))


@router.get(
    "/jobs/{job_id}",
    summary="Read a job",
    responses={
        200: {"model": JobDocument, "content": job_shown("job_done"), "headers": described("Retry-After", *_HEADERS)},
        304: {"description": "Unchanged.", "headers": described(*_HEADERS)},
        **refusals(JobNotFound, JobExpired, NotYours),
    },
)
async def read_job(
    job_id: JobId, jobs: ReadableJobs, wait: PreferredWait, if_none_match: IfNoneMatch = None
) -> Response:
    """Where the job stands. `Prefer: wait=N` waits until it has ended, or with `If-None-Match` until it changes."""
    sight = await jobs.read(job_id)

    def is_news(sight: Sight) -> bool:
        changed = if_none_match is not None and none_match(if_none_match, sight.etag)
        return changed or not sight.row.live

    if wait is not None:
        sight = await jobs.watch(sight, wait, is_news, debounced=False)
    headers = {"ETag": sight.etag, "Cache-Control": "private, no-cache"} | wait_headers(wait)
    if none_match(if_none_match, sight.etag):
        return job_response(sight, headers=headers)
    return Response(status_code=304, headers=headers)


@router.get(
    "/jobs/{job_id}/attempts",
    summary="List a job's attempts",
    responses={200: {"model": AttemptList}, **refusals(JobNotFound, JobExpired, NotYours)},
)
async def list_attempts(job_id: JobId, jobs: ReadableJobs) -> Response:
    """Every delivery of the job to a worker, the running one included."""
    return JsonResponse({"data": await jobs.attempts(job_id)})
