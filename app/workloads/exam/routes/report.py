"""/exams/{id}/report: what the marks say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Query, Response
from pydantic import BaseModel, Field

from app.api.deps import Base, Reader, TheServices
from app.api.pages import Limit, NumberCursor, PageNumberCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, edge_router
from app.workloads.exam import records
from app.workloads.exam.models import Exam, ExamQuestion
from app.workloads.exam.records import ExamNotFound, StudentResults
from app.workloads.exam.report.csv import report_csv
from app.workloads.exam.routes.deps import ExamInPath, OwnStudent
from app.workloads.exam.routes.exams import ExamSummary, summary

router = edge_router("exams")

CSV = "text/csv"

Format = Annotated[
    Literal["json", "csv"] | None, Query(description="Default: as `Accept` says; CSV has all students at once")
]


class Bin(BaseModel):
    """A tenth of what could be reached."""

    from_: Annotated[float, Field(alias="from")]
    to: float
    students: int


class Totals(BaseModel):
    marked: Annotated[int, Field(description="Students with marks")]
    max_total: float | None
    mean: float | None
    median: float | None
    sd: Annotated[float | None, Field(description="Of the class as a whole, not of a sample")]
    highest: float | None
    lowest: float | None
    pass_share: Annotated[float, Field(description="Share of the possible marks from which the exam is passed")]
    passed: int
    pass_rate: float | None
    distribution: list[Bin]


class QuestionFigures(BaseModel):
    question_id: str
    number: str
    type: str | None
    max_score: float
    knowledge_points: list[str]
    students: Annotated[int, Field(description="With a mark for it")]
    mean: float | None
    difficulty: Annotated[float | None, Field(description="Mean as a share of `max_score`: 1 is easy")]
    discrimination: Annotated[
        float | None,
        Field(description="Correlation with the rest of the exam (point-biserial); null where it is not defined"),
    ]
    full: int
    zero: int
    answers: Annotated[dict[str, int], Field(description="What was chosen, where the sheet has answers")]


class ClassPoint(BaseModel):
    knowledge_point: str
    mastery: Annotated[float, Field(description="Share of the marks that its questions could have brought")]
    weak: bool
    questions: int
    weak_students: int


class WeakPoint(BaseModel):
    knowledge_point: str
    mastery: float
    questions: int


class StudentMark(BaseModel):
    score: float | None
    answer: str | None
    exempt: bool


class StudentReport(BaseModel):
    student_id: str
    name: str | None
    class_name: str
    absent: bool
    rank: int | None
    total: float | None
    max_total: float | None
    scores: dict[str, StudentMark]
    weak_points: list[WeakPoint]


class StudentPage(BaseModel):
    """By rank; a student's token sees that student alone."""

    data: list[StudentReport]
    has_more: bool
    next_cursor: str | None


class ExamReport(ExamSummary):
    """Figures of the class, of each question and knowledge point, and of each student."""

    totals: Totals
    questions: list[QuestionFigures]
    knowledge_points: Annotated[list[ClassPoint], Field(description="The weakest first")]
    results: StudentPage


@router.get(
    "/exams/{exam_id}/report",
    summary="Report of an exam",
    responses={
        200: {"model": ExamReport, "content": {CSV: {"schema": {"type": "string"}}}},
        **refusals(ExamNotFound, InvalidCursor),
    },
)
async def read_report(
    *,
    exam_id: ExamInPath,
    reader: Reader,
    own: OwnStudent,
    services: TheServices,
    base: Base,
    cursor: PageNumberCursor,
    format: Format = None,  # noqa: A002 - the client's word
    limit: Limit = 100,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Difficulty, discrimination, distribution, weak points. `cursor` and `limit` page through `results`."""
    after = cursor.number if cursor is not None else 0
    async with services.database.session(reader.tenant_id) as session:
        exam = await records.get_exam(session, reader.tenant_id, exam_id, student_id=own)
        asked = _asked(exam, await records.questions_of(session, exam))
        if format == "csv" or (format is None and _prefers_csv(accept)):
            lines = [
                line async for line in report_csv(exam, asked, records.all_students(session, exam, student_id=own))
            ]
            return _csv_response(exam, lines)
        students = await records.students_of(session, exam, student_id=own, after=after, limit=limit)
    return JsonResponse(_report(exam, asked, students, limit) | summary(exam, base))


def _report(exam: Exam, asked: list[ExamQuestion], students: Any, limit: int) -> dict[str, Any]:
    shown, following = cut(students, limit, lambda each: NumberCursor(each.student.position))
    figures = exam.figures
    return {
        "totals": figures["totals"],
        "questions": [_about(question) | figures["questions"][question.question_id] for question in asked],
        "knowledge_points": figures["knowledge_points"],
        "results": page([_student(each) for each in shown], following),
    }


def _asked(exam: Exam, questions: Any) -> list[ExamQuestion]:
    """The questions that have marks."""
    return [question for question in questions if question.question_id in exam.figures["questions"]]


def _about(question: ExamQuestion) -> dict[str, Any]:
    names = ("question_id", "number", "type", "max_score", "knowledge_points")
    return {name: getattr(question, name) for name in names}


def _student(row: StudentResults) -> dict[str, Any]:
    names = ("student_id", "name", "class_name", "absent", "rank", "total", "max_total", "weak_points")
    scores = {
        question_id: {"score": score, "answer": answer, "exempt": exempt}
        for question_id, (score, answer, exempt) in row.results.items()
    }
    return {name: getattr(row.student, name) for name in names} | {"scores": scores}


def _prefers_csv(accept: str) -> bool:
    """Named by a client that names no JSON: a browser's `*/*` is no wish for a table."""
    return CSV in accept.lower() and "json" not in accept.lower()


def _csv_response(exam: Exam, lines: list[bytes]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="report-{exam.date}.csv"', "Vary": "Accept"}
    return Response(b"".join(lines), media_type=f"{CSV}; charset=utf-8", headers=headers)
