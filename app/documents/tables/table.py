"""A table: rows of equal length. Every source of tables ends here, so the readers of scores know one shape only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.documents.failures import DocumentFailure
from app.documents.limits import Limits
from app.documents.questions.wording import normalise

Cell = str | float | None


@dataclass(slots=True)
class Table:
    file: str
    name: str
    rows: list[list[Cell]]
    page: int = 1
    sure: float = 1.0  # how sure the recogniser was of it
    notes: list[str] = field(default_factory=list)

    def text(self, row: int, column: int) -> str:
        return cell_text(self.rows[row][column])

    def transposed(self) -> Table:
        return Table(self.file, self.name, [list(row) for row in zip(*self.rows, strict=True)], self.page, self.sure)


def cell_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else str(cell)
    return normalise(cell).replace("\n", " ").strip()


def make_table(
    file: str, name: str, rows: Iterable[Iterable[Cell]], limits: Limits, *, page: int = 1, sure: float = 1.0
) -> Table:
    """Without the empty rows and columns around it, and with rows of equal length; refused when it is too large."""
    kept: list[list[Cell]] = []
    for row in rows:
        cells = list(row)
        if len(cells) > limits.columns:
            if any(cell_text(cell) for cell in cells[limits.columns :]):
                raise DocumentFailure("too_many_rows", f"“{name}” has more than {limits.columns} columns", file=file)
            cells = cells[: limits.columns]
        if any(cell_text(cell) for cell in cells):
            kept.append(cells)
        if len(kept) > limits.rows:
            raise DocumentFailure("too_many_rows", f"“{name}” has more than {limits.rows} rows", file=file)
    width = max((len(row) for row in kept), default=0)
    padded: list[list[Cell]] = [row + [None] * (width - len(row)) for row in kept]
    used = [at for at in range(width) if any(cell_text(row[at]) for row in padded)]
    return Table(file, name, [[row[at] for at in used] for row in padded], page, sure)
