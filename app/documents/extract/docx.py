"""Word documents: paragraphs, tables, list numbers, page breaks and pictures, in the order of the text."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml import etree

from app.documents.extract.docx_numbering import Numbering, W
from app.documents.extract.lines import FIGURE, GAP, Extracted, Line, row_line
from app.documents.extract.source import Source
from app.documents.failures import DocumentFailure

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
SKIPPED = {f"{W}del", f"{W}moveFrom", f"{MC}Fallback", f"{W}instrText", f"{W}pPr", f"{W}rPr"}
PICTURES = {f"{W}drawing", f"{W}pict", f"{W}object"}
MANY_CELLS = 20_000


def open_docx(name: str, content: bytes) -> Any:
    try:
        return docx.Document(BytesIO(content))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError, etree.XMLSyntaxError) as error:
        raise DocumentFailure("damaged", f"the document cannot be opened: {error}", file=name) from error


def extract(source: Source) -> Extracted:
    document = open_docx(source.name, source.content)
    reader = _Reader(source.name, Numbering(document))
    reader.read(document)
    return Extracted(reader.lines, pages=reader.page)


class _Reader:
    def __init__(self, name: str, numbering: Numbering) -> None:
        self.lines: list[Line] = []
        self.page = 1
        self._name = name
        self._numbering = numbering
        self._cells_left = MANY_CELLS

    def read(self, container: Any) -> None:
        for block in container.iter_inner_content():
            if isinstance(block, Paragraph):
                self._paragraph(block)
            elif isinstance(block, Table):
                self._table(block)

    def _paragraph(self, paragraph: Paragraph) -> None:
        mark = self._numbering.mark(paragraph)
        text, figures = self._text(paragraph._p)  # noqa: SLF001 - the public text drops formulas and insertions
        style = (paragraph.style.name or "") if paragraph.style is not None else ""
        heading = style.startswith(("Heading", "Title", "标题"))
        for index, part in enumerate(text.split("\n")):
            marked = f"{mark} {part}" if mark and index == 0 else part
            self.lines.append(Line(marked.rstrip(), self._name, self.page, heading=heading))
        self.lines += [Line(FIGURE, self._name, self.page, figure=True) for _ in range(figures)]

    def _table(self, table: Table) -> None:
        for row in table.rows:
            cells: list[str] = []
            seen: set[Any] = set()
            for cell in row.cells:
                if cell._tc in seen or self._cells_left <= 0:  # noqa: SLF001 - a merged cell is one cell
                    continue
                seen.add(cell._tc)  # noqa: SLF001
                self._cells_left -= 1
                inner = _Reader(self._name, self._numbering)
                inner.page = self.page
                inner.read(cell)
                cells.append("\n".join(line.text for line in inner.lines if line.text and not line.figure))
                figures = [line for line in inner.lines if line.figure]
                self.lines += figures
            self._row(cells)

    def _row(self, cells: list[str]) -> None:
        if sum(
            "\n" in cell for cell in cells
        ):  # a table that only lays out text: its cells are text, one after another
            for cell in cells:
                self.lines += [Line(part, self._name, self.page) for part in cell.split("\n")]
        else:
            self.lines.append(row_line(cells, self._name, self.page))

    def _text(self, element: Any) -> tuple[str, int]:
        text, figures = "", 0
        for child in element:
            if child.tag in SKIPPED:
                continue
            if child.tag in {f"{W}t", f"{M}t"}:
                text += child.text or ""
            elif child.tag == f"{W}tab":
                text += GAP
            elif child.tag in {f"{W}br", f"{W}cr"}:
                if child.get(f"{W}type") == "page":
                    self.page += 1
                else:
                    text += "\n"
            elif child.tag == f"{W}lastRenderedPageBreak":
                self.page += 1
            elif child.tag == f"{W}noBreakHyphen":
                text += "-"
            elif child.tag in PICTURES:
                figures += 1
            else:
                inner, more = self._text(child)
                text, figures = text + inner, figures + more
        return text, figures
