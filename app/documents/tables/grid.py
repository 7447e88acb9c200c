"""A table from texts at places: rows by height, columns by what stands over one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from app.documents.extract.layout import Piece, rows_of
from app.documents.extract.source import Box

FEWEST_CELLS = 3
ROOM = 0.35  # of a text's height, left around a cell that is looked at again

Span = tuple[float, float]


@dataclass(slots=True)
class Grid:
    rows: list[list[str]]
    columns: list[Span] = field(default_factory=list)
    heights: list[Span] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def empty_boxes(self) -> list[tuple[int, int, Box]]:
        """Where rows of the table have no text; the column's whole width, up to its neighbours."""
        if not self.columns:
            return []
        tall = median(bottom - top for top, bottom in self.heights)
        found = []
        for row, cells in enumerate(self.rows):
            if sum(bool(cell) for cell in cells) < FEWEST_CELLS:
                continue
            top, bottom = self.heights[row]
            for column, cell in enumerate(cells):
                if not cell:
                    left, right = self._reach(column, tall)
                    box = (int(left), int(top - ROOM * tall), int(right), int(bottom + ROOM * tall))
                    found.append((row, column, (max(0, box[0]), max(0, box[1]), box[2], box[3])))
        return found

    def _reach(self, column: int, tall: float) -> Span:
        left, right = self.columns[column]
        before = self.columns[column - 1][1] if column else left - tall
        after = self.columns[column + 1][0] if column + 1 < len(self.columns) else right + tall
        return max(left - tall, (before + left) / 2), min(right + tall, (right + after) / 2)

    def fill(self, row: int, column: int, text: str, score: float) -> None:
        if text.strip():
            self.rows[row][column] = text.strip()
            self.scores.append(score)

    def sureness(self) -> float:
        """How sure the recogniser was of the half of which it was least sure."""
        lower = sorted(self.scores)[: max(1, len(self.scores) // 2)]
        return median(lower) if lower else 1.0


def grid_of(pieces: list[Piece]) -> Grid:
    rows = rows_of([piece for piece in pieces if not piece.figure and piece.text.strip()])
    wide = [row for row in rows if len(row) >= FEWEST_CELLS]
    if not wide:
        return Grid([[piece.text.strip() for piece in row] for row in rows])
    columns = _columns(wide)
    grid = Grid([], columns, [(min(p.y0 for p in row), max(p.y1 for p in row)) for row in rows])
    for row in rows:
        cells = [""] * len(columns)
        for piece in row:
            at = _column(columns, piece)
            cells[at] = f"{cells[at]} {piece.text.strip()}".strip()
        grid.rows.append(cells)
    grid.scores = [piece.score for row in wide for piece in row]
    return grid


def _columns(rows: list[list[Piece]]) -> list[Span]:
    """Spans of x, from the row with most cells, widened and completed by the others."""
    fullest = max(rows, key=len)
    columns = [(piece.x0, piece.x1) for piece in fullest]
    for row in rows:
        for piece in row:
            hits = [at for at, span in enumerate(columns) if _overlap(span, piece) > 0]
            if len(hits) == 1:
                at = hits[0]
                columns[at] = (min(columns[at][0], piece.x0), max(columns[at][1], piece.x1))
            elif not hits:
                columns.append((piece.x0, piece.x1))
                columns.sort()
    return columns


def _overlap(span: Span, piece: Piece) -> float:
    return min(span[1], piece.x1) - max(span[0], piece.x0)


def _column(columns: list[Span], piece: Piece) -> int:
    middle = (piece.x0 + piece.x1) / 2
    return min(
        range(len(columns)),
        key=lambda at: (-max(0.0, _overlap(columns[at], piece)), abs((columns[at][0] + columns[at][1]) / 2 - middle)),
    )
