"""Tables in pdfs: ruled ones by their lines, others by where their texts stand."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pdfplumber

from app.documents.extract.pdf import needs_ocr, open_pdf, pages_of, picture_of
from app.documents.extract.source import Source
from app.documents.limits import Limits
from app.documents.tables.grid import grid_of
from app.documents.tables.pictured import read_table
from app.documents.tables.table import Cell, Table, cell_text, make_table

FEWEST_ROWS, FEWEST_COLUMNS = 2, 2


def tables(source: Source) -> list[Table]:
    """One table for pages that continue one another, else one for each."""
    document = open_pdf(source.name, source.content, source.limits)
    found: list[Table] = []
    scans = 0
    with pdfplumber.open(BytesIO(source.content)) as plumber:
        for index, (page, _, _, pieces) in enumerate(pages_of(source.name, document)):
            sure = 1.0
            if needs_ocr(pieces, page, source.ocr_mode) and scans < source.limits.ocr_pages:
                scans += 1
                grid, sure = read_table(picture_of(page, source.limits), source.desk)
                read: list[list[list[Cell]]] = [[list(row) for row in grid]]
            else:
                read = _ruled(plumber.pages[index]) or [[list(row) for row in grid_of(pieces).rows]]
            found += [
                make_table(source.name, f"page {index + 1}", rows, source.limits, page=index + 1, sure=sure)
                for rows in read
            ]
            source.pages_done(index + 1, len(document))
    return _continued([table for table in found if table.rows], source.limits)


def _ruled(page: Any) -> list[list[list[Cell]]]:
    found = page.extract_tables()
    page.close()
    return [
        [list(row) for row in table]
        for table in found
        if len(table) >= FEWEST_ROWS and max(map(len, table)) > FEWEST_COLUMNS
    ]


def _continued(tables: list[Table], limits: Limits) -> list[Table]:
    whole: list[Table] = []
    for table in tables:
        if whole and table.page > whole[-1].page and len(table.rows[0]) == len(whole[-1].rows[0]):
            before = whole.pop()
            header = [cell_text(cell) for cell in before.rows[0]]
            rows = [row for row in table.rows if [cell_text(cell) for cell in row] != header]
            joined = make_table(
                before.file, before.name, before.rows + rows, limits, page=table.page, sure=min(before.sure, table.sure)
            )
            whole.append(joined)
        else:
            whole.append(table)
    return whole
