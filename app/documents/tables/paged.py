"""Tables in pdfs and pictures: ruled ones by their lines, others by where their texts stand."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pdfplumber

from app.documents.extract.image import Recognise, open_image, recognised_pieces
from app.documents.extract.pdf import needs_ocr, open_pdf, pages_of, recognise_page
from app.documents.limits import Limits
from app.documents.tables.grid import grid_of
from app.documents.tables.table import Cell, Table, cell_text, make_table

FEWEST_ROWS, FEWEST_COLUMNS = 2, 2


def image_tables(name: str, content: bytes, limits: Limits, recognise: Recognise) -> list[Table]:
    pieces = recognised_pieces(open_image(name, content, limits), recognise)
    grid, sure = grid_of(pieces)
    return [make_table(name, "page 1", grid, limits, sure=sure)]


def pdf_tables(
    name: str, content: bytes, limits: Limits, ocr_mode: str, recognise: Recognise, progress: Callable[[int, int], None]
) -> list[Table]:
    """One table for pages that continue one another, else one for each."""
    document = open_pdf(name, content, limits)
    found: list[Table] = []
    scans = 0
    with pdfplumber.open(BytesIO(content)) as plumber:
        for index, (page, width, height, pieces) in enumerate(pages_of(name, document)):
            sure = 1.0
            if needs_ocr(pieces, page, ocr_mode) and scans < limits.ocr_pages:
                scans += 1
                scanned, _, _ = recognise_page(page, width, height, limits, recognise)
                grid, sure = grid_of(scanned)
                tables: list[list[list[Cell]]] = [[list(row) for row in grid]]
            else:
                ruled = plumber.pages[index].extract_tables()
                tables = [
                    [list(row) for row in table]
                    for table in ruled
                    if len(table) >= FEWEST_ROWS and max(map(len, table)) > FEWEST_COLUMNS
                ]
                tables = tables or [[list(row) for row in grid_of(pieces)[0]]]
                plumber.pages[index].close()
            found += [make_table(name, f"page {index + 1}", rows, limits, index + 1, sure) for rows in tables]
            progress(index + 1, len(document))
    return _continued([table for table in found if table.rows], limits)


def _continued(tables: list[Table], limits: Limits) -> list[Table]:
    whole: list[Table] = []
    for table in tables:
        if whole and table.page > whole[-1].page and len(table.rows[0]) == len(whole[-1].rows[0]):
            before = whole.pop()
            header = [cell_text(cell) for cell in before.rows[0]]
            rows = [row for row in table.rows if [cell_text(cell) for cell in row] != header]
            joined = make_table(before.file, before.name, before.rows + rows, limits, table.page, min(before.sure, table.sure))
            whole.append(joined)
        else:
            whole.append(table)
    return whole
