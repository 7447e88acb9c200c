"""What is kept of a confirmed draft: its rows, and the figures worked out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.kit.words import language_of
from app.workloads.exam.drawing import QUESTIONS, STUDENTS
from app.workloads.exam.marking import columns_of
from app.workloads.exam.naming import filed_as
from app.workloads.exam.report.figures import exam_figures, ranks, rounded
from app.workloads.exam.report.marks import Asked, Sat
from app.workloads.exam.report.points import class_points, weak_points
from app.workloads.exam.schemas import DraftQuestion, DraftStudent
from app.workloads.uploads.kind import Draft
from app.workloads.uploads.models import Upload

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    exam_id: str
    upload_id: UUID
    title: str
    date: date
    class_name: str
    language: str
    score_mode: str | None
    figures: Row
    questions: Sequence[DraftQuestion]
    asked: Sequence[Asked]  # those of them that have marks
    students: Sequence[Row]  # by rank, as `exam_students` has them
    sat: Sequence[Sat]  # the same students in the same order

    @property
    def marked(self) -> list[Sat]:
        """Who has marks."""
        return [student for student in self.sat if student.total is not None]


def make_record(upload: Upload, draft: Draft) -> Record:
    exam = draft["exam"]
    questions = QUESTIONS.validate_python(draft["questions"])
    students = STUDENTS.validate_python(draft["students"])
    for student in students:
        student.class_name = student.class_name or exam["class_name"]
    columns = set(columns_of(students))
    asked = [
        Asked(question.question_id, question.max_score, tuple(question.knowledge_points))
        for question in questions
        if question.question_id in columns and question.max_score is not None
    ]
    filed = [(_sat(student), student) for student in students]
    ranked = ranks(sat for sat, _ in filed)
    last = len(filed) + 1
    filed.sort(key=lambda each: ranked.get(each[0].student_id, last))
    sat = [each for each, _ in filed]
    return Record(
        exam_id=exam["exam_id"],
        upload_id=upload.job_id,
        title=exam["title"] or f"{exam['class_name']} {exam['date']}",
        date=date.fromisoformat(exam["date"]),
        class_name=exam["class_name"],
        language=_language(exam["language"], questions),
        score_mode=draft["score_mode"] if students else None,
        figures=figures_of(asked, sat, absent=sum(student.absent for student in students)),
        questions=questions,
        asked=asked,
        students=[
            _student_row(at, one, student, asked, ranked.get(one.student_id))
            for at, (one, student) in enumerate(filed, start=1)
        ],
        sat=sat,
    )


def figures_of(asked: Sequence[Asked], sat: Sequence[Sat], *, absent: int) -> Row:
    return {
        "students": len(sat),
        "absent": absent,
        **exam_figures(asked, sat),
        "knowledge_points": class_points(asked, [student for student in sat if student.total is not None]),
    }


def _sat(student: DraftStudent) -> Sat:
    known_as = filed_as(student, student.class_name)
    assert known_as is not None, "a draft with a nameless student is not confirmed"
    return Sat(
        student_id=known_as,
        scores={} if student.absent else student.scores,
        total=student.total,
        exempt=frozenset(student.exempt),
        answers=student.answers,
    )


def _student_row(position: int, sat: Sat, student: DraftStudent, asked: Sequence[Asked], rank: int | None) -> Row:
    return {
        "student_id": sat.student_id,
        "position": position,
        "name": student.name,
        "class_name": student.class_name,
        "absent": student.absent,
        "total": sat.total,
        "max_total": rounded(sat.out_of(asked)),
        "rank": rank,
        "weak_points": weak_points(sat, asked),
    }


def _language(asked_for: str, questions: Sequence[DraftQuestion]) -> str:
    return asked_for if asked_for != "auto" else language_of(" ".join(question.stem for question in questions))
