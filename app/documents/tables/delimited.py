"""csv, whatever stands between its cells."""

from __future__ import annotations

import csv
from collections import Counter
from io import StringIO

from app.documents.extract.encoding import decode
from app.documents.extract.source import Source
from app.documents.failures import DocumentFailure
from app.documents.tables.table import Table, make_table

DELIMITERS = (",", "\t", ";", "|")
SAMPLE_LINES = 50
LONGEST_CELL = 100_000


def tables(source: Source) -> list[Table]:
    text = decode(source.content)
    first, _, rest = text.partition("\n")
    delimiter = first.strip()[4:5] if first.lower().startswith("sep=") else _delimiter(text)
    if first.lower().startswith("sep="):
        text = rest
    csv.field_size_limit(LONGEST_CELL)
    try:
        rows = [[cell.strip() or None for cell in row] for row in csv.reader(StringIO(text), delimiter=delimiter)]
    except csv.Error as error:
        raise DocumentFailure("damaged", f"the table cannot be read: {error}", file=source.name) from error
    return [make_table(source.name, source.name, rows, source.limits)]


def _delimiter(text: str) -> str:
    """The one that cuts most lines into the same number of cells."""
    lines = [line for line in text.split("\n")[:SAMPLE_LINES] if line.strip()]

    def fit(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
        width, count = max(((w, c) for w, c in widths.items() if w > 1), key=lambda pair: pair[1], default=(1, 0))
        return count, width

    return max(DELIMITERS, key=fit)
