"""What stands in a cell under a question: a mark, an answer, a sign for absent or exempt, or nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.documents.tables.table import Cell, cell_text

Kind = Literal["mark", "answer", "absent", "exempt", "empty", "odd"]

NUMBER = re.compile(r"^([+-]?\d+(?:\.\d+)?)\s*(?:分|points?|pts?\.?|marks?|p)?$", re.IGNORECASE)
COMMA = re.compile(r"^(\d+),(\d{1,2})$")
FRACTION = re.compile(r"^(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)$")
ANSWER = re.compile(r"^[A-H](?:\s*[,，、;]?\s*[A-H]){0,7}$", re.IGNORECASE)
ABSENT = re.compile(
    r"^(?:缺\s*考?|缺席|未考|未到|旷考|缓考|请假|病假|absent|abs\.?|ab\.?|dna|did\s+not\s+attend|no\s*show|ns|missing|missed)$",
    re.IGNORECASE,
)
EXEMPT = re.compile(r"^(?:免\s*考?|免修|免试|exempt(?:ed)?|ex\.?|exc\.?|excused|n/?a\.?|不适用)$", re.IGNORECASE)
NOT_THERE = re.compile(r"^n/?a\.?$", re.IGNORECASE)  # for one question it is an exemption, for all of them an absence
EMPTY = re.compile(r"^(?:[-–—_/\\.]+|nil|null|none)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    kind: Kind
    mark: float | None = None
    answer: str | None = None
    out_of: float | None = None


def read_mark(cell: Cell) -> Reading:  # noqa: PLR0911 - a list of decisions, taken from the top
    if isinstance(cell, float):
        return Reading("mark", cell)
    text = cell_text(cell)
    if EMPTY.match(text):
        return Reading("empty")
    if found := NUMBER.match(text):
        return Reading("mark", float(found.group(1)))
    if found := COMMA.match(text):
        return Reading("mark", float(f"{found.group(1)}.{found.group(2)}"))
    if found := FRACTION.match(text):
        return Reading("mark", float(found.group(1)), out_of=float(found.group(2)))
    if ABSENT.match(text):
        return Reading("absent")
    if EXEMPT.match(text):
        return Reading("exempt")
    if ANSWER.match(text):
        return Reading("answer", answer="".join(sorted(set(re.findall("[A-H]", text.upper())))))
    return Reading("odd")
