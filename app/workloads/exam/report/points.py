"""Knowledge points: how much of what could be had of each was had, by the class and by each student."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.workloads.exam.report.figures import rounded
from app.workloads.exam.report.marks import Asked, Sat

WEAK = 0.6  # a share of the possible marks below which a point is weak
MOST_POINTS = 100


@dataclass(slots=True)
class _Sum:
    got: float = 0.0
    out_of: float = 0.0
    questions: int = 0

    @property
    def mastery(self) -> float:
        return self.got / self.out_of


def points_of(student: Sat, asked: Sequence[Asked]) -> dict[str, _Sum]:
    """A question counts in full for each of its points."""
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for question in asked:
        mark = student.mark(question)
        if mark is None:
            continue
        for point in question.knowledge_points:
            known = sums[point]
            known.got += mark
            known.out_of += question.max_score
            known.questions += 1
    return sums


def weak_points(student: Sat, asked: Sequence[Asked]) -> list[dict[str, Any]]:
    """A student's weak points, the weakest first."""
    sums = points_of(student, asked)
    weak = [(point, known) for point, known in sums.items() if known.mastery < WEAK]
    return [
        {"knowledge_point": point, "mastery": rounded(known.mastery), "questions": known.questions}
        for point, known in sorted(weak, key=lambda each: (each[1].mastery, each[0]))[:MOST_POINTS]
    ]


def class_points(asked: Sequence[Asked], sat: Iterable[Sat]) -> list[dict[str, Any]]:
    """Every point of the exam, the weakest first, with the number of students for whom it is weak."""
    sums: dict[str, _Sum] = defaultdict(_Sum)
    weak: dict[str, int] = defaultdict(int)
    for student in sat:
        for point, own in points_of(student, asked).items():
            sums[point].got += own.got
            sums[point].out_of += own.out_of
            weak[point] += own.mastery < WEAK
    questions = {point: sum(point in question.knowledge_points for question in asked) for point in sums}
    return [
        {
            "knowledge_point": point,
            "mastery": rounded(known.mastery),
            "weak": known.mastery < WEAK,
            "questions": questions[point],
            "weak_students": weak[point],
        }
        for point, known in sorted(sums.items(), key=lambda each: (each[1].mastery, each[0]))[:MOST_POINTS]
    ]
