"""POST /chat: one turn in."""

from __future__ import annotations

from fastapi import Response

from app.api.deps import RequestId
from app.api.jobs.deps import WritableJobs
from app.api.jobs.submit import BODY_REFUSALS, JOB_REFUSALS, RESPONSES, submit
from app.api.preferences import ClientKey, PreferredWait
from app.api.problems import refusals
from app.api.wire import edge_router
from app.engine.requests import Wish
from app.workloads.chat.placement import UnknownAgent
from app.workloads.chat.schemas import ChatRequest

router = edge_router("chat")

_RESPONSES = RESPONSES | refusals(*BODY_REFUSALS, *JOB_REFUSALS, UnknownAgent)


@router.post("/chat", status_code=202, summary="Say something", responses=_RESPONSES)
async def start_reply(
    *,
    request: ChatRequest,
    jobs: WritableJobs,
    request_id: RequestId,
    key: ClientKey,
    wait: PreferredWait,
) -> Response:
    """Submit a turn as a job `chat.reply`, in the lane of its session: turns are answered in order, one at a time.
    Follow the job's events for the reply's text as it is written."""
    wish = Wish(
        tenant_id=jobs.tenant_id,
        kind="chat.reply",
        input=request.model_dump(mode="json"),
        request_id=request_id,
        idempotency_key=key,
    )
    return await submit(jobs, wish, wait)
