"""Where a turn goes, and what is kept of it in the transaction that accepts its job."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from app.engine.ledger.submit import NewJob
from app.engine.people import Person, Reach
from app.engine.placement import Placement
from app.kit import json
from app.kit.db import Connection
from app.kit.errors import Refusal
from app.workloads.chat import store
from app.workloads.chat.schemas import ChatRequest


class UnknownAgent(Refusal):
    status = 422
    code = "unknown_agent"
    title = "There is no such agent"
    cure = "GET /v1/agents lists those of the tenant; leave `agent` out for the deployment's own tutor."


class SessionPlace(NamedTuple):
    """Whose conversation it is, and which of theirs."""

    role: str
    person_id: str
    session_id: str

    @property
    def lane_id(self) -> str:
        return ":".join(self)


def place(value: dict[str, Any]) -> Placement:
    """The lane of a turn is its session. A day may end between two tries of one request, and a client may try anew
    under another name: neither makes the request another one."""
    where = session_place(ChatRequest.model_validate(value))
    return Placement(
        lane=where.lane_id,
        meaning={name: field for name, field in value.items() if name != "request_id"},
        session_id=where.session_id,
        request_id=value["request_id"],
    )


def session_place(request: ChatRequest) -> SessionPlace:
    person = request.person_id
    assert person is not None  # the schema saw to it
    if request.session_id is not None:
        session = request.session_id
    elif request.role == "teacher":
        session = "main"
    else:
        session = request.assignment_id or f"general_{datetime.now(UTC):%Y-%m-%d}"
    return SessionPlace(request.role, person, session)


def reach(person: Person, lane_id: str | None) -> Reach:
    """Nobody leads another's conversation; a teacher reads students'."""
    if lane_id is None:
        return Reach.NOTHING
    where = SessionPlace(*lane_id.split(":"))
    if person == (where.role, where.person_id):
        return Reach.ACTS
    return Reach.SEES if (person.role, where.role) == ("teacher", "student") else Reach.NOTHING


async def keep_turn(connection: Connection, job: NewJob) -> None:
    """The user's turn, stored with its job. Under the lane's lock, so turns count as the lane does."""
    request = ChatRequest.model_validate(json.loads(job.input))
    if request.agent is not None and not await store.has_agent(connection, job.tenant_id, request.agent):
        raise UnknownAgent(f"The tenant has no agent {request.agent!r}.")
    assert job.lane_id is not None
    where = SessionPlace(*job.lane_id.split(":"))
    *before, last = request.messages
    earlier = [(each.role, each.content) for each in before]
    await store.keep_turn(connection, job.tenant_id, where, job.job_id, content=last.content, earlier=earlier)
