"""What follows from the key and the marks: marks for chosen letters, totals, and what the totals are out of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.documents.scores.objective import is_objective, score_objective
from app.workloads.exam.schemas import DraftAnswer, DraftQuestion, DraftStudent

ROUNDING = 0.005


def apply_key(questions: Sequence[DraftQuestion], key: Iterable[DraftAnswer]) -> list[str]:
    """Give each entry's answer to its question; the entries without one are returned."""
    by_id = {question.question_id: question for question in questions}
    unknown = []
    for entry in key:
        question = by_id.get(entry.question_id)
        if question is None:
            unknown.append(entry.question_id)
        else:
            question.answer = entry.answer
    return unknown


def columns_of(students: Iterable[DraftStudent]) -> list[str]:
    """The questions that somebody has a mark or an answer for, in the sheet's order."""
    return list(dict.fromkeys(name for student in students for name in (*student.scores, *student.answers)))


def mark_answers(questions: Iterable[DraftQuestion], students: Sequence[DraftStudent]) -> None:
    """Full marks for exactly the key's letters, half for some of them and no other, else none.

    A mark that cannot be told, because the key or what the question is out of is not known, is null.
    """
    chosen = {name for student in students for name in student.answers}
    marked = {
        name for student in students for name, mark in student.scores.items() if mark and name not in student.answers
    }
    by_id = {question.question_id: question for question in questions}
    for student in students:
        for name in student.answers:
            student.scores[name] = _mark(by_id.get(name), student.answers[name])
        if student.absent or not student.answers:
            continue
        for name in chosen - marked - student.answers.keys() - set(student.exempt):  # no letter where others chose one
            student.scores[name] = _mark(by_id.get(name), None)


def _mark(question: DraftQuestion | None, answer: str | None) -> float | None:
    if question is None or question.answer is None or question.max_score is None or not is_objective(question.answer):
        return None
    return score_objective(answer, question.answer, question.max_score)


def sum_up(students: Iterable[DraftStudent]) -> None:
    """A total follows from the marks; where one of them is not known, the sheet's own stands."""
    for student in students:
        marks = [mark for mark in student.scores.values() if mark is not None]
        counted = [name for name in student.scores if name not in student.exempt]
        if student.absent or (not marks and student.stated_total is None):
            student.total = None
        elif len(marks) < len(counted) and student.stated_total is not None:
            student.total = student.stated_total
        else:
            student.total = round(sum(marks), 4)


def differs(student: DraftStudent) -> bool:
    """Whether the sheet states another total than its marks come to."""
    marks = [mark for mark in student.scores.values() if mark is not None]
    stated = student.stated_total
    return bool(marks) and not student.answers and stated is not None and abs(sum(marks) - stated) > ROUNDING


def highest_total(questions: Iterable[DraftQuestion], columns: Iterable[str]) -> float | None:
    """What the columns are out of together; None where one of them does not say."""
    by_id = {question.question_id: question.max_score for question in questions}
    most = [by_id.get(name) for name in columns]
    known = [each for each in most if each is not None]
    return round(sum(known), 4) if known and len(known) == len(most) else None
