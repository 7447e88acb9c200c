"""Assignments in Postgres. Callers come through a tenant's session, so row level security has the last word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.errors import Refusal
from app.library.models import LibraryReader
from app.workloads.assignment.fields import Scope
from app.workloads.assignment.models import Assignment, AssignmentQuestion


class AssignmentNotFound(Refusal):
    status = 404
    code = "assignment_not_found"
    title = "There is no such assignment"
    cure = "GET /v1/assignments lists those that are confirmed and that the caller may see."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which assignments a list is to show. What is None is no condition."""

    scope: Scope | None = None
    class_name: str | None = None
    student_id: str | None = None  # given to this student by name
    due_after: datetime | None = None
    due_before: datetime | None = None
    seen_by: str | None = None  # only what this student may see


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended."""

    confirmed_at: datetime
    upload_id: UUID


async def list_assignments(
    session: AsyncSession, tenant_id: str, wanted: Wanted, *, before: Place | None, limit: int
) -> Sequence[Assignment]:
    """The latest confirmed first; one more than the limit."""
    conditions = [Assignment.tenant_id == tenant_id, *_conditions(tenant_id, wanted)]
    if before is not None:
        ended = tuple_(literal(before.confirmed_at), literal(before.upload_id))
        conditions.append(tuple_(Assignment.confirmed_at, Assignment.upload_id) < ended)
    query = select(Assignment).where(*conditions).limit(limit + 1)
    return (await session.scalars(query.order_by(Assignment.confirmed_at.desc(), Assignment.upload_id.desc()))).all()


async def get_assignment(
    session: AsyncSession, tenant_id: str, assignment_id: str, *, seen_by: str | None
) -> tuple[Assignment, Sequence[AssignmentQuestion]]:
    """One assignment with its questions. What a student may not see is not there for them."""
    mine = [Assignment.tenant_id == tenant_id, Assignment.assignment_id == assignment_id]
    if seen_by is not None:
        mine.append(_is_seen(tenant_id, seen_by))
    assignment = await session.scalar(select(Assignment).where(*mine))
    if assignment is None:
        raise AssignmentNotFound("No assignment that the caller may see has this id.")
    theirs = (AssignmentQuestion.tenant_id == tenant_id, AssignmentQuestion.assignment_id == assignment_id)
    questions = select(AssignmentQuestion).where(*theirs).order_by(AssignmentQuestion.position)
    return assignment, (await session.scalars(questions)).all()


async def put_assignment(
    session: AsyncSession, tenant_id: str, values: dict[str, Any], questions: Sequence[dict[str, Any]]
) -> None:
    """In the place of what has this id. The row's lock lets one of two confirmations wait for the other."""
    key = {"tenant_id": tenant_id, "assignment_id": values["assignment_id"]}
    changed = values | {"confirmed_at": func.now()}
    put = upsert(Assignment).values(tenant_id=tenant_id, **values)
    await session.execute(put.on_conflict_do_update(index_elements=[*key], set_=changed))
    await session.execute(delete(AssignmentQuestion).filter_by(**key))
    rows = [key | question | {"position": position} for position, question in enumerate(questions, start=1)]
    await session.execute(insert(AssignmentQuestion), rows)


def _conditions(tenant_id: str, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool] | None] = [
        Assignment.scope == wanted.scope if wanted.scope is not None else None,
        Assignment.class_name == wanted.class_name if wanted.class_name is not None else None,
        _is_for(wanted.student_id) if wanted.student_id is not None else None,
        Assignment.due_at >= wanted.due_after if wanted.due_after is not None else None,
        Assignment.due_at < wanted.due_before if wanted.due_before is not None else None,
        _is_seen(tenant_id, wanted.seen_by) if wanted.seen_by is not None else None,
    ]
    return [condition for condition in conditions if condition is not None]


def _is_for(student_id: str) -> ColumnElement[bool]:
    return and_(Assignment.scope == "student", Assignment.student_ids.any_() == student_id)


def _is_seen(tenant_id: str, student_id: str) -> ColumnElement[bool]:
    """What is public, the student's own, and that of the classes which the library knows the student to be in."""
    classes = select(func.unnest(LibraryReader.class_names)).where(
        LibraryReader.tenant_id == tenant_id, LibraryReader.student_id == student_id
    )
    of_class = and_(Assignment.scope == "class", Assignment.class_name.in_(classes))
    return or_(Assignment.scope == "public", _is_for(student_id), of_class)
