"""Answer keys in tables: numbers over answers, or one question a row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

NUMBER_WORDS = re.compile(
    r"^(?:题号|题目|序号|question(?:\s*(?:no\.?|number|\#))?|no\.?|q|item|\#|number)$", re.IGNORECASE
)
ANSWER_WORDS = re.compile(
    r"^(?:(?:正确|参考|标准)?答案|(?:correct\s+)?answers?|ans\.?|key|correct)(?:\s*key)?$", re.IGNORECASE
)
POINT_WORDS = re.compile(r"^(?:分值|分数|满分|points?|marks?|score|max(?:imum)?(?:\s*\w+)?)$", re.IGNORECASE)
SOLUTION_WORDS = re.compile(r"^(?:解析|说明|explanations?|solutions?|rationale|comments?)$", re.IGNORECASE)
CELL_NUMBER = re.compile(
    r"^(?:Q|第)?\s*(\d{1,3})((?:\s?[（(]\s?\w{1,4}\s?[）)]|[a-z]{1,4}|-\d{1,2})*)\s*[.、题]?$", re.IGNORECASE
)


@dataclass(slots=True)
class Entry:
    """One line of a key: which question of which section, counted as the key counts, and what it says."""

    group: int
    number: int
    part: str
    answer: str
    solution: str | None = None
    points: float | None = None


def compact(answer: str) -> str:
    return re.sub(r"[\s,，、]", "", answer) if re.fullmatch(r"[A-H\s,，、]+", answer) else answer


def part_label(text: str) -> str:
    """(a)(ii) and a(ii) as aii; (1) as (1)."""
    text = re.sub("[①-⑳]", lambda circled: f"({ord(circled[0]) - ord('①') + 1})", text)
    pieces = re.findall(r"[a-z]+|\d+", text.lower())
    return "".join(f"({piece})" if piece.isdigit() else piece for piece in pieces)


def is_table_header(cells: list[str]) -> bool:
    """Question and Answer over columns, or 题号 before a row of numbers."""
    if len(cells) < 2 or not any(NUMBER_WORDS.match(cell) for cell in cells):  # noqa: PLR2004 - one is no table
        return False
    numbers = sum(bool(CELL_NUMBER.match(cell)) for cell in cells[1:])
    return any(ANSWER_WORDS.match(cell) for cell in cells) or numbers == len(cells) - 1


def with_points_apart(cells: list[str], header: list[str]) -> list[str]:
    """A long answer may come so close to its marks that both were read as one text."""
    close = len(cells) == len(header) - 1 and POINT_WORDS.match(header[-1])
    found = re.fullmatch(r"(.*\S)\s+(\d{1,3}(?:\.\d)?)", cells[-1]) if close else None
    return [*cells[:-1], *found.groups()] if found else cells


def entries_of_table(rows: list[list[str]]) -> list[Entry]:
    """Numbers over answers, as often as they follow one another; or one question a row."""
    width = max(len(row) for row in rows)
    rows = [row + [""] * (width - len(row)) for row in rows]
    header = [cell.strip() for cell in rows[0]]
    number_at = next((at for at, cell in enumerate(header) if NUMBER_WORDS.match(cell)), None)
    answer_at = next((at for at, cell in enumerate(header) if ANSWER_WORDS.match(cell)), None)
    if number_at is not None and answer_at is not None:
        return _one_a_row(rows[1:], header, number_at, answer_at)
    entries: list[Entry] = []
    for numbers, answers in pairwise(rows):
        found = [(at, CELL_NUMBER.match(cell)) for at, cell in enumerate(numbers)]
        known = [(at, match) for at, match in found if match]
        if len(known) < max(2, (width - 1) // 2) and not NUMBER_WORDS.match(numbers[0].strip()):
            continue
        if all(CELL_NUMBER.match(cell) or not cell for cell in answers[1:]) and not ANSWER_WORDS.match(
            answers[0].strip()
        ):
            continue
        entries += [
            Entry(0, int(match.group(1)), part_label(match.group(2) or ""), compact(answers[at].strip()))
            for at, match in known
            if answers[at].strip()
        ]
    if not entries and width == 2:  # noqa: PLR2004 - a number and its answer
        return _one_a_row(rows, ["#", "key"], 0, 1)
    return entries


def _one_a_row(rows: list[list[str]], header: list[str], number_at: int, answer_at: int) -> list[Entry]:
    points_at = next((at for at, cell in enumerate(header) if POINT_WORDS.match(cell)), None)
    solution_at = next((at for at, cell in enumerate(header) if SOLUTION_WORDS.match(cell)), None)
    entries = []
    for row in rows:
        number = CELL_NUMBER.match(row[number_at].strip())
        if number is None or not row[answer_at].strip():
            continue
        points = re.match(r"\d+(?:\.\d+)?", row[points_at].strip()) if points_at is not None else None
        entries.append(
            Entry(
                0,
                int(number.group(1)),
                part_label(number.group(2) or ""),
                compact(row[answer_at].strip()),
                (row[solution_at].strip() or None) if solution_at is not None else None,
                float(points.group()) if points else None,
            )
        )
    return entries
