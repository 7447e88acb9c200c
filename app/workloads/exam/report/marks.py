"""An exam's marks as figures need them: who sat it, what was asked, and what counts for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that has marks."""

    question_id: str
    max_score: float
    knowledge_points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sat:
    """A student; who was absent has no marks and no total."""

    student_id: str
    scores: Mapping[str, float | None]
    total: float | None
    exempt: frozenset[str] = frozenset()
    answers: Mapping[str, str] = field(default_factory=dict)

    def counts(self, question: Asked) -> bool:
        return question.question_id not in self.exempt

    def out_of(self, asked: Sequence[Asked]) -> float:
        return sum(question.max_score for question in asked if self.counts(question))

    def mark(self, question: Asked) -> float | None:
        return self.scores.get(question.question_id) if self.counts(question) else None
