"""/exams: what was confirmed."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import BaseModel, Field

from app.api.deps import Base, Reader, TheServices
from app.api.pages import DayCursor, Limit, PageDayCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, Name, edge_router
from app.documents.values import QuestionType, ScoreMode
from app.workloads.exam import records
from app.workloads.exam.models import Exam, ExamQuestion
from app.workloads.exam.records import ExamNotFound, Place, Wanted
from app.workloads.exam.routes.deps import ExamInPath, OwnStudent

router = edge_router("exams")

ClassName = Annotated[Name | None, Query(description="Only this class's")]
DateFrom = Annotated[dt.date | None, Query(description="Sat on this day or later")]
DateTo = Annotated[dt.date | None, Query(description="Sat on this day or before")]


class ExamLinks(BaseModel):
    self: str
    report: str


class ExamSummary(BaseModel):
    """A confirmed exam."""

    exam_id: str
    title: str
    date: dt.date
    class_name: str
    language: Literal["en", "zh"]
    score_mode: Annotated[ScoreMode | None, Field(description="null: nobody has marks")]
    students: int
    absent: int
    max_total: float | None
    mean: float | None
    confirmed_at: dt.datetime
    links: ExamLinks


class ExamPage(BaseModel):
    """The latest first."""

    data: list[ExamSummary]
    has_more: bool
    next_cursor: str | None


class ExamOption(BaseModel):
    key: str
    text: str


class QuestionDocument(BaseModel):
    """A question as it was confirmed."""

    question_id: str
    number: str
    type: QuestionType | None
    stem: str
    context: str | None
    options: list[ExamOption]
    answer: str | None
    solution: str | None
    max_score: float | None
    knowledge_points: list[str]


class ExamDocument(ExamSummary):
    questions: list[QuestionDocument]


@router.get("/exams", summary="List exams", responses={200: {"model": ExamPage}, **refusals(InvalidCursor)})
async def list_exams(
    *,
    reader: Reader,
    own: OwnStudent,
    services: TheServices,
    base: Base,
    cursor: PageDayCursor,
    class_name: ClassName = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    limit: Limit = 20,
) -> Response:
    """The tenant's confirmed exams, the latest first. A student's token sees those that the student sat."""
    before = Place(*cursor) if cursor is not None else None
    wanted = Wanted(class_name, date_from, date_to, student_id=own)
    async with services.database.session(reader.tenant_id) as session:
        rows = await records.list_exams(session, reader.tenant_id, wanted, before=before, limit=limit)
    shown, following = cut(rows, limit, lambda exam: DayCursor(exam.date, exam.exam_id))
    return JsonResponse(page([summary(exam, base) for exam in shown], following))


@router.get(
    "/exams/{exam_id}",
    summary="Read an exam",
    responses={200: {"model": ExamDocument}, **refusals(ExamNotFound)},
)
async def read_exam(
    exam_id: ExamInPath, reader: Reader, own: OwnStudent, services: TheServices, base: Base
) -> Response:
    """The paper with its key. A student's token reads exams that the student sat: what was absent may yet be sat."""
    async with services.database.session(reader.tenant_id) as session:
        exam = await records.get_exam(session, reader.tenant_id, exam_id, student_id=own)
        questions = await records.questions_of(session, exam)
    return JsonResponse(summary(exam, base) | {"questions": [_question(each) for each in questions]})


def summary(exam: Exam, base: str) -> dict[str, Any]:
    totals = exam.figures["totals"]
    return {
        "exam_id": exam.exam_id,
        "title": exam.title,
        "date": exam.date,
        "class_name": exam.class_name,
        "language": exam.language,
        "score_mode": exam.score_mode,
        "students": exam.figures["students"],
        "absent": exam.figures["absent"],
        "max_total": totals["max_total"],
        "mean": totals["mean"],
        "confirmed_at": exam.confirmed_at,
        "links": {"self": f"{base}/exams/{exam.exam_id}", "report": f"{base}/exams/{exam.exam_id}/report"},
    }


def _question(question: ExamQuestion) -> dict[str, Any]:
    return {name: getattr(question, name) for name in QuestionDocument.model_fields}
