"""Paper, score sheet and answer key to one list of questions and one of students; what does not agree is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.documents.values import AnswerKey, KeyEntry, Notice, Paper, Question, ScoredQuestion, ScoreSheets, Student
from app.workloads.exam.naming import named
from app.workloads.exam.schemas import DraftOption, DraftQuestion, DraftStudent
from app.workloads.uploads.knowledge import Known, known_of
from app.workloads.uploads.labels import unlabelled

DOUBTFUL = 0.6  # confidence of a question below which a teacher is asked to look
# Said anew of every draft, since a teacher's corrections settle them.
SETTLED_LATER = frozenset({"total_differs"})


@dataclass(slots=True)
class Merged:
    questions: list[DraftQuestion]
    students: list[DraftStudent]
    warnings: list[Notice] = field(default_factory=list)


def merge(paper: Paper | None, sheets: ScoreSheets | None, key: AnswerKey | None) -> Merged:
    """What the files say together. The paper's questions come first, then columns that only the sheet has."""
    questions = _questions(paper) if paper is not None else []
    merged = Merged(questions, [_student(student) for student in (sheets.students if sheets else [])])
    merged.warnings += paper.warnings if paper is not None else []
    if sheets is not None:
        merged.warnings += [notice for notice in sheets.warnings if notice.code not in SETTLED_LATER]
        _add_columns(merged, paper, sheets)
    if key is not None:
        merged.warnings += key.warnings
        _add_key(merged, key.entries)
    doubtful = [question.question_id for question in merged.questions if question.confidence < DOUBTFUL]
    if doubtful:
        merged.warnings.append(
            Notice(code="doubtful_questions", detail=f"Read with little confidence: {named(doubtful)}.")
        )
    return merged


def _questions(paper: Paper) -> list[DraftQuestion]:
    return [_question(question, known) for question, known in zip(paper.questions, known_of(paper), strict=True)]


def _question(question: Question, known: Known) -> DraftQuestion:
    return DraftQuestion(
        question_id=question.question_id,
        number=question.number,
        type=question.type,
        stem=known.said.stem,
        options=[DraftOption(key=option.key, text=option.text) for option in question.options],
        answer=_bare(question.answer),
        solution=_bare(question.solution),
        max_score=question.max_score or None,
        max_score_from="paper" if question.max_score else None,
        knowledge_points=list(known.points),
        knowledge_points_from=("document" if known.stated else "terms") if known.points else None,
        confidence=question.confidence,
        source=question.source,
        context=question.context,
        parent_id=question.parent_id,
        section=(question.section or "")[:200] or None,
        figures=[figure[:200] for figure in question.figures],
    )


def _bare(text: str | None) -> str | None:
    return (unlabelled(text) or None) if text is not None else None


def _student(student: Student) -> DraftStudent:
    values: dict[str, Any] = student.model_dump(exclude={"total"})
    return DraftStudent(**values, total=student.total, stated_total=student.total)


def _add_columns(merged: Merged, paper: Paper | None, sheets: ScoreSheets) -> None:
    """What each column is out of; columns that the paper does not have become questions of their own."""
    by_id = {question.question_id: question for question in merged.questions}
    strange, differing = [], []
    for column in sheets.questions:
        question = by_id.get(column.question_id)
        if question is None:
            merged.questions.append(_column(column, merged.questions, paper))
            strange.append(column.question_id)
        elif question.max_score is None and column.max_score is not None:
            question.max_score, question.max_score_from = column.max_score, "sheet"
        elif column.max_score not in (None, question.max_score):
            differing.append(column.question_id)
    if differing:
        detail = f"Paper and score sheet state different marks for {named(differing)}; the paper's are kept."
        merged.warnings.append(Notice(code="max_score_differs", detail=detail))
    parents = {question.parent_id for question in merged.questions}
    unknown = [name for name in strange if name not in parents]
    if paper is not None and sheets.score_mode == "question" and unknown:
        detail = f"The score sheet has marks for {named(unknown)}, which the paper does not have."
        merged.warnings.append(Notice(code="columns_without_question", detail=detail))


def _column(scored: ScoredQuestion, questions: Sequence[DraftQuestion], paper: Paper | None) -> DraftQuestion:
    """A question that only the sheet has; one whose parts the paper has is made of what they state."""
    name = scored.question_id
    column = DraftQuestion(question_id=name, number=name.removeprefix("Q"), stem="", section=None)
    parts = [question for question in questions if question.parent_id == name]
    if parts:
        column.context = parts[0].context
        column.source = parts[0].source
        column.confidence = min(part.confidence for part in parts)
        column.knowledge_points = list(dict.fromkeys(point for part in parts for point in part.knowledge_points))[:20]
        column.knowledge_points_from = parts[0].knowledge_points_from if column.knowledge_points else None
    elif name.startswith(("TOTAL", "SUBJECT_")):
        column.number = scored.label[:200]
    if scored.max_score is not None:
        column.max_score, column.max_score_from = scored.max_score, "sheet"
    elif found := _out_of(name, questions, parts, paper):
        column.max_score, column.max_score_from = found, "parts"
    return column


def _out_of(
    name: str, questions: Sequence[DraftQuestion], parts: Sequence[DraftQuestion], paper: Paper | None
) -> float | None:
    """Of a question with parts: what the paper states for it, or its parts together. Of TOTAL: the whole paper's."""
    if paper is None:
        return None
    stated = next((q.parent_score for q in paper.questions if q.parent_id == name and q.parent_score), None)
    if stated is not None:
        return stated
    counted = questions if name == "TOTAL" else parts
    marks = [question.max_score for question in counted]
    known = [each for each in marks if each is not None]
    return round(sum(known), 4) if known and len(known) == len(marks) else None


def _add_key(merged: Merged, entries: Sequence[KeyEntry]) -> None:
    by_id = {question.question_id: question for question in merged.questions}
    unknown, differing = [], []
    for entry in entries:
        question = by_id.get(entry.question_id)
        if question is None:
            unknown.append(entry.question_id)
            continue
        if question.answer not in (None, entry.answer):
            differing.append(entry.question_id)
        question.answer = entry.answer
        question.solution = entry.solution or question.solution
        if question.max_score is None and entry.max_score:
            question.max_score, question.max_score_from = entry.max_score, "key"
        if question.type == "single" and len(entry.answer) > 1 and entry.answer.isalpha() and entry.answer.isupper():
            question.type = "multiple"
    if unknown:
        detail = f"The key answers {named(unknown)}, which no other file has."
        merged.warnings.append(Notice(code="key_without_question", detail=detail))
    if differing:
        detail = f"Paper and key answer {named(differing)} differently; the key's answers are kept."
        merged.warnings.append(Notice(code="answers_differ", detail=detail))
