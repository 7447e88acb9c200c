"""Two or three lists printed beside one another to save paper are one list."""

from __future__ import annotations

from collections.abc import Sequence

from app.documents.scores.labels import label_of
from app.documents.tables.table import Table, cell_text

HEADER_DEPTH = 8


def side_by_side(table: Table) -> list[Table]:
    for top in range(min(HEADER_DEPTH, len(table.rows))):
        roles = [(label.role, label.number) for label in (label_of(cell_text(cell)) for cell in table.rows[top])]
        width = _period(roles)
        if width:
            rows = [row[at : at + width] for at in range(0, len(roles), width) for row in table.rows[top + 1 :]]
            header = table.rows[top][:width]
            lists = [row for row in rows if any(cell_text(cell) for cell in row)]
            return [Table(table.file, table.name, [header, *lists], table.page, table.sure)]
    return [table]


def _period(roles: Sequence[tuple[str, int | None]]) -> int | None:
    """After how many columns the header repeats itself, people's column included."""
    for width in range(2, len(roles) // 2 + 1):
        people = any(role in {"name", "id"} for role, _ in roles[:width])
        if people and len(roles) % width == 0 and all(roles[at] == roles[at % width] for at in range(len(roles))):
            return width
    return None
