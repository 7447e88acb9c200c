"""/chat/sessions: what was said, and by whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api.deps import Reader, Services, TheServices, Writer
from app.api.pages import Cursor, Limit, NumberCursor, PageCursor, PageNumberCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, edge_router
from app.kit.db import Connection
from app.tenancy.access import NotYours
from app.workloads.chat import sessions
from app.workloads.chat.routes.people import AskedPerson
from app.workloads.chat.schemas import ReplySource
from app.workloads.chat.sessions import AmbiguousSession, MessageRow, SessionBusy, SessionNotFound, SessionRow

router = edge_router("chat")

QUEUE = "chat"
NOT_FOUND = refusals(SessionNotFound, AmbiguousSession, NotYours)

SessionName = Annotated[
    str, Path(min_length=1, max_length=250, description="The session's `id`", examples=["student:s1:main"])
]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class SessionDocument(BaseModel):
    """A conversation."""

    id: Annotated[str, Field(description="Its lane", examples=["student:s1:main"])]
    session_id: Annotated[str, Field(description="The client's name for it", examples=["main"])]
    role: Literal["student", "teacher"]
    person_id: str
    title: str | None
    turns: int
    summary: Annotated[str | None, Field(description="Of what is too long ago to be told to a model in full")]
    created_at: datetime
    last_at: Annotated[datetime, Field(description="When its last turn came")]


class SessionPage(BaseModel):
    """The latest used first."""

    data: list[SessionDocument]
    has_more: bool
    next_cursor: str | None


class SessionChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Title | None


class MessageDocument(BaseModel):
    """Something that was said."""

    turn: int
    role: Literal["user", "assistant"]
    content: str
    partial: Annotated[bool, Field(description="The reply was cancelled after this much")]
    job_id: Annotated[UUID | None, Field(description="null: said before the conversation came here")]
    sources: list[ReplySource]
    provider: str | None
    model: str | None
    created_at: datetime


class MessagePage(BaseModel):
    data: list[MessageDocument]
    has_more: bool
    next_cursor: str | None


@router.get(
    "/chat/sessions",
    summary="List sessions",
    responses={200: {"model": SessionPage}, **refusals(InvalidCursor, NotYours)},
)
async def list_sessions(
    *,
    reader: Reader,
    person: AskedPerson,
    services: TheServices,
    cursor: PageCursor,
    limit: Limit = 20,
) -> Response:
    """The tenant's sessions, the latest used first."""
    async with _connection(services, reader.tenant_id) as connection:
        rows = await sessions.list_sessions(connection, reader.tenant_id, person, before=cursor, limit=limit)
    shown, following = cut(rows, limit, lambda row: Cursor(row.last_at, row.last_job_id))
    return JsonResponse(page([_session(row) for row in shown], following))


@router.get(
    "/chat/sessions/{session}", summary="Read a session", responses={200: {"model": SessionDocument}, **NOT_FOUND}
)
async def read_session(
    session: SessionName,
    reader: Reader,
    person: AskedPerson,
    services: TheServices,
) -> Response:
    """By its `id`, or by its `session_id` where only one person has one of that name."""
    async with _connection(services, reader.tenant_id) as connection:
        return JsonResponse(_session(await sessions.find_session(connection, reader.tenant_id, session, person)))


@router.get(
    "/chat/sessions/{session}/messages",
    summary="Read what was said",
    responses={200: {"model": MessagePage}, **NOT_FOUND, **refusals(InvalidCursor)},
)
async def list_messages(
    *,
    session: SessionName,
    reader: Reader,
    person: AskedPerson,
    services: TheServices,
    cursor: PageNumberCursor,
    order: Annotated[
        Literal["asc", "desc"], Query(description="`asc`: as it was said; `desc`: the newest first")
    ] = "asc",
    limit: Limit = 50,
) -> Response:
    """The messages of a session, each turn's question and reply one after the other."""
    tenant_id, newest_first = reader.tenant_id, order == "desc"
    after = cursor.number if cursor is not None else None
    async with _connection(services, tenant_id) as connection:
        found = await sessions.find_session(connection, tenant_id, session, person)
        rows = await sessions.list_messages(
            connection, tenant_id, found.lane_id, after=after, newest_first=newest_first, limit=limit
        )
    shown, following = cut(rows, limit, lambda row: NumberCursor(row.number))
    return JsonResponse(page([_message(row) for row in shown], following))


@router.put(
    "/chat/sessions/{session}", summary="Rename a session", responses={200: {"model": SessionDocument}, **NOT_FOUND}
)
async def rename_session(
    session: SessionName,
    change: SessionChange,
    writer: Writer,
    person: AskedPerson,
    services: TheServices,
) -> Response:
    """Give it a title, or with null none. Its `session_id` stays: it is the lane's name."""
    async with _connection(services, writer.tenant_id) as connection:
        found = await sessions.find_session(connection, writer.tenant_id, session, person)
        await sessions.rename_session(connection, writer.tenant_id, found.lane_id, change.title)
    return JsonResponse(_session(found._replace(title=change.title)))


@router.delete(
    "/chat/sessions/{session}",
    status_code=204,
    summary="Delete a session",
    responses={204: {"description": "It is gone."}, **NOT_FOUND, **refusals(SessionBusy)},
)
async def delete_session(
    session: SessionName,
    writer: Writer,
    person: AskedPerson,
    services: TheServices,
) -> Response:
    """What was said goes at once, from the session's jobs too. The jobs stay, without their texts, for as long as the
    tenant keeps jobs."""
    async with _connection(services, writer.tenant_id) as connection:
        found = await sessions.find_session(connection, writer.tenant_id, session, person)
        await sessions.delete_session(connection, writer.tenant_id, QUEUE, found.lane_id)
    return Response(status_code=204)


@asynccontextmanager
async def _connection(services: Services, tenant_id: str) -> AsyncIterator[Connection]:
    async with services.database.tenant(tenant_id) as connection:
        yield connection


def _session(row: SessionRow) -> dict[str, Any]:
    shown = row._asdict()
    del shown["last_job_id"]
    return {"id": shown.pop("lane_id"), **shown}


def _message(row: MessageRow) -> dict[str, Any]:
    return {
        "turn": row.turn,
        "role": row.role,
        "content": row.content,
        "partial": row.partial,
        "job_id": row.job_id,
        "sources": row.sources,
        "provider": row.provider,
        "model": row.model,
        "created_at": row.created_at,
    }
