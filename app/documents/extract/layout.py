"""Texts at places on a page to lines in reading order: rows, two columns, skew. For text layers and for scans alike."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from app.documents.extract.lines import GAP, Line

QUESTION_START = re.compile(
    r"^\s*(?:Q(?:uestion)?|Problem|Exercise)\s*\d{1,3}\b|^\s*(?:[（(]\s*[A-H√×]?\s*[）)]\s*|_{2,}\s*)?[（(]?\d{1,3}\s*(?:[、．)）]|\.(?!\d))|^\s*第\s*\d+\s*题|^[一二三四五六七八九十]+、"
)
OPTION_START = re.compile(r"^\s*[（(]?[A-H]\s*[.、．)）:：]")
HEADING = re.compile(
    r"^\W*(?:(?:section|part)\s+\w{1,3}\b|(?:answers?|answer\s+key|key|solutions?)\W*$|(?:参考|标准)?答案(?:\W*$|[与及和])|[一二三四五六七八九十]+、)",
    re.IGNORECASE,
)
MARKS_ONLY = re.compile(
    r"^[\s）)]*[（(\[【]\s*(?:本(?:小|大)?题\s*)?(?:共|满分|worth\s+)?\s*\d{1,3}(?:\.\d)?\s*(?:分|points?(?:\(s\))?|marks?|pts?\.?)?\s*[）)\]】]$|^\d{1,3}\s*(?:分|points?|marks?|pts?\.?)$",
    re.IGNORECASE,
)
TALLER, APART = 1.15, 1.6
MIN_COLUMN_ROWS = 4
FULL_COLUMN_ROWS = 15
TITLE_ROWS = 8
NEAR = 1.2
CELL = re.compile(r"^\s*(?:\d{1,3}|[A-H]{1,5}|[√×✓✗TF]|题号|答案|(?:question|answer|no)s?\.?)\s*$", re.IGNORECASE)
GUTTER_FROM, GUTTER_TO = 0.35, 0.65
FULL_LINE = 0.6
WORD_GAP, WIDE_GAP = 0.2, 1.0  # in heights of the text
SAME_ROW = 0.5
ENDS_BEFORE = 0.12
MIN_SKEW, MAX_SKEW = 0.001, 0.2  # radians


@dataclass(slots=True)
class Piece:
    """A run of text and its box, in the page's units, y growing downwards."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0
    figure: bool = False
    spaced: bool = False  # a space stands before it in the text

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2


Corners = list[list[float]]


