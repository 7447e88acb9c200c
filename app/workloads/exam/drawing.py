"""The draft: what was parsed, under what was edited, with all that follows from both worked out anew."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import TypeAdapter

from app.documents.scores.objective import is_objective
from app.documents.values import Notice
from app.workloads.exam.marking import apply_key, columns_of, differs, highest_total, mark_answers, sum_up
from app.workloads.exam.naming import named
from app.workloads.exam.schemas import DraftAnswer, DraftQuestion, DraftSchema, DraftStudent
from app.workloads.uploads.kind import Draft
from app.workloads.uploads.models import Upload

QUESTIONS = TypeAdapter(list[DraftQuestion])
STUDENTS = TypeAdapter(list[DraftStudent])
KEY = TypeAdapter(list[DraftAnswer])


def draw(upload: Upload) -> Draft:
    """What GET .../draft answers with, beside the version."""
    assert upload.parsed is not None, "there is a draft once a parse is done"
    return drawn(upload.parsed, upload.edits)


def drawn(parsed: Draft, edits: Draft) -> Draft:
    """The document with what stands against it said."""
    document = settled(parsed, edits)
    document["warnings"] = [*parsed["warnings"], *(notice.model_dump() for notice in _notices(document, edits))]
    return document


def settled(parsed: Draft, edits: Draft | None = None) -> Draft:
    """The sections, with what follows from others in place: answers, marks, totals, the summary."""
    edits = edits or {}
    questions = QUESTIONS.validate_python(_section("questions", parsed, edits))
    students = STUDENTS.validate_python(_section("students", parsed, edits))
    apply_key(questions, KEY.validate_python(edits.get("answer_key") or []))
    mark_answers(questions, students)
    sum_up(students)
    schema = _schema(parsed["score_schema"], edits.get("score_schema") or {})
    return {
        "exam": parsed["exam"] | (edits.get("exam") or {}),
        "questions": QUESTIONS.dump_python(questions, mode="json"),
        "students": STUDENTS.dump_python(students, mode="json"),
        "score_mode": parsed["score_mode"],
        "score_schema": schema,
        "answer_key": [
            {"question_id": question.question_id, "answer": question.answer}
            for question in questions
            if question.answer is not None
        ],
        "summary": _summary(questions, students),
        "warnings": parsed["warnings"],
        "needs_confirm": schema["needs_confirm"],
    }


def _section(name: str, parsed: Draft, edits: Draft) -> Any:
    edited = edits.get(name)
    return parsed[name] if edited is None else edited


def _schema(parsed: dict[str, Any] | None, edit: dict[str, Any]) -> dict[str, Any]:
    """A teacher confirms how the sheet was read by saying so, or by naming the candidate that it was read by."""
    schema = DraftSchema.model_validate(parsed or {}).model_dump(mode="json")
    selected, said = edit.get("selected"), edit.get("needs_confirm")
    if selected is not None and selected != schema["selected"]:
        return schema | {"selected": selected, "needs_confirm": True}  # it is to be read anew: POST .../reparse
    if said is None:
        said = schema["needs_confirm"] and selected is None
    return schema | {"needs_confirm": bool(said)}


def _summary(questions: Sequence[DraftQuestion], students: Sequence[DraftStudent]) -> dict[str, Any]:
    totals = [student.total for student in students if student.total is not None]
    return {
        "students": len(students),
        "absent": sum(student.absent for student in students),
        "marked": len(totals),
        "max_total": highest_total(questions, columns_of(students)),
        "mean": round(statistics.fmean(totals), 2) if totals else None,
        "median": statistics.median(totals) if totals else None,
        "highest": max(totals, default=None),
        "lowest": min(totals, default=None),
    }


def _notices(document: Draft, edits: Draft) -> Iterator[Notice]:
    questions = QUESTIONS.validate_python(document["questions"])
    students = STUDENTS.validate_python(document["students"])
    columns = columns_of(students)
    yield from _about_questions(questions, columns, students, document["score_mode"])
    yield from _about_students(students)
    yield from _about_edits(questions, edits)


def _about_questions(
    questions: Sequence[DraftQuestion], columns: Sequence[str], students: Sequence[DraftStudent], mode: str | None
) -> Iterator[Notice]:
    have = set(columns) | {question.parent_id for question in questions if question.question_id in columns}
    whole = {question.parent_id for question in questions if question.parent_id in columns}
    without = [
        question.question_id
        for question in questions
        if question.question_id not in have and question.parent_id not in whole
    ]
    if mode == "question" and without:
        yield _notice("questions_without_marks", f"The score sheet has no marks for {named(without)}.")
    untold = sorted({name for student in students for name in student.answers if student.scores.get(name) is None})
    if untold:
        yield _notice(
            "answers_not_marked",
            f"Answers to {named(untold)} have no marks: the key (letters, true or false) or `max_score` is not known.",
        )
    worked = [
        question.question_id
        for question in questions
        if question.question_id in untold and question.answer is not None and not is_objective(question.answer)
    ]
    if worked:
        yield _notice(
            "not_objective", f"The key of {named(worked)} is no letter: chosen letters cannot be marked by it."
        )


def _about_students(students: Sequence[DraftStudent]) -> Iterator[Notice]:
    nameless = [f"row {at}" for at, student in enumerate(students, 1) if not student.student_id and not student.name]
    if nameless:
        yield _notice("student_without_name", f"Neither an id nor a name: {named(nameless)} of `students`.")
    without_id = [student.name for student in students if student.name and not student.student_id]
    if without_id:
        detail = f"Students without an id are filed under their class and name: {named(without_id)}."
        yield _notice("student_without_id", detail)
    for student in students:
        if differs(student):
            who = student.name or student.student_id or "a student"
            yield _notice("total_differs", f"{who}: the sheet's total is not the sum of the marks.")


def _about_edits(questions: Sequence[DraftQuestion], edits: Draft) -> Iterator[Notice]:
    """What a teacher wrote in two places, differently; and what it was written for and is not there."""
    key = {entry["question_id"]: entry.get("answer") for entry in edits.get("answer_key") or []}
    said = {each["question_id"]: each.get("answer") for each in edits.get("questions") or []}
    differing = [name for name in key if name in said and said[name] != key[name]]
    if differing:
        yield _notice(
            "answers_differ", f"`answer_key` beats `questions`, which answers {named(differing)} differently."
        )
    missing = key.keys() - {question.question_id for question in questions}
    if missing:
        yield _notice("key_without_question", f"`answer_key` has {named(sorted(missing))}, which `questions` has not.")


def _notice(code: str, detail: str) -> Notice:
    return Notice(code=code, detail=detail)
