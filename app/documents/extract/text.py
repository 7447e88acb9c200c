"""Plain text."""

from __future__ import annotations

from app.documents.extract.encoding import UTF16, decode
from app.documents.extract.lines import GAP, Extracted, Line
from app.documents.extract.source import Source

FORM_FEED = b"\f"


def extract(source: Source) -> Extracted:
    """A form feed, which printers took for a new page, still is one."""
    lines = []
    pages = [source.content] if source.content[:2] in UTF16 else source.content.split(FORM_FEED)
    for number, page in enumerate(pages, start=1):
        lines += [Line(line.replace("\t", GAP).rstrip(), source.name, number) for line in decode(page).split("\n")]
    return Extracted(lines, pages=len(pages))
