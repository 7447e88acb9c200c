"""How hard a question is: as the document states it, else by a rule that anyone can follow.

The rule counts steps up from `basic`: one for a question that is answered in words or by working, two for an essay; one
more where it carries over one and a half times the paper's usual marks; one more where there is much to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from app.documents.values import Question, QuestionType
from app.workloads.uploads.labels import Level

LEVELS: tuple[Level, ...] = ("basic", "medium", "advanced", "challenge")
STEPS: dict[QuestionType, int] = {"multiple": 1, "short": 1, "calculation": 1, "essay": 2}
MUCH_TO_READ = 400  # letters; a Chinese character stands for about three
HEAVY = 1.5


def usual_marks(questions: Sequence[Question]) -> float | None:
    """What a question of this paper is mostly worth; None where no marks are stated."""
    marks = [question.max_score for question in questions if question.max_score]
    return median(marks) if marks else None


def deduced(question: Question, usual: float | None) -> Level:
    steps = STEPS.get(question.type, 0)
    if usual and question.max_score and question.max_score > HEAVY * usual:
        steps += 1
    words = f"{question.context or ''}{question.stem}"
    if sum(1 if character.isascii() else 3 for character in words) > MUCH_TO_READ:
        steps += 1
    return LEVELS[min(steps, len(LEVELS) - 1)]
