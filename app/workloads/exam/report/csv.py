"""The report as CSV: a row a student, a column a question, and rows of what each question is like.

Whoever fills in a form may be called `=HYPERLINK(...)`. A spreadsheet runs what begins like a formula, so such a cell
gets an apostrophe in front, which spreadsheets hide.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from app.workloads.exam.models import Exam, ExamQuestion
from app.workloads.exam.records import StudentResults

BOM = "\ufeff"  # by which spreadsheets know UTF-8
FORMULA = ("=", "+", "-", "@", "\t", "\r")
LEAD = ("rank", "student_id", "name", "class_name", "total", "max_total")
FIGURES = ("difficulty", "discrimination", "mean")


async def report_csv(
    exam: Exam, asked: Sequence[ExamQuestion], students: AsyncIterator[StudentResults]
) -> AsyncIterator[bytes]:
    """Lines as they are asked for."""
    names = [question.question_id for question in asked]
    yield (BOM + _line([*LEAD, *names])).encode()
    yield _line(["max_score", *[""] * (len(LEAD) - 1), *(question.max_score for question in asked)]).encode()
    figures = exam.figures["questions"]
    for figure in FIGURES:
        yield _line([figure, *[""] * (len(LEAD) - 1), *(figures[name][figure] for name in names)]).encode()
    async for student, results in students:
        marks = [_mark(results.get(name)) for name in names]
        who = [student.rank, student.student_id, student.name, student.class_name]
        totals = ["absent" if student.absent else student.total, student.max_total]
        yield _line([*who, *totals, *marks]).encode()


def _mark(result: Any) -> Any:
    if result is None:
        return None
    score, _, exempt = result
    return "exempt" if exempt else score


def safe(cell: Any) -> Any:
    """The cell, made a text where a spreadsheet would take it for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(["" if cell is None else safe(cell) for cell in cells])
    return line.getvalue()
