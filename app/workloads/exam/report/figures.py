"""Figures of an exam, by the textbook.

- difficulty: the mean mark as a share of what the question is out of; 1 is easy.
- discrimination: the correlation of a question's mark with the rest of the exam, as a share of what that is out of for
  the student (for right or wrong alone this is the point-biserial). Null where it is not defined: fewer than three
  students, no other question, or nothing that varies.
- sd: of the population, since the class is all there is.
- rank: 1, 2, 2, 4.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from app.workloads.exam.report.marks import Asked, Sat

PASS = 0.6  # share of the highest possible total from which an exam is passed
BINS = 10
FEWEST = 3  # students from which a correlation says something
MOST_ANSWERS = 12  # different answers to a question that are listed
DIGITS = 4


class Sum(NamedTuple):
    """What a student got on the whole exam, and could have got."""

    got: float
    out_of: float


def exam_figures(asked: Sequence[Asked], sat: Sequence[Sat]) -> dict[str, Any]:
    """The class and each question."""
    present = [student for student in sat if student.total is not None]
    sums = {student.student_id: _sum(student, asked) for student in present}
    return {
        "totals": total_figures(asked, present),
        "questions": {question.question_id: question_figures(question, present, sums) for question in asked},
    }


def total_figures(asked: Sequence[Asked], present: Sequence[Sat]) -> dict[str, Any]:
    totals = [student.total for student in present if student.total is not None]
    shares = [share for student in present if (share := share_of(student, asked)) is not None]
    passed = sum(share >= PASS for share in shares)
    return {
        "marked": len(totals),
        "max_total": rounded(sum(question.max_score for question in asked)) if asked else None,
        "mean": rounded(statistics.fmean(totals)) if totals else None,
        "median": rounded(statistics.median(totals)) if totals else None,
        "sd": rounded(statistics.pstdev(totals)) if totals else None,
        "highest": max(totals, default=None),
        "lowest": min(totals, default=None),
        "pass_share": PASS,
        "passed": passed,
        "pass_rate": rounded(passed / len(shares)) if shares else None,
        "distribution": distribution(shares),
    }


def distribution(shares: Iterable[float]) -> list[dict[str, Any]]:
    """How many students reached which tenth of what they could; the highest tenth has its upper end."""
    counts = Counter(min(int(share * BINS + 1e-9), BINS - 1) for share in shares if share >= 0)
    edges = pairwise(rounded(at / BINS) for at in range(BINS + 1))
    return [{"from": low, "to": high, "students": counts[at]} for at, (low, high) in enumerate(edges)]


def question_figures(question: Asked, present: Sequence[Sat], sums: Mapping[str, Sum]) -> dict[str, Any]:
    marked = [(student, mark) for student in present if (mark := student.mark(question)) is not None]
    marks = [mark for _, mark in marked]
    mean = statistics.fmean(marks) if marks else None
    chosen = Counter(filter(None, (student.answers.get(question.question_id) for student, _ in marked)))
    return {
        "students": len(marks),
        "mean": rounded(mean),
        "difficulty": rounded(mean / question.max_score) if mean is not None else None,
        "discrimination": discrimination(_with_rest(question, marked, sums)),
        "full": sum(mark >= question.max_score for mark in marks),
        "zero": sum(mark <= 0 for mark in marks),
        "answers": dict(chosen.most_common(MOST_ANSWERS)),
    }


def _with_rest(
    question: Asked, marked: Iterable[tuple[Sat, float]], sums: Mapping[str, Sum]
) -> list[tuple[float, float]]:
    rests = ((mark, _rest(question, mark, sums[student.student_id])) for student, mark in marked)
    return [(mark, rest) for mark, rest in rests if rest is not None]


def discrimination(pairs: Sequence[tuple[float, float]]) -> float | None:
    """The correlation of marks with the rest of the exam."""
    if len(pairs) < FEWEST:
        return None
    try:
        return rounded(statistics.correlation([mark for mark, _ in pairs], [rest for _, rest in pairs]))
    except statistics.StatisticsError:  # one of the two is the same for all
        return None


def _rest(question: Asked, mark: float, whole: Sum) -> float | None:
    """What the student got elsewhere, as a share: who is exempt from something is not the weaker for it."""
    out_of = whole.out_of - question.max_score
    # Rounded: what differs by the last binary digit alone does not vary.
    return round((whole.got - mark) / out_of, 9) if out_of > 0 else None


def _sum(student: Sat, asked: Sequence[Asked]) -> Sum:
    return Sum(sum(student.mark(question) or 0.0 for question in asked), student.out_of(asked))


def share_of(student: Sat, asked: Sequence[Asked]) -> float | None:
    out_of = student.out_of(asked)
    return student.total / out_of if student.total is not None and out_of else None


def ranks(sat: Iterable[Sat]) -> dict[str, int]:
    """By total; equal totals share a rank, and who has none has no rank."""
    totals = {student.student_id: student.total for student in sat if student.total is not None}
    above = sorted(totals.values(), reverse=True)
    first = {total: at for at, total in reversed(list(enumerate(above, start=1)))}
    return {student_id: first[total] for student_id, total in totals.items()}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
