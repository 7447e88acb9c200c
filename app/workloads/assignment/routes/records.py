"""/assignments: what was confirmed, as far as the caller may see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import StringConstraints

from app.api.deps import Reader, TheServices
from app.api.pages import Cursor, Limit, PageCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, Name, edge_router
from app.tenancy.access import NotYours, Principal
from app.workloads.assignment import store
from app.workloads.assignment.fields import Scope, StudentId, in_utc
from app.workloads.assignment.models import Assignment, AssignmentQuestion
from app.workloads.assignment.records import Record, RecordPage, RecordQuestion, RecordSummary
from app.workloads.assignment.store import AssignmentNotFound, Place, Wanted

router = edge_router("assignments")

IdInPath = Annotated[
    str,
    Path(description="The assignment's id", examples=["A2403-04"]),
    StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00]*$"),
]


@router.get(
    "/assignments",
    summary="List assignments",
    responses={200: {"model": RecordPage}, **refusals(InvalidCursor, NotYours)},
)
async def list_assignments(
    *,
    reader: Reader,
    services: TheServices,
    scope: Annotated[Scope | None, Query()] = None,
    class_name: Annotated[Name | None, Query(description="Given to this class")] = None,
    student_id: Annotated[StudentId | None, Query(description="Given to this student by name")] = None,
    due_after: Annotated[datetime | None, Query(description="Due at this moment or later")] = None,
    due_before: Annotated[datetime | None, Query(description="Due before this moment")] = None,
    cursor: PageCursor,
    limit: Limit = 20,
) -> Response:
    """The confirmed assignments, the latest confirmed first. A student's token sees those that are for that student."""
    seen_by = _seen_by(reader, student_id)
    after, before = (in_utc(moment) if moment is not None else None for moment in (due_after, due_before))
    wanted = Wanted(scope, class_name, student_id, due_after=after, due_before=before, seen_by=seen_by)
    place = Place(cursor.created_at, cursor.id) if cursor is not None else None
    async with services.database.session(reader.tenant_id) as session:
        rows = await store.list_assignments(session, reader.tenant_id, wanted, before=place, limit=limit)
    shown, following = cut(rows, limit, lambda row: Cursor(row.confirmed_at, row.upload_id))
    return JsonResponse(page([_summary(row, seen_by) for row in shown], following))


@router.get(
    "/assignments/{assignment_id}",
    summary="Read an assignment",
    responses={200: {"model": Record}, **refusals(AssignmentNotFound)},
)
async def read_assignment(assignment_id: IdInPath, reader: Reader, services: TheServices) -> Response:
    """With its questions; to a student's token without answers, solutions and what the teacher says of the class."""
    seen_by = _seen_by(reader)
    async with services.database.session(reader.tenant_id) as session:
        found = await store.get_assignment(session, reader.tenant_id, assignment_id, seen_by=seen_by)
    return JsonResponse(_record(*found, seen_by))


def _seen_by(principal: Principal, asked: str | None = None) -> str | None:
    """The student by whom it is seen; None: by somebody who may see all."""
    if principal.role != "student":
        return None
    if asked not in (None, principal.subject):
        raise NotYours("A student's token sees what is for that student.")
    return principal.subject


def _summary(row: Assignment, seen_by: str | None) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in RecordSummary.model_fields if name != "job_id"}
    if seen_by is not None:
        shown["student_ids"] = [student_id for student_id in row.student_ids if student_id == seen_by]
    return shown | {"job_id": row.upload_id}


def _record(row: Assignment, questions: Sequence[AssignmentQuestion], seen_by: str | None) -> dict[str, Any]:
    requirements = row.requirements if seen_by is None else None
    shown = [_question(question, seen_by) for question in questions]
    return _summary(row, seen_by) | {"requirements": requirements, "questions": shown}


def _question(row: AssignmentQuestion, seen_by: str | None) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in RecordQuestion.model_fields}
    return shown if seen_by is None else shown | {"answer": None, "solution": None}
