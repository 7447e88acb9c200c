"""GET /jobs/{id}/events: what happens to a job, as it happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Annotated, Any

from fastapi import Header, Query, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api.deps import Reader
from app.api.examples import FRAMES, shown
from app.api.jobs.deps import JobId, ReadableJobs
from app.api.jobs.feed import Feed
from app.api.jobs.service import Jobs
from app.api.problems import refusals
from app.api.refusals import InvalidLastEventId, JobExpired, JobNotFound
from app.api.wire import edge_router
from app.tenancy.access import NotYours, Principal
from app.tenancy.throttle import TooManyStreams

router = edge_router("jobs")

_FRAMES_DESCRIBED = (
    "Server-sent events. Each frame has an `event`, a line of JSON as `data` with `job_id` and `attempt`, and mostly "
    "an `id` to resume after; frames that were told from the database have none. `queued`: `queue`, `kind`. `started`: "
    "`queue`. `progress`: `progress`, `step`. `delta`: what the kind streams. `reset`: forget progress and deltas. "
    "`done`, `failed`, `cancelled`: the job document, and the end. Lines that begin with `:` keep the connection open."
)
EVENT_ID: dict[str, Any] = {"pattern": "^([0-9]{1,20}-[0-9]{1,20})?$", "examples": ["1788249600120-0"]}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """Server-sent events. However the response ends, its generator has ended when it returns."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None], place: ExitStack) -> None:
        super().__init__(frames, headers=_HEADERS)
        self._frames = frames
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place:
            async with aclosing(self._frames):
                await super().__call__(scope, receive, send)


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job",
    status_code=200,
    response_class=EventStream,
    responses={
        200: {"content": shown(FRAMES, "text/event-stream"), "description": _FRAMES_DESCRIBED},
        204: {"description": "The last event that was received was the end."},
        **refusals(InvalidLastEventId, JobNotFound, JobExpired, NotYours, TooManyStreams),
    },
)
async def stream_events(
    job_id: JobId,
    jobs: ReadableJobs,
    reader: Reader,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="Resume after this event", json_schema_extra=EVENT_ID)
    ] = None,
    last_event: Annotated[
        str | None, Query(alias="last_event_id", description="The same, as a parameter", json_schema_extra=EVENT_ID)
    ] = None,
) -> Response:
    """Events `queued, started, progress, delta, reset, done, failed, cancelled`. The last of them carries the whole
    job document and ends the response. `reset` voids the progress and deltas of an earlier attempt."""
    sight = await jobs.read(job_id)
    resume_after = last_event_id or last_event or None
    feed = Feed(jobs.services.events, jobs.services.bell, jobs.read, known=sight, last_event_id=resume_after)
    if await feed.has_told_all():
        return Response(status_code=204)
    return EventStream(feed.frames(), await _take_place(jobs, reader))


async def _take_place(jobs: Jobs, reader: Principal) -> ExitStack:
    """One of the streams that a key may have open; the response gives it back."""
    limits = (await jobs.services.policies.of(reader.tenant_id)).limits
    place = ExitStack()
    place.enter_context(jobs.services.throttle.stream(reader, at_most=limits.event_streams))
    return place