def straighten(boxes: list[Corners]) -> tuple[list[Corners], float]:
    """All corners turned by the angle that the text lines lean, so that rows become level; and that angle."""
    angles = []
    for (ax, ay), (bx, by), *_ in boxes:
        if bx - ax > 0:
            angles.append((bx - ax, math.atan2(by - ay, bx - ax)))
    angles.sort(reverse=True)
    longest = [angle for _, angle in angles[: max(3, len(angles) // 2)]]
    lean = median(longest) if longest else 0.0
    if not MIN_SKEW < abs(lean) < MAX_SKEW:
        return boxes, 0.0
    cos, sin = math.cos(-lean), math.sin(-lean)
    return [[[x * cos - y * sin, x * sin + y * cos] for x, y in box] for box in boxes], lean


def arrange(pieces: list[Piece], *, width: float, height: float, file: str, page: int) -> list[Line]:
    """Lines from top to bottom; where the page has two columns, the left one first."""
    lines: list[Line] = []
    for region in _regions([piece for piece in pieces if piece.text.strip()], width):
        rows = rows_of(region)
        edge = max(row[-1].x1 for row in rows)
        room = edge - min(row[0].x0 for row in rows)
        for row in rows:
            line = _line(row, height, file, page)
            line.ends = row[-1].x1 < edge - ENDS_BEFORE * room
            lines.append(line)
    return lines


def rows_of(pieces: list[Piece]) -> list[list[Piece]]:
    """Pieces that stand beside one another, each row from left to right."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        for row in reversed(rows[-3:]):
            if _beside(row, piece):
                row.append(piece)
                break
        else:
            rows.append([piece])
    for row in rows:
        row.sort(key=lambda piece: piece.x0)
    rows.sort(key=lambda row: median(piece.middle for piece in row))
    return rows


def _beside(row: list[Piece], piece: Piece) -> bool:
    if piece.figure or row[0].figure:
        return False
    nearest = min(row, key=lambda other: max(other.x0 - piece.x1, piece.x0 - other.x1))
    shared = min(nearest.y1, piece.y1) - max(nearest.y0, piece.y0)
    if shared < SAME_ROW * min(nearest.height, piece.height):
        return False
    # Two lines that touch each other lie over one another; two texts of one row do not.
    overlap = min(nearest.x1, piece.x1) - max(nearest.x0, piece.x0)
    return overlap < 0.5 * min(nearest.x1 - nearest.x0, piece.x1 - piece.x0)


def _line(row: list[Piece], height: float, file: str, page: int) -> Line:
    text = row[0].text.strip()
    for before, after in pairwise(row):
        gap = (after.x0 - before.x1) / max(1e-6, before.height, after.height)
        glue = GAP if gap > WIDE_GAP else " " if gap > WORD_GAP or after.spaced else ""
        text += glue + after.text.strip()
    return Line(
        text,
        file,
        page,
        top=min(piece.y0 for piece in row) / max(1.0, height),
        left=row[0].x0,
        score=min(piece.score for piece in row),
        figure=row[0].figure,
    )


def _regions(pieces: list[Piece], width: float) -> list[list[Piece]]:
    """The page cut into bands; a band with a gutter gives its left half, then its right one."""
    gutter = _gutter(pieces, width)
    if gutter is None:
        return [pieces]
    rows = rows_of(pieces)
    regions: list[list[Piece]] = []
    left: list[Piece] = []
    right: list[Piece] = []
    across: list[Piece] = []
    for row in rows:
        if any(piece.x0 < gutter < piece.x1 for piece in row):
            left, heading = (left, []) if row is rows[-1] else _heading_apart(left, right)  # the last row is a footer
            regions += [left, right] if left or right else []
            left, right = [], []
            across += [*heading, *row]
            continue
        if across:
            regions.append(across)
            across = []
        left += [piece for piece in row if piece.x1 <= gutter]
        right += [piece for piece in row if piece.x0 >= gutter]
    regions += [across, left, right] if across else [left, right]
    return [region for region in regions if region]


def _heading_apart(left: list[Piece], right: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """A heading above lines that run across the page stands in its left half, yet ends the columns."""
    rows = rows_of(left)
    if len(rows) < MIN_COLUMN_ROWS or not right or rows[-1][0].y0 < max(piece.y1 for piece in right):
        return left, []
    last = rows[-1][0]
    pitch = median(after[0].middle - before[0].middle for before, after in pairwise(rows))
    tall = last.height > TALLER * median(row[0].height for row in rows)
    apart = last.middle - rows[-2][0].middle > APART * pitch
    if last.figure or OPTION_START.match(last.text) or not (tall or apart or HEADING.match(last.text)):
        return left, []
    return [piece for row in rows[:-1] for piece in row], rows[-1]


def _gutter(pieces: list[Piece], width: float) -> float | None:
    """Where the white stripe between two columns runs, if the page has one."""
    texts = [piece for piece in pieces if not piece.figure]
    starts = sorted({piece.x0 for piece in texts if GUTTER_FROM * width < piece.x0 < GUTTER_TO * width + 0.05 * width})
    found: list[tuple[int, int, float]] = []
    for start in starts:
        stripe = start - 0.005 * width
        crossing = sum(piece.x0 < stripe < piece.x1 for piece in texts)
        aligned = sum(abs(piece.x0 - start) < 0.01 * width for piece in texts)
        found.append((aligned - 3 * crossing, crossing, stripe))
    if not found:
        return None
    best = max(found, key=lambda one: one[0])
    if _two_columns(texts, best[2]):
        return best[2]
    # A table in the second column may be aligned better than the column: then nothing but a title crosses the gutter.
    free = [stripe for _, crossing, stripe in found if crossing <= 1]
    return next((stripe for stripe in free if _two_columns(texts, stripe, asking=True)), None)


def _two_columns(pieces: list[Piece], gutter: float, *, asking: bool = False) -> bool:
    left = rows_of([piece for piece in pieces if piece.x1 <= gutter])
    right = rows_of([piece for piece in pieces if piece.x0 >= gutter])
    crossing = rows_of([piece for piece in pieces if piece.x0 < gutter < piece.x1])
    if not crossing and len(right) < MIN_COLUMN_ROWS:
        high = bool(right) and not _are_cells(left, right) and _begins_as_high(left, right)
        return high and _is_full_column(left, gutter)
    shorter = min(len(left), len(right))
    if (
        shorter < (2 * MIN_COLUMN_ROWS if asking else MIN_COLUMN_ROWS)
        or len(crossing) > shorter
        or _are_cells(left, right)
    ):
        return False
    firsts = [row[0].text for row in right]
    if any(OPTION_START.match(text) and text.lstrip("（( ")[0] in "BD" for text in firsts) and not any(
        QUESTION_START.match(text) for text in firsts
    ):
        return False  # a grid of options
    numbered = sum(bool(QUESTION_START.match(text)) for text in firsts)
    room = gutter - min(row[0].x0 for row in left)
    filled = sum(row[-1].x1 - row[0].x0 > FULL_LINE * room for row in left) / len(left)
    return numbered > 0 or (not asking and (filled > FULL_LINE or _out_of_step(left, right) > FULL_LINE))


def _are_cells(left: list[list[Piece]], right: list[list[Piece]]) -> bool:
    """A table that stands between the lines of a page, numbers and letters in its cells, marks at the right edge."""
    levels = [row[0].middle for row in left]
    near = sum(any(abs(row[0].middle - level) < NEAR * row[0].height for level in levels) for row in right)
    short = all(CELL.match(piece.text) for row in right for piece in row)
    marks = sum(bool(MARKS_ONLY.match(row[0].text)) for row in right)
    return 2 * near < len(right) or short or 3 * marks > len(right)


def _begins_as_high(left: list[list[Piece]], right: list[list[Piece]]) -> bool:
    """A short second column begins at the top; a text that stands apart further down is a part of its line."""
    return right[0][0].y0 <= left[min(len(left), TITLE_ROWS) - 1][0].y1


def _is_full_column(rows: list[list[Piece]], gutter: float) -> bool:
    """Text broken at one edge, line after line, just before the gutter: a page whose second column is short."""
    if len(rows) < FULL_COLUMN_ROWS:
        return False
    edge = max(row[-1].x1 for row in rows)
    reaching = sum(row[-1].x1 > edge - 2 * row[-1].height for row in rows)
    return reaching >= MIN_COLUMN_ROWS and gutter - edge < 4 * rows[0][0].height


def _out_of_step(left: list[list[Piece]], right: list[list[Piece]]) -> float:
    """The share of rows on the right that no row on the left stands beside: cells of a grid are level."""
    levels = [row[0].middle for row in left]
    return sum(min(abs(row[0].middle - level) for level in levels) > 0.3 * row[0].height for row in right) / len(right)
