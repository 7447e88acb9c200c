"""The corpus: every paper style in every format, every score layout in every format, with its truth. Made anew each time,
always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.corpus.documents import writers
from tests.corpus.documents.papers import ALL, CHOICES, MIXED, STYLES, Paper, make_paper
from tests.corpus.documents.pdf import pdf_of, picture_of
from tests.corpus.documents.sheets import LAYOUTS, Book

COUNTS = (ALL, MIXED, CHOICES)
TEXT_FORMATS: dict[str, tuple[str, Callable[[Paper], bytes]]] = {
    "txt": ("txt", writers.text),
    "md": ("md", writers.markdown),
    "html": ("html", writers.html),
    "tex": ("tex", writers.tex),
    "docx": ("docx", writers.word),
    "pdf": ("pdf", writers.pdf),
    "pdf, two columns": ("pdf", lambda paper: writers.pdf(paper, columns=2)),
}
SCANS = ("plain", "closed", "worded", "zh_plain", "zh_comma", "zh_inline")
PRINTED_SHEETS = ("plain", "plain_zh", "out_of_in_header", "total_only", "with_footer", "with_parts")


@dataclass(frozen=True)
class PaperCase:
    format: str
    paper: Paper
    files: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class SheetCase:
    format: str
    book: Book
    files: tuple[tuple[str, bytes], ...]


def papers() -> Iterator[Paper]:
    for at, (name, style) in enumerate(STYLES.items()):
        for counts in COUNTS[: 1 + at % 2]:
            yield make_paper(name, style, 100 + at, counts)


def text_cases() -> Iterator[PaperCase]:
    for paper in papers():
        for label, (suffix, write) in TEXT_FORMATS.items():
            yield PaperCase(label, paper, ((f"{paper.name}.{suffix}", write(paper)),))


def scan_cases() -> Iterator[PaperCase]:
    for at, name in enumerate(SCANS):
        paper = make_paper(name, STYLES[name], 200 + at, COUNTS[at % 3])
        yield PaperCase("scan (jpg)", paper, _numbered(name, "jpg", writers.scan(paper, 7 * at)))
        if at % 3 == 0:
            yield PaperCase("picture (png)", paper, _numbered(name, "png", writers.clean_png(paper)))
        if at % 3 == 1:
            yield PaperCase("scan (pdf)", paper, ((f"{name}.pdf", writers.scanned_pdf(paper, 7 * at)),))
        if at % 3 == 2:
            yield PaperCase("scan, two columns", paper, _numbered(name, "jpg", writers.scan(paper, 7 * at, columns=2)))


def _numbered(name: str, suffix: str, pages: list[bytes]) -> tuple[tuple[str, bytes], ...]:
    return tuple((f"{name}-{at}.{suffix}", page) for at, page in enumerate(pages, start=1))


def sheet_cases() -> Iterator[SheetCase]:
    for at, layout in enumerate(LAYOUTS):
        book = layout(300 + at)
        yield SheetCase("xlsx", book, ((f"{book.name}.xlsx", writers.workbook(book)),))
        if len(book.sheets) == 1:
            yield SheetCase("csv", book, ((f"{book.name}.csv", writers.comma(book)),))
            yield SheetCase("csv (GBK, ;)", book, ((f"{book.name}.csv", writers.comma(book, ";", "gb18030")),))
        if book.name in PRINTED_SHEETS:
            yield SheetCase("pdf, ruled", book, ((f"{book.name}.pdf", pdf_of([writers.table_page(book, ruled=True)])),))
            yield SheetCase(
                "pdf, unruled", book, ((f"{book.name}.pdf", pdf_of([writers.table_page(book, ruled=False)])),)
            )


def scanned_sheet_cases() -> Iterator[SheetCase]:
    for at, layout in enumerate(LAYOUTS):
        book = layout(300 + at)
        if book.name in PRINTED_SHEETS[:4]:
            picture = writers.worn(picture_of(writers.table_page(book, ruled=at % 2 == 0)), at)
            yield SheetCase("scan (jpg)", book, ((f"{book.name}.jpg", writers.jpeg_of(picture, 75)),))
