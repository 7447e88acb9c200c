"""Question numbers at the start of a line, in every style that papers use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.documents.extract.lines import Line
from app.documents.extract.numerals import from_chinese

Style = Literal["word", "dot", "close", "paren", "chinese", "bare"]

CHINESE = "[一二三四五六七八九十]{1,3}"
PATTERNS: dict[Style, re.Pattern[str]] = {
    "word": re.compile(
        rf"^(?:(?:Question|Problem|Exercise|Task)\s*(?:No\.?|\#)?\s*|Q\s*\.?\s*|\#)(\d{{1,3}})(?![\w(（])\s*[.．:：、)）\-–—]?\s*"
        rf"|^(?:Question|Problem)\s*(\d{{1,3}})\s*(?=[(（\[])"
        rf"|^Q\s*(\d{{1,3}})\s*(?=[(（\[])"
        rf"|^[【\[]?\s*第\s*(\d{{1,3}}|{CHINESE})\s*题\s*[】\]]?\s*[.．:：、]?\s*",
        re.IGNORECASE,
    ),
    "dot": re.compile(r"^(\d{1,3})\s?(?:[．、]|\.(?!\d{1,2}(?!\d)(?!\s*[.．、])))\s*(?=\S|$)"),
    "close": re.compile(r"^(\d{1,3})\s?[)）]\s*"),
    "paren": re.compile(r"^[（(\[]\s*(\d{1,3})\s*[）)\]]\s*[.．、]?\s*"),
    "chinese": re.compile(rf"^({CHINESE})\s*[、.．:：]\s*"),
    "bare": re.compile(r"^(\d{1,3})\s+(?=[A-Z\u4e00-\u9fff(（\"'“])"),
}
STYLES: tuple[Style, ...] = tuple(PATTERNS)
FURTHEST_GAP = 4


@dataclass(frozen=True, slots=True)
class Mark:
    at: int  # index of its line
    number: int
    end: int  # where the question's own text begins in the line


def marks_of(lines: list[Line], style: Style) -> list[Mark]:
    marks = []
    for at, line in enumerate(lines):
        found = None if line.figure else PATTERNS[style].match(line.text)
        if found:
            text = next(group for group in found.groups() if group)
            number = from_chinese(text)
            if number:
                marks.append(Mark(at, number, found.end()))
    return marks


def chain(marks: list[Mark], restarts: Iterable[int]) -> list[Mark]:
    """The marks that count upwards. A number that does not continue the count is text; only after one of `restarts`
    (section headings) the count may begin again.
    """
    pending = sorted(restarts)
    chosen: list[Mark] = []
    last = 0
    for index, mark in enumerate(marks):
        since = any((chosen[-1].at if chosen else -1) < at <= mark.at for at in pending)
        if mark.number == last + 1 or (since and mark.number == 1):
            fits = True
        elif not chosen or since:
            fits = _continues(marks, index)
        else:
            fits = last < mark.number <= last + FURTHEST_GAP and not _comes_later(marks, index, last + 1)
        if fits:
            chosen.append(mark)
            last = mark.number
    return chosen


def _continues(marks: list[Mark], index: int) -> bool:
    """A paper may begin with question 11, when its next one is 12."""
    following = {mark.number for mark in marks[index + 1 :]}
    return marks[index].number + 1 in following and 1 not in following


def _comes_later(marks: list[Mark], index: int, number: int) -> bool:
    """Whether the number that is missing here stands further down, so that this one is not ours."""
    return any(mark.number == number for mark in marks[index + 1 :])
