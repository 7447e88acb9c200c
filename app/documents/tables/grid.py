"""A table from texts at places: rows by height, columns by what stands over one another."""

from __future__ import annotations

from statistics import median

from app.documents.extract.layout import Piece, rows_of

FEWEST_CELLS = 3
MIN_OVERLAP = 0.25


def grid_of(pieces: list[Piece]) -> tuple[list[list[str]], float]:
    """Rows of cells, and the recogniser's sureness of its least sure half."""
    rows = rows_of([piece for piece in pieces if not piece.figure and piece.text.strip()])
    wide = [row for row in rows if len(row) >= FEWEST_CELLS]
    if not wide:
        return [[piece.text.strip() for piece in row] for row in rows], 1.0
    columns = _columns(wide)
    grid = []
    for row in rows:
        cells = [""] * len(columns)
        for piece in row:
            at = _column(columns, piece)
            cells[at] = f"{cells[at]} {piece.text.strip()}".strip()
        grid.append(cells)
    scores = sorted(piece.score for row in wide for piece in row)
    return grid, median(scores[: max(1, len(scores) // 2)])


def _columns(rows: list[list[Piece]]) -> list[tuple[float, float]]:
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


def _overlap(span: tuple[float, float], piece: Piece) -> float:
    return min(span[1], piece.x1) - max(span[0], piece.x0)


def _column(columns: list[tuple[float, float]], piece: Piece) -> int:
    middle = (piece.x0 + piece.x1) / 2
    return min(
        range(len(columns)),
        key=lambda at: (-max(0.0, _overlap(columns[at], piece)), abs((columns[at][0] + columns[at][1]) / 2 - middle)),
    )
