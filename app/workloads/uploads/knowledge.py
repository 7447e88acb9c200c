"""Which knowledge points a question is about: what the document states, else the terms of the curriculum in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.documents.questions.sections import kind_in
from app.documents.values import Paper, Question
from app.workloads.uploads.labels import LONGEST_POINT, Said, said_of
from app.workloads.uploads.lexicon import terms_in

MOST_TERMS = 3
FEWEST_LETTERS = 2

_LEAD = re.compile(
    r"""^\W*(?:(?:section|part|unit|chapter|topic)\s+(?:[A-Z]|[IVX]{1,5}|\d{1,2})\b
        |第[一二三四五六七八九十\d]+(?:部分|单元|章|节)|[一二三四五六七八九十]+(?=[、.．]))\W*""",
    re.IGNORECASE | re.VERBOSE,
)
_NO_POINT = re.compile(
    r"\d|分|题|卷|\b(?:questions?|answers?|section|part|paper|test|marks?|points?|instructions?|problems?|exercises?"
    r"|review|practice|homework|basics?|bonus|extension)\b|必做|选做|必考|选考|基础|提高|巩固|拓展|附加|练习",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a question beside its words; `stated`: the document says the points, they are not deduced."""

    said: Said
    points: tuple[str, ...]
    stated: bool


def known_of(paper: Paper) -> list[Known]:
    """For each question, in their order."""
    return [_known(question, said) for question, said in zip(paper.questions, said_of(paper), strict=True)]


def _known(question: Question, said: Said) -> Known:
    if said.knowledge_points:
        return Known(said, said.knowledge_points, stated=True)
    if heading := point_of_section(question.section):
        return Known(said, (heading,), stated=True)
    return Known(said, terms_of(question, said.stem), stated=False)


def terms_of(question: Question, stem: str) -> tuple[str, ...]:
    """The terms of what is asked; those of the options are mostly what it is not about."""
    return tuple(term.name for term in terms_in(f"{question.context or ''}\n{stem}"))[:MOST_TERMS]


def point_of_section(title: str | None) -> str | None:
    """The subject of "Section B: Mechanics"; nothing of a heading that names a sort of question."""
    lead = _LEAD.match(title or "")
    if title is None or lead is None:
        return None
    rest = " ".join(title[lead.end() :].split()).strip(" :：.-–—")
    if not FEWEST_LETTERS <= len(rest) <= LONGEST_POINT or kind_in(rest) is not None or _NO_POINT.search(rest):
        return None
    return rest


def most_frequent(points: Sequence[Sequence[str]], most: int) -> list[str]:
    """The points of all questions, the most frequent first."""
    counts: dict[str, int] = {}
    for several in points:
        for point in several:
            counts[point] = counts.get(point, 0) + 1
    return sorted(counts, key=lambda point: -counts[point])[:most]
