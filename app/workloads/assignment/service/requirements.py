"""What a teacher must have said about an assignment before it is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FEWEST_CONCEPTS, MOST_CONCEPTS = 3, 8
FEWEST_MISCONCEPTIONS = 4

# In the order in which they are asked for; `extra_constraints` may stay empty.
MANDATORY: Mapping[str, str] = {
    "subject": "Name the subject.",
    "topic": "Name the topic of the lesson.",
    "grade_level": "Name the grade, such as Grade 8.",
    "class_level": "Say how the class stands: weak, medium, strong or mixed.",
    "core_concepts": f"Name {FEWEST_CONCEPTS} to {MOST_CONCEPTS} core concepts, formulas or laws.",
    "typical_problem": "Give one typical problem, or describe it.",
    "misconceptions": f"List at least {FEWEST_MISCONCEPTIONS} common mistakes, each with what goes wrong.",
    "duration_minutes": "Say how many minutes it is to take.",
    "preferences": "Choose at least one of A basics, B stretch, C everyday, D inquiry, E quiz, F mistakes.",
}


def missing_of(requirements: Mapping[str, Any]) -> list[str]:
    """The mandatory requirements that are not there, or not enough."""
    return [name for name in MANDATORY if not _is_met(name, requirements.get(name))]


def _is_met(name: str, value: Any) -> bool:
    match name:
        case "core_concepts":
            return FEWEST_CONCEPTS <= len(value or ()) <= MOST_CONCEPTS
        case "misconceptions":
            return len(value or ()) >= FEWEST_MISCONCEPTIONS
        case _:
            return bool(value)
