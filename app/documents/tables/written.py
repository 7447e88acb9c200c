"""Tables in documents of text: Word, HTML, Markdown."""

from __future__ import annotations

from importlib import import_module
from itertools import groupby

from app.documents.extract.docx import open_docx
from app.documents.extract.lines import Line
from app.documents.extract.source import Source
from app.documents.kinds import kind_of
from app.documents.tables.table import Cell, Table, make_table


def tables(source: Source) -> list[Table]:
    rows = _word(source) if kind_of(source.name) == "docx" else _marked_up(source)
    return [make_table(source.name, f"table {at}", table, source.limits) for at, table in enumerate(rows, start=1)]


def _word(source: Source) -> list[list[list[Cell]]]:
    document = open_docx(source.name, source.content)
    return [[[cell.text.strip() for cell in row.cells] for row in table.rows] for table in document.tables]


def _marked_up(source: Source) -> list[list[list[Cell]]]:
    lines: list[Line] = import_module(f"app.documents.extract.{kind_of(source.name)}").extract(source).lines
    filled = [line for line in lines if line.text.strip()]
    return [
        [list(line.cells) for line in run]
        for in_table, run in groupby(filled, lambda line: bool(line.cells))
        if in_table
    ]
