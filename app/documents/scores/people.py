"""The same student twice: once is kept, the higher mark counts, and what cannot be told apart is said."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.documents.values import Notice, Student


@dataclass(slots=True)
class Merged:
    warnings: list[Notice] = field(default_factory=list)
    ambiguous: int = 0


def merge_people(students: list[Student]) -> tuple[list[Student], Merged]:
    kept: dict[tuple[str | None, ...], Student] = {}
    result = Merged()
    for student in students:
        key = (student.student_id,) if student.student_id else (None, student.name, student.class_name)
        known = kept.setdefault(key, student)
        if known is student:
            continue
        who = student.name or student.student_id or "a student"
        if known == student and len(student.scores) > 1 and known.name is not None:  # the same row, copied twice
            if student.student_id is None:
                alike = f"{who} stands in two rows that are alike; they are taken for one student."
                result.warnings.append(Notice(code="duplicate_student", detail=alike))
            continue
        if student.student_id is None or known.name != student.name:
            result.ambiguous += 1
            result.warnings.append(
                Notice(
                    code="same_student_twice",
                    detail=f"{who} stands in two rows; it cannot be told whether they are one.",
                )
            )
            kept[(*key, str(len(kept)))] = student
        elif (known.scores, known.total) != (student.scores, student.total):
            _keep_higher(known, student)
            result.warnings.append(
                Notice(code="duplicate_student", detail=f"{who} stands in two rows; the higher marks are kept.")
            )
    return list(kept.values()), result


def _keep_higher(known: Student, other: Student) -> None:
    for question, mark in other.scores.items():
        before = known.scores.get(question)
        known.scores[question] = mark if before is None else before if mark is None else max(before, mark)
    totals = [total for total in (known.total, other.total) if total is not None]
    known.total = max(totals, default=None)
    known.absent = known.absent and other.absent
