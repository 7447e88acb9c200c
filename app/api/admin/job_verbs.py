"""/admin/jobs/{id}/cancel, /retry and /events: what operators do with a job of any tenant, and hear of it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import Depends, Header, Response

from app.api.admin.deps import OperatorsHand
from app.api.admin.jobs import OperatorsJob
from app.api.deps import Base, Services, TheServices
from app.api.examples import FRAMES, shown
from app.api.jobs.deps import JobId
from app.api.jobs.documents import Sight, job_document
from app.api.jobs.feed import Feed
from app.api.jobs.service import Jobs
from app.api.jobs.stream import EVENT_ID, EventStream
from app.api.problems import refusals
from app.api.refusals import InvalidLastEventId, JobNotFound
from app.api.wire import JsonResponse, edge_router, encode
from app.engine.events import TERMINAL_EVENTS, EventLog, StreamEvent
from app.engine.ledger.cancel import JobNotCancellable
from app.engine.ledger.operate import read_across
from app.engine.ledger.retry import JobNotRetryable
from app.kit.errors import Refusal
from app.tenancy.audit import Hand, record

router = edge_router("operators")

ABOUT = (
    frozenset({"queued", "started", "progress", "reset"}) | TERMINAL_EVENTS
)  # what tells about a job, not what is in it


class AnyJob(NamedTuple):
    """A job of some tenant, and that tenant's jobs."""

    row: dict[str, Any]
    jobs: Jobs


async def get_any_job(job_id: JobId, services: TheServices, base: Base) -> AnyJob:
    row = await _read(services, job_id)
    return AnyJob(row, Jobs(services, row["tenant_id"], base))


TheJob = Annotated[AnyJob, Depends(get_any_job)]


@router.post(
    "/jobs/{job_id}/cancel",
    summary="Cancel a job of any tenant",
    responses={
        200: {"model": OperatorsJob, "description": "The job was queued and is cancelled."},
        202: {"model": OperatorsJob, "description": "The job is running; its worker stops it."},
        **refusals(JobNotFound, JobNotCancellable),
    },
)
async def cancel_job_of_any_tenant(job: TheJob, services: TheServices, by: OperatorsHand) -> Response:
    """As the tenant's own cancel, and in the tenant's audit log."""
    _expect(job, {"queued", "processing"}, JobNotCancellable)
    await _record(services, job, by, "job.cancel")
    sight = await job.jobs.cancel(job.row["job_id"])
    return JsonResponse(await _read(services, job.row["job_id"]), status_code=202 if sight.row.live else 200)


@router.post(
    "/jobs/{job_id}/retry",
    summary="Retry a failed job of any tenant",
    status_code=202,
    responses={202: {"model": OperatorsJob}, **refusals(JobNotFound, JobNotRetryable)},
)
async def retry_job_of_any_tenant(job: TheJob, services: TheServices, by: OperatorsHand) -> Response:
    """As the tenant's own retry, and in the tenant's audit log."""
    _expect(job, {"failed"}, JobNotRetryable)
    await _record(services, job, by, "job.retry")
    await job.jobs.retry(job.row["job_id"])
    return JsonResponse(await _read(services, job.row["job_id"]), status_code=202)


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job of any tenant",
    status_code=200,  # FastAPI cannot describe a response class whose own default it does not see
    response_class=EventStream,
    responses={
        200: {"content": shown(FRAMES, "text/event-stream"), "description": "As of `/v1/jobs/{job_id}/events`."},
        204: {"description": "The last event that was received was the end."},
        **refusals(InvalidLastEventId, JobNotFound),
    },
)
async def follow_job_of_any_tenant(
    job: TheJob,
    services: TheServices,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="Resume after this event", json_schema_extra=EVENT_ID)
    ] = None,
) -> Response:
    """The events of the tenant's own stream without what the job contains: of a `delta`, and whatever else a kind
    tells of its own, the `size` in characters; of the end the document without `result`."""

    async def read(job_id: UUID) -> Sight:
        return _without_content(await job.jobs.read(job_id), job.jobs.base)

    feed = Feed(
        _WithoutContent(services.events),
        services.bell,
        read,
        known=await read(job.row["job_id"]),
        last_event_id=last_event_id or None,
    )
    if await feed.has_told_all():
        return Response(status_code=204)
    return EventStream(feed.frames(), ExitStack())


class _WithoutContent:
    """The log of events as those may read it who may not read what jobs contain."""

    def __init__(self, events: EventLog) -> None:
        self._events = events

    async def read(self, tenant_id: str, job_id: UUID, after: str = "-") -> list[StreamEvent]:
        return [
            event if event.type in ABOUT else replace(event, data={"size": _size(event.data)})
            for event in await self._events.read(tenant_id, job_id, after)
        ]


def _size(data: dict[str, Any]) -> int:
    return sum(len(value) for value in data.values() if isinstance(value, str))


def _without_content(sight: Sight, base: str) -> Sight:
    return Sight(sight.row, encode(job_document(sight.row, base=base) | {"result": None}))


async def _read(services: Services, job_id: UUID) -> dict[str, Any]:
    async with services.database.ledger.acquire() as connection:
        row = await read_across(connection, job_id)
    if row is None:
        raise JobNotFound("No tenant has a job with this id.")
    return row


def _expect(job: AnyJob, statuses: set[str], refusal: type[Refusal]) -> None:
    """Before anything is recorded: what is refused here was no deed."""
    if job.row["status"] not in statuses:
        raise refusal(f"The job is {job.row['status']}.", job_status=job.row["status"])


async def _record(services: Services, job: AnyJob, by: Hand, action: str) -> None:
    """First: a deed that came too late may stand in the log, but none is done that does not."""
    async with services.database.session(job.jobs.tenant_id) as session:
        await record(session, job.jobs.tenant_id, by.deed(action, str(job.row["job_id"])))
