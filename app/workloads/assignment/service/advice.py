"""What a model adds to a draft: open fields of questions, requirements that the document leaves to be judged."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from app.documents.questions.sections import kind_in
from app.documents.values import Paper
from app.llm.port import Source
from app.workloads.assignment.fields import ClassLevel, Preferences, class_level_of
from app.workloads.assignment.service.requirements import MOST_CONCEPTS, missing_of
from app.workloads.uploads.filling import (
    DOUBTFUL,
    Asked,
    Filler,
    Opening,
    advise,
    clean_points,
    doubts_of,
    notice,
    one_line,
)

LONGEST_TEXT = 12_000  # characters of the document that the requirements are read from
LONGEST_LINE = 200
MOST_MISCONCEPTIONS = 8

TASK = """\
The material is an assignment that a teacher will give to a class. Say what it is about, in the language of the \
assignment, for a teacher who will check every word:
- subject, topic, grade_level: short names; grade_level only where the document states it.
- class_level: weak, medium, strong or mixed, only where the document states it.
- core_concepts: 3 to 8 concepts, formulas or laws that the questions need.
- typical_problem: the stem of the question that is most typical, as it stands there.
- misconceptions: at least 4 mistakes that students make with these questions, each in one sentence.
- duration_minutes: only where the document states it.
- preferences: which of A basics, B stretch, C everyday use, D inquiry, E quiz, F learning by mistakes fit it.
- extra_constraints: rules for working on it that the document states, such as whether a calculator is allowed."""


class RequirementsAdvice(BaseModel):
    """What a model says about an assignment as a whole."""

    subject: str | None = None
    topic: str | None = None
    grade_level: str | None = None
    class_level: Annotated[ClassLevel | None, BeforeValidator(class_level_of)] = None
    core_concepts: list[str] = Field(default_factory=list)
    typical_problem: str | None = None
    misconceptions: list[str] = Field(default_factory=list)
    duration_minutes: Annotated[int | None, Field(ge=1, le=600)] = None
    preferences: Preferences = Field(default_factory=list)
    extra_constraints: str | None = None


async def fill_draft(filler: Filler, draft: dict[str, Any], paper: Paper, excerpts: dict[str, str]) -> None:
    """Change the draft in place: questions first, since more hangs on them."""
    advised = await advise(filler, [_asked(question, excerpts) for question in draft["questions"]])
    for question in draft["questions"]:
        if (advice := advised.get(question["question_id"])) is not None:
            question.update(advice.filled)
            question["autofilled"] = sorted({*question["autofilled"], *advice.filled})
            if advice.doubts:
                question["confidence"] = min(question["confidence"], DOUBTFUL)
    draft["warnings"] += doubts_of(advised)
    if missing_of(draft["requirements"]):
        source = Source("document", paper.title or "assignment", paper.text[:LONGEST_TEXT])
        told = await filler.ask(RequirementsAdvice, task=TASK, material=[source])
        if told is not None:
            _fill_requirements(draft, told)
    draft["warnings"] += filler.warnings()


def _asked(question: dict[str, Any], excerpts: dict[str, str]) -> Asked:
    """The question with what the rules left open: a type that nothing in the document speaks for is open too."""
    opened: set[Opening] = {*question["autofilled"]}  # deduced by rule: what is stated is not in that list
    if not question["knowledge_points"]:
        opened.add("knowledge_points")
    if question["type"] == "short" and not question["options"] and kind_in(question["section"] or "") is None:
        opened.add("type")
    source = question["source"]
    return Asked(
        question_id=question["question_id"],
        text=excerpts.get(question["question_id"]) or _put_together(question),
        where=f"{source['file']}, page {source['page']}",
        type=question["type"],
        answer=question["answer"],
        score=question["score"],
        open=frozenset(opened),
    )


def _put_together(question: dict[str, Any]) -> str:
    options = (f"{option['key']}. {option['text']}" for option in question["options"])
    return "\n".join(filter(None, (question["context"], question["stem"], *options)))


def _fill_requirements(draft: dict[str, Any], told: RequirementsAdvice) -> None:
    requirements, advice = draft["requirements"], _cleaned(told)
    for name in [*missing_of(requirements), "extra_constraints"]:
        if not requirements.get(name) and advice.get(name):
            requirements[name] = advice[name]
            draft["autofilled"] = sorted({*draft["autofilled"], name})
    stated, read = requirements.get("duration_minutes"), told.duration_minutes
    if stated and read and stated != read:
        detail = f"The document was read as taking {stated} minutes; the model reads {read}."
        draft["warnings"].append(notice("model_disagrees", detail))


def _cleaned(told: RequirementsAdvice) -> dict[str, Any]:
    """One line each, and no longer than a teacher would write."""
    lines = {
        name: one_line(value)[:LONGEST_LINE]
        for name in ("subject", "topic", "grade_level", "typical_problem", "extra_constraints")
        if (value := getattr(told, name))
    }
    return lines | {
        "class_level": told.class_level,
        "core_concepts": clean_points(told.core_concepts)[:MOST_CONCEPTS],
        "misconceptions": [one_line(line)[:LONGEST_LINE] for line in told.misconceptions[:MOST_MISCONCEPTIONS]],
        "duration_minutes": told.duration_minutes,
        "preferences": told.preferences,
    }
