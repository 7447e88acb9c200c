"""Profiles as people read them, and the right to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import json
from app.kit.db import Connection, driver_connection
from app.kit.errors import Refusal
from app.library.readers import forget_reader
from app.tenancy.audit import Hand, record
from app.workloads.profile import store
from app.workloads.profile.placement import lane_of
from app.workloads.profile.store import ProfileRow

QUEUE = "profile"


class ProfileNotFound(Refusal):
    status = 404
    code = "profile_not_found"
    title = "There is no such profile"
    cure = "GET /v1/profiles lists them; one begins with the first update of a student."


class ProfileBusy(Refusal):
    status = 409
    code = "profile_busy"
    title = "An update of the profile waits or is being merged"
    cure = "Wait until the student's jobs have ended, or cancel them; then delete the profile."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which profiles a list has; None: whatever it is."""

    student_id: str | None = None
    class_name: str | None = None
    weak: str | None = None  # a knowledge point, folded


@dataclass(frozen=True, slots=True)
class Listed:
    student_id: str
    name: str | None
    class_name: str | None
    version: int
    overall: dict[str, Any]
    weak: list[str]
    next_focus: list[str]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    version: int
    at: datetime
    job_id: UUID
    sources: list[dict[str, Any]]
    changes: list[dict[str, Any]]


async def list_profiles(
    connection: Connection, tenant_id: str, wanted: Wanted, *, after: str, limit: int
) -> Sequence[Listed]:
    """By the student's id; one more than the limit."""
    records = await connection.fetch(
        _LIST, tenant_id, after, wanted.student_id, wanted.class_name, wanted.weak, limit + 1
    )
    parts = ("overall", "weak", "next_focus")
    return [Listed(**{**each, **{part: json.loads(each[part]) for part in parts}}) for each in records]


async def get_profile(connection: Connection, tenant_id: str, student_id: str) -> ProfileRow:
    found = await store.read_profile(connection, tenant_id, student_id)
    if found is None:
        raise ProfileNotFound("No student of this tenant with this id has a profile.")
    return found


async def list_versions(
    connection: Connection, tenant_id: str, student_id: str, *, before: int | None, limit: int
) -> Sequence[Version]:
    """The latest first; one more than the limit."""
    await get_profile(connection, tenant_id, student_id)
    records = await connection.fetch(_VERSIONS, tenant_id, student_id, before, limit + 1)
    parts = ("sources", "changes")
    return [Version(**{**each, **{part: json.loads(each[part]) for part in parts}}) for each in records]


async def forget(session: AsyncSession, tenant_id: str, student_id: str, by: Hand) -> None:
    """All of the profile goes, from its jobs too. That there were jobs, and how they ended, stays.

    The lane is locked first: an update that comes meanwhile waits for it, and begins a new profile.
    """
    connection, lane_id = await driver_connection(session), lane_of(student_id)
    await connection.execute(_LOCK_LANE, tenant_id, QUEUE, lane_id)
    await get_profile(connection, tenant_id, student_id)
    if await connection.fetchval(_LIVE, tenant_id, QUEUE, lane_id):
        raise ProfileBusy("A live job would make it anew.")
    await connection.execute(_CLEAR_JOBS, tenant_id, QUEUE, lane_id)
    for statement in _FORGET:
        await connection.execute(statement, tenant_id, student_id)
    await forget_reader(connection, tenant_id, student_id)
    await record(session, tenant_id, by.deed("profile.forget", student_id))


_LIST = """
select student_id, name, class_name, version, (picture -> 'overall')::text as overall,
       (picture -> 'weak')::text as weak, (picture -> 'next_focus')::text as next_focus, updated_at
from profiles
where tenant_id = $1 and student_id > $2 and ($3::text is null or student_id = $3)
  and ($4::text is null or class_name = $4) and ($5::text is null or $5 = any (profiles.weak))
order by student_id
limit $6
"""

_VERSIONS = """
select version, at, job_id, sources::text as sources, changes::text as changes from profile_history
where tenant_id = $1 and student_id = $2 and ($3::bigint is null or version < $3)
order by version desc
limit $4
"""

_LOCK_LANE = "select 1 from lanes where tenant_id = $1 and queue = $2 and lane_id = $3 for update"

_LIVE = """
select exists (select 1 from jobs where tenant_id = $1 and queue = $2 and lane_id = $3
                                    and status in ('queued', 'processing'))
"""

_CLEAR_JOBS = """
update jobs set input = jsonb_build_object('student_id', input -> 'student_id', 'source', '{"kind": "other"}'::jsonb),
                result = null, updated_at = now()
where tenant_id = $1 and queue = $2 and kind = 'profile.update' and status in ('done', 'failed', 'cancelled')
  and lane_id = $3
"""

# The ones that refer to others first.
_FORGET = (
    "delete from profile_updates where tenant_id = $1 and student_id = $2",
    "delete from profile_results where tenant_id = $1 and student_id = $2",
    "delete from profile_sources where tenant_id = $1 and student_id = $2",
    "delete from profile_history where tenant_id = $1 and student_id = $2",
    "delete from profiles where tenant_id = $1 and student_id = $2",
)
