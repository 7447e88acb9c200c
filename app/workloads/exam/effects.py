"""What a confirmed exam means for others: a document of the library, and an update of each student's profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from typing import Any

from app.library.documents import Document, Section
from app.workloads.exam.record import Record
from app.workloads.exam.report.marks import Asked, Sat
from app.workloads.exam.schemas import DraftQuestion

LIBRARY_KIND = "exam"
PROFILE_UPDATE = "profile.update"

ANSWER = {"en": "Answer", "zh": "答案"}
SOLUTION = {"en": "Solution", "zh": "解析"}


def library_document(record: Record) -> Document | None:
    """The paper with its key, for the class; None while nobody has marks: it may not have been sat yet.

    Where the sheet knows the students by other classes, it is for those who sat it, by name.
    """
    questions = [question for question in record.questions if question.stem or question.context]
    if not record.marked or not questions:
        return None
    one_class = {row["class_name"] for row in record.students} == {record.class_name}
    return Document(
        kind=LIBRARY_KIND,
        id=record.exam_id,
        title=record.title,
        sections=tuple(_section(question, record.language) for question in questions),
        scope="class" if one_class else "student",
        class_name=record.class_name,
        student_ids=() if one_class else tuple(student.student_id for student in record.marked),
        language=record.language,
    )


def _section(question: DraftQuestion, language: str) -> Section:
    lines = [question.context, question.stem, *(f"{option.key}. {option.text}" for option in question.options)]
    for words, said in ((ANSWER, question.answer), (SOLUTION, question.solution)):
        lines.append(f"{words.get(language, words['en'])}: {said}" if said else None)
    return Section("\n".join(filter(None, lines)), question.question_id, tuple(question.knowledge_points))


def profile_updates(record: Record, confirmed_at: datetime, gone: Sequence[str]) -> list[dict[str, Any]]:
    """One for each student who sat the exam; and for who is in it no more, one that takes the former results back."""
    source = {
        "kind": "exam",
        "id": record.exam_id,
        "title": record.title,
        "as_of": confirmed_at.isoformat(),
    }
    occurred_at = datetime.combine(record.date, time(), UTC).isoformat()
    told = {"source": source, "occurred_at": occurred_at, "notes": [], "misconceptions": []}
    return [{"kind": PROFILE_UPDATE, "input": told | about} for about in _about_each(record, gone)]


def _about_each(record: Record, gone: Sequence[str]) -> Iterator[dict[str, Any]]:
    for row, sat in zip(record.students, record.sat, strict=True):
        if sat.total is not None:
            about = {name: row[name] for name in ("student_id", "name", "class_name")}
            yield about | {"results": [_result(question, sat) for question in record.asked]}
    for student_id in gone:
        yield {"student_id": student_id, "name": None, "class_name": None, "results": []}


def _result(question: Asked, sat: Sat) -> dict[str, Any]:
    return {
        "question_id": question.question_id,
        "knowledge_points": list(question.knowledge_points),
        "score": sat.mark(question),
        "max_score": question.max_score,
    }
