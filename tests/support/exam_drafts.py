"""Drafts of exams from values, as readings of files would come to them, and uploads that have them already."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.documents.values import AnswerKey, Paper, Question, ScoredQuestion, ScoreSchema, ScoreSheets, Source
from app.documents.values import Student as Row
from app.kit.db import Database
from app.kit.ids import uuid7
from app.workloads.exam.drawing import settled
from app.workloads.exam.merging import merge
from app.workloads.uploads.kind import Draft
from app.workloads.uploads.models import Upload

EXAM = {"exam_id": "e", "date": "2026-04-20", "class_name": "7A", "title": None, "language": "en"}


def question(name: str, **more: Any) -> Question:
    values = {"type": "short", "stem": f"What is {name}?", "confidence": 1.0, "source": Source(file="paper.txt")}
    return Question(question_id=name, number=name[1:], **values | more)


def choice(name: str, **more: Any) -> Question:
    options = [{"key": key, "text": key} for key in "ABCD"]
    return question(name, **{"type": "single", "options": options} | more)


def sheet(*students: Row, mode: str = "question", maxima: dict[str, float] | None = None) -> ScoreSheets:
    columns = dict.fromkeys(name for student in students for name in (*student.scores, *student.answers))
    most = maxima or {}
    return ScoreSheets.model_validate(
        {
            "score_mode": mode,
            "questions": [ScoredQuestion(question_id=each, label=each, max_score=most.get(each)) for each in columns],
            "students": students,
            "score_schema": ScoreSchema(selected="one", recommended="one", needs_confirm=False),
        }
    )


def row(name: str, total: float | None = None, **marks: float | None) -> Row:
    return Row(student_id=name, name=name.title(), scores=marks, total=total)


def chosen(name: str, **answers: str) -> Row:
    return Row(student_id=name, name=name.title(), scores=dict.fromkeys(answers), answers=answers)


def parse(paper: Paper | None, sheets: ScoreSheets | None, key: AnswerKey | None = None) -> Draft:
    merged = merge(paper, sheets, key)
    return settled(
        {
            "exam": dict(EXAM),
            "questions": merged.questions,
            "students": merged.students,
            "score_mode": sheets.score_mode if sheets else None,
            "score_schema": sheets.score_schema.model_dump() if sheets else None,
            "warnings": [warning.model_dump() for warning in merged.warnings],
        }
    )


async def ready(database: Database, parsed: Draft, *, tenant: str = "demo", **exam: Any) -> UUID:
    """An upload whose files were read into this."""
    parsed = parsed | {"exam": parsed["exam"] | exam}
    job_id = uuid7()
    async with database.session(tenant) as session:
        session.add(
            Upload(
                tenant_id=tenant,
                job_id=job_id,
                parse_job_id=job_id,
                kind="exam",
                record_id=parsed["exam"]["exam_id"],
                form={},
                files=[],
                parsed=parsed,
                attempt=1,
                draft_version=1,
            )
        )
    return job_id
