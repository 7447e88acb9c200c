"""/admin/jobs and /admin/lanes: jobs of all tenants. What they contain is shown for one job, and that is recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from app.api.admin.deps import OperatorsHand
from app.api.deps import Services, TheServices
from app.api.jobs.deps import JobId
from app.api.jobs.documents import Status
from app.api.jobs.read import AttemptDocument
from app.api.jobs.schemas import Moment
from app.api.pages import Cursor, Limit, PageCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor, JobNotFound
from app.api.wire import JsonResponse, Name, edge_router, embed
from app.engine.ledger.operate import list_across, read_across, read_content
from app.engine.ledger.pages import JobFilter
from app.engine.ledger.read import read_attempts
from app.kit import json
from app.kit.db import driver_connection
from app.tenancy.audit import Hand, record

router = edge_router("operators")

Part = Literal["input", "result"]


class OperatorsJob(BaseModel):
    """A job as operators see it: all about it, and nothing in it."""

    job_id: UUID
    tenant_id: str
    queue: str
    kind: str
    status: Status
    step: str | None
    progress: Annotated[int, Field(ge=0, le=100)]
    attempt: Annotated[int, Field(description="Deliveries begun so far")]
    max_attempts: int
    failures: Annotated[int, Field(description="Deliveries that failed, of `max_attempts`")]
    losses: Annotated[int, Field(description="Workers that died under it")]
    retries: Annotated[int, Field(description="Times that somebody retried it")]
    priority: int
    bulk: bool
    lane_id: str | None
    lane_seq: Annotated[int | None, Field(description="Its place in the order of its lane")]
    error: str | None
    error_detail: str | None
    request_id: str | None
    session_id: str | None
    worker_id: Annotated[UUID | None, Field(description="Who runs it, or ran it last")]
    created_at: datetime
    updated_at: datetime
    run_at: Annotated[datetime | None, Field(description="Not before this moment")]
    dispatched_at: Annotated[datetime | None, Field(description="When Redis was told of it; null: not yet")]
    started_at: datetime | None
    begun_at: Annotated[datetime | None, Field(description="When its last delivery began")]
    deadline_at: datetime | None
    cancel_requested_at: datetime | None
    finished_at: datetime | None


class OperatorsJobPage(BaseModel):
    """Newest first. `next_cursor` is the way on, and null on the last page."""

    data: list[OperatorsJob]
    has_more: bool
    next_cursor: str | None


class OperatorsJobDocument(OperatorsJob):
    """One job with its attempts, and with what was asked for of its content."""

    attempts: list[AttemptDocument]
    input: Annotated[Any, Field(description="Only with `include=input`")] = None
    result: Annotated[Any, Field(description="Only with `include=result`")] = None


@router.get(
    "/jobs",
    summary="List jobs of all tenants",
    responses={200: {"model": OperatorsJobPage}, **refusals(InvalidCursor)},
)
async def list_jobs_across_tenants(
    *,
    services: TheServices,
    cursor: PageCursor,
    tenant: Annotated[Name | None, Query()] = None,
    queue: Annotated[Name | None, Query()] = None,
    kind: Annotated[Name | None, Query()] = None,
    status: Annotated[Status | None, Query()] = None,
    lane: Annotated[Name | None, Query()] = None,
    error: Annotated[Name | None, Query(description="Failed jobs with this code")] = None,
    created_after: Annotated[Moment | None, Query()] = None,
    created_before: Annotated[Moment | None, Query()] = None,
    limit: Limit = 20,
) -> Response:
    """Jobs of all tenants, newest first, without what they contain; filters combine."""
    wanted = JobFilter(queue, kind, status, lane, created_after, cursor, limit, error, created_before)
    async with services.database.ledger.acquire() as connection:
        found = await list_across(connection, tenant, wanted)
    rows, following = cut(found, limit, lambda row: Cursor(row["created_at"], row["job_id"]))
    return JsonResponse(page(rows, following))


@router.get(
    "/jobs/{job_id}",
    summary="Read a job of any tenant",
    responses={200: {"model": OperatorsJobDocument}, **refusals(JobNotFound)},
)
async def read_job_of_any_tenant(
    job_id: JobId,
    services: TheServices,
    by: OperatorsHand,
    include: Annotated[list[Part], Query(max_length=2, description="Content to show, which is recorded")] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """All about one job, its attempts included. What `include` names of its content is shown too, and that somebody
    looked is written into the tenant's audit log."""
    async with services.database.ledger.acquire() as connection:
        row = await read_across(connection, job_id)
        if row is None:
            raise JobNotFound("No tenant has a job with this id.")
        attempts = await read_attempts(connection, row["tenant_id"], job_id)
    content = await _content(services, row, set(include), by) if include else {}
    return JsonResponse(row | {"attempts": attempts} | content)


async def _content(services: Services, row: dict[str, Any], parts: set[Part], by: Hand) -> dict[str, Any]:
    """Recorded in the same transaction: nobody looks without being seen."""
    deed = by.deed("job.read_content", str(row["job_id"]), include=sorted(parts))
    async with services.database.session(row["tenant_id"]) as session:
        await record(session, row["tenant_id"], deed)
        content = await read_content(await driver_connection(session), row["tenant_id"], row["job_id"])
    return {part: embed(json.loads(text)) if text is not None else None for part, text in content if part in parts}
