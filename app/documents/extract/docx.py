"""Word documents: paragraphs, tables, list numbers, page breaks and pictures, in the order of the text."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml import etree

from app.documents.extract.docx_formulas import M, linear
from app.documents.extract.docx_numbering import Numbering, W
from app.documents.extract.heights import lowered, raised
from app.documents.extract.lines import FIGURE, GAP, Extracted, Line, row_line
from app.documents.extract.question_rows import is_header
from app.documents.extract.source import Source
from app.documents.failures import DocumentFailure

MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
SKIPPED = {f"{W}del", f"{W}moveFrom", f"{MC}Fallback", f"{W}instrText", f"{W}pPr", f"{W}rPr"}
PICTURES = {f"{W}drawing", f"{W}pict", f"{W}object"}
WRAPPERS = {f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}moveTo", f"{W}customXml", f"{W}smartTag"}
SIGNS = {f"{W}tab": GAP, f"{W}noBreakHyphen": "-"}
MANY_CELLS = 20_000


def open_docx(name: str, content: bytes) -> Any:
    try:
        return docx.Document(BytesIO(content))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError, etree.XMLSyntaxError) as error:
        raise DocumentFailure("damaged", f"the document cannot be opened: {error}", file=name) from error


def extract(source: Source) -> Extracted:
    document = open_docx(source.name, source.content)
    reader = _Reader(source.name, Numbering(document))
    reader.read(document.element.body, document)
    return Extracted(reader.lines, pages=reader.page)


class _Reader:
    def __init__(self, name: str, numbering: Numbering) -> None:
        self.lines: list[Line] = []
        self.page = 1
        self._name = name
        self._numbering = numbering
        self._cells_left = MANY_CELLS

    def read(self, element: Any, parent: Any) -> None:
        for child in element:
            if child.tag == f"{W}p":
                self._paragraph(Paragraph(child, parent))
            elif child.tag == f"{W}tbl":
                self._table(Table(child, parent))
            elif child.tag in WRAPPERS:
                self.read(child, parent)

    def _paragraph(self, paragraph: Paragraph) -> None:
        mark = self._numbering.mark(paragraph)
        bullet = not mark and self._numbering.is_bullet(paragraph)
        text, figures = self._text(paragraph._p)  # noqa: SLF001 - the public text drops formulas and insertions
        style = (paragraph.style.name or "") if paragraph.style is not None else ""
        heading = style.startswith(("Heading", "Title", "标题"))
        for index, part in enumerate(text.split("\n")):
            marked = f"{mark} {part}" if mark and index == 0 else part
            self.lines.append(Line(marked.rstrip(), self._name, self.page, heading=heading, bullet=bullet))
        self.lines += [Line(FIGURE, self._name, self.page, figure=True) for _ in range(figures)]

    def _table(self, table: Table) -> None:
        asks = False  # a row for each question: its cells stay together
        for at, row in enumerate(table.rows):
            cells: list[str] = []
            seen: set[Any] = set()
            for cell in row.cells:
                if cell._tc in seen or self._cells_left <= 0:  # noqa: SLF001 - a merged cell is one cell
                    continue
                seen.add(cell._tc)  # noqa: SLF001
                self._cells_left -= 1
                inner = _Reader(self._name, self._numbering)
                inner.page = self.page
                inner.read(cell._tc, cell)  # noqa: SLF001
                cells.append("\n".join(line.text for line in inner.lines if line.text and not line.figure))
                figures = [line for line in inner.lines if line.figure]
                self.lines += figures
            asks = is_header(cells) if at == 0 else asks
            self._row(cells, whole=asks)

    def _row(self, cells: list[str], *, whole: bool) -> None:
        # A table that only lays out text: its cells are text, one after another.
        if not whole and any("\n" in cell for cell in cells):
            for cell in cells:
                self.lines += [Line(part, self._name, self.page) for part in cell.split("\n")]
        else:
            self.lines.append(row_line(cells, self._name, self.page))

    def _text(self, element: Any) -> tuple[str, int]:
        text, figures = "", 0
        for child in element:
            if child.tag in SKIPPED:
                continue
            if child.tag == f"{W}t":
                text += child.text or ""
            elif child.tag == f"{M}oMath":
                text += linear(child)
            elif child.tag in SIGNS:
                text += SIGNS[child.tag]
            elif child.tag in {f"{W}br", f"{W}cr"}:
                if child.get(f"{W}type") == "page":
                    self.page += 1
                else:
                    text += "\n"
            elif child.tag == f"{W}lastRenderedPageBreak":
                self.page += 1
            elif child.tag in PICTURES:
                figures += 1
            else:
                inner, more = self._text(child)
                small = _height_of(child)
                text, figures = text + (small(inner) if small else inner), figures + more
        return text, figures


def _height_of(run: Any) -> Callable[[str], str] | None:
    """10 and a raised 3 are 10³, not 103."""
    height = run.find(f"{W}rPr/{W}vertAlign")
    value = None if height is None else height.get(f"{W}val")
    return raised if value == "superscript" else lowered if value == "subscript" else None
