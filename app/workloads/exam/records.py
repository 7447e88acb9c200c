"""Reading confirmed exams. Callers come through a tenant's session, so row level security has the last word."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.errors import Refusal
from app.workloads.exam.models import Exam, ExamQuestion, ExamResult, ExamStudent


class ExamNotFound(Refusal):
    status = 404
    code = "exam_not_found"
    title = "There is no such exam"
    cure = "GET /v1/exams lists them. An upload becomes an exam when its draft is confirmed."


class Place(NamedTuple):
    """Where a page of exams begins or ends."""

    date: dt.date
    exam_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which exams; a student's are those that they sat."""

    class_name: str | None = None
    date_from: dt.date | None = None
    date_to: dt.date | None = None
    student_id: str | None = None


async def list_exams(
    session: AsyncSession, tenant_id: str, wanted: Wanted, *, before: Place | None, limit: int
) -> Sequence[Exam]:
    """The latest first; one row more than the limit tells that there is a next page."""
    query = select(Exam).where(Exam.tenant_id == tenant_id).order_by(Exam.date.desc(), Exam.exam_id.desc())
    if wanted.class_name is not None:
        query = query.where(Exam.class_name == wanted.class_name)
    if wanted.date_from is not None:
        query = query.where(Exam.date >= wanted.date_from)
    if wanted.date_to is not None:
        query = query.where(Exam.date <= wanted.date_to)
    if wanted.student_id is not None:
        query = query.where(_sat_by(wanted.student_id))
    if before is not None:
        query = query.where(tuple_(Exam.date, Exam.exam_id) < tuple_(literal(before.date), literal(before.exam_id)))
    return (await session.scalars(query.limit(limit + 1))).all()


async def get_exam(session: AsyncSession, tenant_id: str, exam_id: str, *, student_id: str | None) -> Exam:
    """The exam; for a student only one that they sat."""
    query = select(Exam).where(Exam.tenant_id == tenant_id, Exam.exam_id == exam_id)
    if student_id is not None:
        query = query.where(_sat_by(student_id))
    exam = (await session.scalars(query)).one_or_none()
    if exam is None:
        raise ExamNotFound("No exam has this id, or the token's student did not sit it.")
    return exam


async def questions_of(session: AsyncSession, exam: Exam) -> Sequence[ExamQuestion]:
    query = select(ExamQuestion).where(ExamQuestion.tenant_id == exam.tenant_id, ExamQuestion.exam_id == exam.exam_id)
    return (await session.scalars(query.order_by(ExamQuestion.position))).all()


class StudentResults(NamedTuple):
    """A student, and the rows of their marks by question."""

    student: ExamStudent
    results: dict[str, Any]


async def students_of(
    session: AsyncSession, exam: Exam, *, student_id: str | None, after: int, limit: int
) -> Sequence[StudentResults]:
    """By rank, each with their marks, in one statement; one more than the limit."""
    result = func.jsonb_build_array(ExamResult.score, ExamResult.answer, ExamResult.exempt)
    marks = func.jsonb_object_agg(ExamResult.question_id, result).filter(ExamResult.question_id.is_not(None))
    same = and_(
        ExamResult.tenant_id == ExamStudent.tenant_id,
        ExamResult.exam_id == ExamStudent.exam_id,
        ExamResult.student_id == ExamStudent.student_id,
    )
    query = (
        select(ExamStudent, select(marks).where(same).scalar_subquery())
        .where(
            ExamStudent.tenant_id == exam.tenant_id,
            ExamStudent.exam_id == exam.exam_id,
            ExamStudent.position > after,
        )
        .order_by(ExamStudent.position)
        .limit(limit + 1)
    )
    if student_id is not None:
        query = query.where(ExamStudent.student_id == student_id)
    return [StudentResults(student, results or {}) for student, results in await session.execute(query)]


async def all_students(
    session: AsyncSession, exam: Exam, *, student_id: str | None, batch: int = 500
) -> AsyncIterator[StudentResults]:
    """Every student, read in batches: a large exam is never in memory as a whole."""
    after = 0
    while True:
        rows = await students_of(session, exam, student_id=student_id, after=after, limit=batch)
        for row in rows[:batch]:
            yield row
        if len(rows) <= batch:
            return
        after = rows[batch - 1].student.position


def _sat_by(student_id: str) -> ColumnElement[bool]:
    return exists().where(
        ExamStudent.tenant_id == Exam.tenant_id,
        ExamStudent.exam_id == Exam.exam_id,
        ExamStudent.student_id == student_id,
        ExamStudent.absent.is_(False),
    )
