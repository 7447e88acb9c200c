"""A paper and its key to a draft, by rules alone: what they could not tell is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.documents.values import AnswerKey, KeyEntry, Notice, Paper, Question
from app.workloads.assignment.fields import MOST_QUESTIONS
from app.workloads.assignment.service.autofill import requirements_of
from app.workloads.assignment.service.difficulty import deduced, usual_marks
from app.workloads.uploads.knowledge import Known, known_of
from app.workloads.uploads.labels import unlabelled

SHORT_TEXT = 200  # characters: with less, most of the document was probably not read
DISPUTED = 0.5  # the confidence, at most, of a question whose two keys differ


def draft_of(paper: Paper, key: AnswerKey) -> dict[str, Any]:
    """What the draft is drawn from: questions, requirements, and what a person should look at."""
    known = known_of(paper)
    usual = usual_marks(paper.questions)
    questions = [_question(*each, usual) for each in zip(paper.questions, known, strict=True)][:MOST_QUESTIONS]
    requirements = requirements_of(paper, known)
    warnings = [*paper.warnings, *key.warnings, *_apply(key, questions), *_notes(paper, questions)]
    return {
        "title": paper.title,
        "questions": questions,
        "requirements": requirements,
        "autofilled": sorted(requirements),
        "warnings": [warning.model_dump() for warning in warnings],
        "pages": paper.pages,
        "ocr_pages": paper.ocr_pages,
    }


def _question(question: Question, known: Known, usual: float | None) -> dict[str, Any]:
    difficulty = known.said.difficulty or deduced(question, usual)
    deductions = {
        "difficulty": known.said.difficulty is None,
        "knowledge_points": bool(known.points) and not known.stated,
    }
    return {
        **question.model_dump(include={"question_id", "number", "type", "options", "confidence", "source", "context"}),
        **question.model_dump(include={"section", "figures"}),
        "stem": known.said.stem,
        "answer": unlabelled(question.answer) or None if question.answer else None,
        "solution": unlabelled(question.solution) or None if question.solution else None,
        "score": question.max_score,
        "difficulty": difficulty,
        "knowledge_points": list(known.points),
        "tags": list(known.said.tags),
        "autofilled": [name for name, deduced_here in deductions.items() if deduced_here],
    }


def _apply(key: AnswerKey, questions: list[dict[str, Any]]) -> list[Notice]:
    """Give the answers of a key in files of its own to their questions."""
    by_id = {question["question_id"]: question for question in questions}
    notices = []
    for entry in key.entries:
        question = by_id.get(entry.question_id)
        if question is None:
            notices.append(
                _notice("key_without_question", f"The key answers {entry.question_id}, which was not found.")
            )
        elif question["answer"] not in (None, entry.answer):
            question["confidence"] = min(question["confidence"], DISPUTED)
            detail = f"The document answers “{question['answer'][:60]}”, the key “{entry.answer[:60]}”."
            notices.append(_notice("answers_differ", detail, entry.question_id))
        else:
            _give(question, entry)
    return notices


def _give(question: dict[str, Any], entry: KeyEntry) -> None:
    stated: Mapping[str, Any] = {"answer": entry.answer, "solution": entry.solution, "score": entry.max_score}
    for name, value in stated.items():
        if question[name] is None:
            question[name] = value


def _notes(paper: Paper, questions: list[dict[str, Any]]) -> list[Notice]:
    """What the rules could not tell."""
    notices = []
    if len("".join(paper.text.split())) < SHORT_TEXT and paper.ocr_pages:
        notices.append(_notice("little_text", "Little text was read; check that all of the document is there."))
    for name, what in (("answer", "answer"), ("score", "marks")):
        without = sum(question[name] is None for question in questions)
        if without:
            notices.append(
                _notice(f"{name}_not_stated", f"The document states no {what} for {without} of its questions.")
            )
    without = sum(not question["knowledge_points"] for question in questions)
    if without:
        detail = f"No knowledge points are stated or recognised for {without} questions; profiles need them."
        notices.append(_notice("knowledge_points_unknown", detail))
    if len(paper.questions) > MOST_QUESTIONS:
        notices.append(_notice("too_many_questions", f"Only the first {MOST_QUESTIONS} questions are in the draft."))
    return notices


def _notice(code: str, detail: str, question_id: str | None = None) -> Notice:
    return Notice(code=code, detail=detail, question_id=question_id)
