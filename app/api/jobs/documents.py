"""The job document: what every route that speaks of a job answers with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from app.api.preferences import etag_of
from app.api.wire import JsonResponse, embed, encode
from app.engine.ledger.rows import JobRow, LanePlace
from app.kit.db import Connection

Status = Literal["queued", "processing", "done", "failed", "cancelled"]
DraftStatus = Literal["parsing", "draft", "confirming", "confirmed", "failed"]

OUTSIDE = LanePlace(position=0, size=0, active=False)  # a job that has ended stands in no lane any more
POLL_SECONDS = "1"


class JobLinks(BaseModel):
    """Where to go from here; do not build these yourself."""

    self: str
    events: str
    cancel: str
    retry: str
    draft: Annotated[str | None, Field(description="Of an upload: what its files were parsed into")] = None


class JobDocument(BaseModel):
    """Where a job stands. Times are UTC; null where the moment has not come."""

    job_id: UUID
    queue: str
    kind: str
    status: Status
    step: str | None
    progress: Annotated[int, Field(ge=0, le=100)]
    attempt: Annotated[int, Field(description="Deliveries begun so far")]
    max_attempts: Annotated[int, Field(description="Failures that end the job")]
    error: Annotated[str | None, Field(description="A stable code")]
    error_detail: Annotated[str | None, Field(max_length=200)]
    result: Any
    request_id: str | None
    session_id: str | None = None
    lane_id: Annotated[str | None, Field(description="Jobs of one lane run strictly one after the other")] = None
    lane_queue_position: Annotated[int | None, Field(description="0: it is the lane's turn")] = None
    lane_queue_size: Annotated[int | None, Field(description="Jobs that wait in the lane")] = None
    lane_active: bool | None = None
    debounced: Annotated[bool | None, Field(description="An equal, earlier job answers this submit")] = None
    draft_status: Annotated[DraftStatus | None, Field(description="Of an upload: where its draft stands")] = None
    created_at: datetime
    updated_at: datetime
    scheduled_for: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    links: JobLinks


@dataclass(frozen=True, slots=True)
class Sight:
    """A job as one look found it: the row, and its document as bytes."""

    row: JobRow
    body: bytes

    @property
    def etag(self) -> str:
        return etag_of(self.body)


class More(NamedTuple):
    """What a kind adds to the documents of its jobs; links start below the version's prefix."""

    fields: dict[str, Any]
    links: dict[str, str]


Describe: TypeAlias = Callable[[Connection, Sequence[JobRow]], Awaitable[Mapping[UUID, More]]]


def job_document(
    row: JobRow, *, base: str, place: LanePlace | None = None, debounced: bool = False, more: More | None = None
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "job_id": str(row.job_id),
        "queue": row.queue,
        "kind": row.kind,
        "status": row.status,
        "step": row.step,
        "progress": row.progress,
        "attempt": row.attempt,
        "max_attempts": row.max_attempts,
        "error": row.error,
        "error_detail": row.error_detail,
        "result": embed(row.result),
        "request_id": row.request_id,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "scheduled_for": row.run_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "links": _links(job_path(row.job_id, base)),
    }
    if row.session_id is not None:
        document["session_id"] = row.session_id
    if row.lane_id is not None:
        document |= _lane(row.lane_id, place or OUTSIDE)
    if debounced:
        document["debounced"] = True
    if more is not None:
        document |= more.fields
        document["links"] |= {name: base + path for name, path in more.links.items()}
    return document


def job_path(job_id: UUID, base: str) -> str:
    return f"{base}/jobs/{job_id}"


def job_response(sight: Sight, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The document, and while the job lives, when to look again."""
    again = {"Retry-After": POLL_SECONDS} if sight.row.live else {}
    return JsonResponse(sight.body, status_code=status, headers=again | (headers or {}))


def see(row: JobRow, **details: Any) -> Sight:
    return Sight(row, encode(job_document(row, **details)))


def _links(path: str) -> dict[str, str]:
    return {"self": path, "events": f"{path}/events", "cancel": f"{path}/cancel", "retry": f"{path}/retry"}


def _lane(lane_id: str, place: LanePlace) -> dict[str, Any]:
    return {
        "lane_id": lane_id,
        "lane_queue_position": place.position,
        "lane_queue_size": place.size,
        "lane_active": place.active,
    }
