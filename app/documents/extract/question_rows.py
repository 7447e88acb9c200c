"""Tables with one question a row, as banks of questions are kept: number, question, options, marks, answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from app.documents.extract.lines import Line

NUMBER = re.compile(r"^(?:题号|序号|编号|no\.?|number|\#|q|item)$", re.IGNORECASE)
ASKED = re.compile(r"^(?:题目|题干|试题|问题|题目内容|试题内容|内容|questions?|items?|stem|task)$", re.IGNORECASE)
OPTION = re.compile(r"^(?:选项|option|choice|answer)?\s*([A-H])\s*(?:选项|项)?$", re.IGNORECASE)
ANSWER = re.compile(r"^(?:(?:正确|参考|标准)?答案|(?:correct\s+)?answers?|key|correct)$", re.IGNORECASE)
SOLUTION = re.compile(r"^(?:解析|试题解析|说明|explanations?|solutions?|feedback)$", re.IGNORECASE)
POINTS = re.compile(r"^(?:分值|分数|满分|points?|marks?|score|max(?:imum)?(?:\s*\w+)?)$", re.IGNORECASE)
COLUMNS = {"number": NUMBER, "asked": ASKED, "answer": ANSWER, "solution": SOLUTION, "points": POINTS}
WORDS = 4  # characters; what stands in a column of questions is longer than a number


def unrolled(lines: list[Line]) -> list[Line]:
    """Rows of such tables as the lines of a paper; everything else as it was."""
    found: list[Line] = []
    for in_table, run in groupby(lines, lambda line: bool(line.cells)):
        rows = list(run)
        columns = _columns(rows) if in_table else {}
        if not columns:
            found += rows
            continue
        for at, row in enumerate(rows[1:], start=1):
            found += [replace(row, text=text, cells=[], ends=True) for text in _question(columns, row.cells, at)]
    return found


def is_header(cells: list[str]) -> bool:
    """A column of questions, and one beside it that says what the row is: a number alone may be a table of results."""
    named = {name for cell in cells for name, pattern in COLUMNS.items() if pattern.match(cell.strip())}
    options = sum(bool(OPTION.match(cell.strip())) for cell in cells)
    return "asked" in named and (len(named) > 1 or options > 1)


def _columns(rows: list[Line]) -> dict[str, int]:
    header = [cell.strip() for cell in rows[0].cells]
    if len(rows) == 1 or not is_header(header):
        return {}
    columns = {
        name: next(at for at, cell in enumerate(header) if pattern.match(cell))
        for name, pattern in COLUMNS.items()
        if any(pattern.match(cell) for cell in header)
    }
    columns |= {found[1].upper(): at for at, cell in enumerate(header) if (found := OPTION.match(cell))}
    asked = [row.cells[columns["asked"]] for row in rows[1:] if len(row.cells) == len(header)]
    wordy = sum(len(text.strip()) > WORDS and not text.strip().isdigit() for text in asked)
    return columns if len(asked) == len(rows) - 1 and wordy * 2 > len(asked) else {}


def _question(columns: dict[str, int], cells: list[str], at: int) -> Iterator[str]:
    """A number that is missing is counted; a cell that is empty says nothing."""
    number = re.match(r"\D{0,2}(\d{1,3})", cells[columns["number"]]) if "number" in columns else None
    points = re.match(r"\d{1,3}(?:\.\d+)?", cells[columns["points"]].strip()) if "points" in columns else None
    stem, *following = cells[columns["asked"]].strip().split("\n")
    stem = re.sub(rf"^{number[1] if number else at}\s*[.．、)）]\s*", "", stem)
    yield f"{number[1] if number else at}. {stem}" + (f" ({points[0]} points)" if points and not following else "")
    yield from following
    for letter in (name for name in columns if len(name) == 1):
        if cells[columns[letter]].strip():
            yield f"{letter}. {cells[columns[letter]].strip()}"
    if points and following:
        yield f"Points: {points[0]}"
    for name, label in (("answer", "Answer"), ("solution", "Explanation")):
        if name in columns and cells[columns[name]].strip():
            yield f"{label}: {cells[columns[name]].strip()}"
