"""The draft of an upload: what was read under what was edited, and what stands against confirming it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter

from app.workloads.assignment.fields import in_utc
from app.workloads.assignment.schemas import Audience, DraftQuestion, Requirements
from app.workloads.assignment.service.requirements import MANDATORY, missing_of
from app.workloads.uploads.kind import Draft, Missing
from app.workloads.uploads.models import Upload

QUESTIONS = TypeAdapter(list[DraftQuestion])


def draw(upload: Upload) -> Draft:
    """What GET .../draft answers with, beside the version."""
    assert upload.parsed is not None, "there is a draft once a parse is done"
    parsed, edits = upload.parsed, upload.edits
    edited = edits.get("requirements") or {}
    requirements = Requirements.model_validate(parsed["requirements"] | edited).model_dump(mode="json")
    questions = QUESTIONS.validate_python(parsed["questions"] if edits.get("questions") is None else edits["questions"])
    return {
        "assignment": _assignment(upload, edits.get("assignment") or {}),
        "questions": QUESTIONS.dump_python(questions, mode="json"),
        "requirements": requirements,
        "requirements_missing": missing_of(requirements),
        "autofilled": [name for name in parsed["autofilled"] if requirements[name] == parsed["requirements"][name]],
        "warnings": parsed["warnings"],
    }


def _assignment(upload: Upload, edited: dict[str, Any]) -> dict[str, Any]:
    given = Audience.model_validate({name: {**upload.form, **edited}.get(name) for name in Audience.model_fields})
    parsed = upload.parsed or {}
    shown = given.model_dump(mode="json")
    return {
        "assignment_id": upload.record_id,
        "title": edited.get("title") or upload.form.get("title") or parsed.get("title"),
        **shown,
        "date": shown["date"] or upload.created_at.date().isoformat(),
        "scope": given.meant_scope(),
    }


def missing(_upload: Upload, draft: Draft) -> list[Missing]:
    """Everything that stands against confirming, in the order of the document."""
    return [*_of_audience(draft["assignment"]), *_of_questions(draft["questions"]), *_of_requirements(draft)]


def _of_audience(assignment: dict[str, Any]) -> Iterator[Missing]:
    given = Audience.model_validate({name: assignment[name] for name in Audience.model_fields})
    if given.scope == "class" and not given.class_name:
        yield Missing("/assignment/class_name", "Name the class, or choose the scope `public`.")
    if given.scope == "student" and not given.student_ids:
        yield Missing("/assignment/student_ids", "Name the students, or choose the scope `public`.")
    if given.date and given.due_at and in_utc(given.due_at).date() < given.date:
        yield Missing("/assignment/due_at", "It is due before its date: correct one of them.")


def _of_questions(questions: list[dict[str, Any]]) -> Iterator[Missing]:
    if not questions:
        yield Missing("/questions", "There is no question. Add one, or upload a document that holds some.")
    counts = Counter(question["question_id"] for question in questions)
    for at, question in enumerate(questions):
        where = f"/questions/{at}"
        if counts[question["question_id"]] > 1:
            yield Missing(f"{where}/question_id", f"{question['question_id']} stands there twice: give one another id.")
        if not question["stem"].strip() and not question["figures"]:
            yield Missing(f"{where}/stem", "The question asks nothing: write what it asks, or remove it.")
        yield from _of_options(question, where)


def _of_options(question: dict[str, Any], where: str) -> Iterator[Missing]:
    keys = [option["key"] for option in question["options"]]
    if len(set(keys)) < len(keys):
        yield Missing(f"{where}/options", "Two options have the same letter: correct one of them.")
    choice = question["type"] in ("single", "multiple")
    if choice and keys and (answer := (question["answer"] or "").strip()) and _names_none_of(answer, keys):
        yield Missing(
            f"{where}/answer", f"{answer[:20]} is none of the options: correct the answer, or set it to null."
        )


def _names_none_of(answer: str, keys: list[str]) -> bool:
    letters = [letter for letter in answer.upper() if letter.isalpha()]
    known = {key.upper() for key in keys}
    return answer.upper() not in known and not all(letter in known for letter in letters)


def _of_requirements(draft: Draft) -> Iterator[Missing]:
    for name in draft["requirements_missing"]:
        yield Missing(f"/requirements/{name}", MANDATORY[name])
