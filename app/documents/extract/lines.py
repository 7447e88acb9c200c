"""What every extractor produces: lines in reading order, each knowing where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

FIGURE = "[figure]"
GAP = "   "  # stands between texts that are set apart: tab stops, cells, columns of options


@dataclass(slots=True)
class Line:
    text: str
    file: str
    page: int = 1
    top: float | None = None  # of the page's height, 0 at the top; None where a format has no pages
    left: float | None = None
    score: float = 1.0  # how sure the recogniser was; 1 for text that was never a picture
    heading: bool = False
    figure: bool = False
    bullet: bool = False  # an item of a list that has dots and no numbers
    ends: bool = False  # stops well before the right edge of its column: a paragraph ends with it
    cells: list[str] = field(default_factory=list)  # when the line is a row of a table


@dataclass(slots=True)
class Extracted:
    lines: list[Line] = field(default_factory=list)
    pages: int = 1
    ocr_pages: int = 0
    notes: list[tuple[str, str, int]] = field(default_factory=list)  # code, sentence, page

    def characters(self) -> int:
        return sum(len(line.text) for line in self.lines)


def row_line(cells: Iterable[str], file: str, page: int = 1) -> Line:
    kept = [cell.strip() for cell in cells]
    return Line(GAP.join(cell for cell in kept if cell), file, page, cells=kept)
