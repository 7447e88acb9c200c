"""Sessions as people manage them: list, read, rename, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from app.kit import json
from app.kit.db import Connection
from app.kit.errors import Refusal
from app.workloads.chat.models import REPLY


class SessionNotFound(Refusal):
    status = 404
    code = "session_not_found"
    title = "There is no such session"
    cure = "GET /v1/chat/sessions lists them; a session's `id` is sure to name it."


class AmbiguousSession(Refusal):
    status = 409
    code = "ambiguous_session"
    title = "Several people have a session of this name"
    cure = "Use the session's `id`, such as student:s1:main, or say whose it is with `student_id` or `teacher_id`."


class SessionBusy(Refusal):
    status = 409
    code = "session_busy"
    title = "A turn of the session waits or is being answered"
    cure = "Wait until the session's jobs have ended, or cancel them; then delete it."


class Person(NamedTuple):
    """Whose sessions are meant; None: anybody's."""

    role: str | None = None
    person_id: str | None = None


class SessionRow(NamedTuple):
    lane_id: str
    role: str
    person_id: str
    session_id: str
    title: str | None
    turns: int
    summary: str | None
    created_at: datetime
    last_at: datetime
    last_job_id: UUID


@dataclass(frozen=True, slots=True)
class MessageRow:
    turn: int
    place: int
    content: str
    job_id: UUID | None
    partial: bool
    sources: Any
    provider: str | None
    model: str | None
    created_at: datetime

    @property
    def number(self) -> int:
        """Its place in the conversation."""
        return 2 * self.turn + self.place

    @property
    def role(self) -> str:
        return "assistant" if self.place == REPLY else "user"


async def list_sessions(
    connection: Connection, tenant_id: str, whose: Person, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[SessionRow]:
    """The latest used first; one row more than the limit tells that there is a next page."""
    before_at, before_id = before or (None, None)
    records = await connection.fetch(_LIST, tenant_id, *whose, before_at, before_id, limit + 1)
    return [SessionRow(*record) for record in records]


async def find_session(connection: Connection, tenant_id: str, name: str, whose: Person) -> SessionRow:
    """By its id, or by the client's name for it where only one person has one of that name."""
    records = await connection.fetch(_FIND, tenant_id, name, *whose)
    if not records:
        raise SessionNotFound("No session of this tenant has this id.")
    if len(records) > 1:
        raise AmbiguousSession("The name alone does not say which.")
    return SessionRow(*records[0])


async def list_messages(
    connection: Connection, tenant_id: str, lane_id: str, *, after: int | None, newest_first: bool, limit: int
) -> Sequence[MessageRow]:
    """In the conversation's order or against it; one more than the limit."""
    order, comparison = ("desc", "<") if newest_first else ("asc", ">")
    statement = _MESSAGES.format(order=order, comparison=comparison)
    records = await connection.fetch(statement, tenant_id, lane_id, after, limit + 1)
    return [MessageRow(**dict(record) | {"sources": json.loads(record["sources"])}) for record in records]


async def rename_session(connection: Connection, tenant_id: str, lane_id: str, title: str | None) -> None:
    await connection.execute(_RENAME, tenant_id, lane_id, title)


async def delete_session(connection: Connection, tenant_id: str, queue: str, lane_id: str) -> None:
    """What was said goes now, in its jobs too; that there were jobs, and how they ended, is kept as long as any job.

    The session's row is locked first: a turn that comes meanwhile waits for it, and begins a new session.
    """
    await connection.execute(_LOCK, tenant_id, lane_id)
    if await connection.fetchval(_LIVE, tenant_id, queue, lane_id):
        raise SessionBusy("A live job would answer into nothing.")
    await connection.execute(_CLEAR_JOBS, tenant_id, lane_id)
    await connection.execute("delete from chat_messages where tenant_id = $1 and lane_id = $2", tenant_id, lane_id)
    await connection.execute("delete from chat_sessions where tenant_id = $1 and lane_id = $2", tenant_id, lane_id)


_LIST = """
select lane_id, role, person_id, session_id, title, turns, summary, created_at, last_at, last_job_id from chat_sessions
where tenant_id = $1 and ($2::text is null or role = $2) and ($3::text is null or person_id = $3)
  and ($4::timestamptz is null or (last_at, last_job_id) < ($4, $5::uuid))
order by last_at desc, last_job_id desc
limit $6
"""

_FIND = """
select lane_id, role, person_id, session_id, title, turns, summary, created_at, last_at, last_job_id from chat_sessions
where tenant_id = $1 and (lane_id = $2 or session_id = $2)
  and ($3::text is null or role = $3) and ($4::text is null or person_id = $4)
limit 2
"""

_MESSAGES = """
select turn, place, content, job_id, partial, sources::text as sources, provider, model, created_at
from chat_messages
where tenant_id = $1 and lane_id = $2 and ($3::bigint is null or 2 * turn + place {comparison} $3)
order by turn {order}, place {order}
limit $4
"""

_RENAME = "update chat_sessions set title = $3 where tenant_id = $1 and lane_id = $2"

_LOCK = "select 1 from chat_sessions where tenant_id = $1 and lane_id = $2 for update"

_LIVE = """
select exists (select 1 from jobs where tenant_id = $1 and queue = $2 and lane_id = $3
                                    and status in ('queued', 'processing'))
"""

_CLEAR_JOBS = """
update jobs set input = jsonb_set(input, '{messages}', '[]'), result = null, updated_at = now()
where tenant_id = $1 and status in ('done', 'failed', 'cancelled')
  and job_id in (select job_id from chat_messages where tenant_id = $1 and lane_id = $2)
"""
