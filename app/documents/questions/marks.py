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
# The place for the answer may stand before the number: _____ 1.  （ B ）1.  Where it is filled in, it tells the answer.
PLACE = r"(?:(?:_{2,40}\s?(?P<line>[A-H√×✓✗TF])?\s?_{0,20}|[（(]\s{0,12}(?P<told>[A-H√×✓✗TF])?\s{0,12}[）)]|□)\s{0,8})?"
PATTERNS: dict[Style, re.Pattern[str]] = {
    "word": re.compile(
        rf"^{PLACE}(?:(?:Question|Problem|Exercise|Task)\s*(?:No\.?|\#)?\s*|Q\s*\.?\s*|\#)(\d{{1,3}})(?![\w(（])(?:\s+of\s+\d{{1,3}}\b)?\s*[.．:：、)）\-–—]?\s*"
        rf"|^(?:Question|Problem)\s*(\d{{1,3}})\s*(?=[(（\[])"
        rf"|^Q\s*(\d{{1,3}})\s*(?=[(（\[])"
        rf"|^[【\[]?\s*第\s*(\d{{1,3}}|{CHINESE})\s*题(?!\s*(?:附?图|附?表))\s*[】\]]?\s*[.．:：、]?\s*",
        re.IGNORECASE,
    ),
    "dot": re.compile(rf"^{PLACE}(\d{{1,3}})\s?(?:[．、]|[:：](?=\s)|\.(?!\d{{1,2}}(?!\d)(?!\s*[.．、])))\s*(?=\S|$)"),
    "close": re.compile(rf"^{PLACE}(\d{{1,3}})\s?(?:[)）]|/(?=\s))\s*"),
    "paren": re.compile(r"^(?:(?:_{2,40}|[（(]\s{2,12}[）)])\s{0,8})?[（(\[]\s*(\d{1,3})\s*[）)\]]\s*[.．、]?\s*"),
    "chinese": re.compile(rf"^{PLACE}({CHINESE})\s*[、.．:：]\s*"),
    "bare": re.compile(r"^(\d{1,3})(?:$|\s+(?=[A-Z\u4e00-\u9fff(（\"'“]))"),
}
STYLES: tuple[Style, ...] = tuple(PATTERNS)
FURTHEST_GAP = 4


@dataclass(frozen=True, slots=True)
class Mark:
    at: int  # index of its line
    number: int
    end: int  # where the question's own text begins in the line
    told: str | None = None  # the answer, where it stands before the number


def marks_of(lines: list[Line], style: Style) -> list[Mark]:
    marks = []
    for at, line in enumerate(lines):
        found = None if line.figure else PATTERNS[style].match(line.text)
        if found:
            place = found.groupdict()
            told = place.get("told") or place.get("line")
            text = next(group for group in reversed(found.groups()) if group)
            number = from_chinese(text)
            if number and not (told and _is_option_row(lines, at, number, style)):
                marks.append(Mark(at, number, found.end(), told))
    return marks


def _is_option_row(lines: list[Line], at: int, number: int, style: Style) -> bool:
    """（A）3、4 above （B）5、6 are options; （B）1. above （A）2. are questions that were answered."""
    own = re.search("[A-H]", lines[at].text[:6])
    for step in (1, -1):
        if own is None or not 0 <= at + step < len(lines):
            continue
        beside = lines[at + step].text
        follows = re.match(rf"^[（(]\s*{chr(ord(own.group()) + step)}\s*[）)]", beside)
        counted = PATTERNS[style].match(beside)
        if follows and not (
            counted and next(text for text in reversed(counted.groups()) if text) == str(number + step)
        ):
            return True
    return False


def chain(marks: list[Mark], restarts: Iterable[int]) -> list[Mark]:
    """The marks that count upwards. A number that does not continue the count is text; only after one of `restarts`
    (section headings) the count may begin again.
    """
    pending = sorted(restarts)
    chosen: list[Mark] = []
    last = 0
    listed = False  # within a list that a question's stem holds
    for index, mark in enumerate(marks):
        since = any((chosen[-1].at if chosen else -1) < at <= mark.at for at in pending)
        listed = not since and _is_listed(marks, index, last, within=listed)
        if listed:
            fits = False
        elif mark.number == last + 1 or (since and mark.number == 1):
            fits = True
        elif not chosen or since:
            fits = _continues(marks, index)
        else:
            fits = last < mark.number <= last + FURTHEST_GAP and not _comes_later(marks, index, last + 1)
        if fits:
            chosen.append(mark)
            last = mark.number
    return chosen


def _is_listed(marks: list[Mark], index: int, last: int, *, within: bool) -> bool:
    """1. 2. 3. line after line below question 1: its own list, when the next question's number stands further down."""
    mark = marks[index]
    follows = index > 0 and mark.at == marks[index - 1].at + 1
    opens = last > 0 and mark.number == 1 and _follows_up(marks, index)
    goes_on = within and follows and mark.number == marks[index - 1].number + 1
    if not opens and not goes_on:
        return False
    end = index
    while (
        end + 1 < len(marks)
        and marks[end + 1].at == marks[end].at + 1
        and marks[end + 1].number == marks[end].number + 1
    ):
        end += 1
    return _comes_later(marks, end, last + 1)


def _follows_up(marks: list[Mark], index: int) -> bool:
    """Whether 2 stands in the line after 1."""
    return (
        index + 1 < len(marks)
        and marks[index + 1].at == marks[index].at + 1
        and marks[index + 1].number == marks[index].number + 1
    )


def _continues(marks: list[Mark], index: int) -> bool:
    """A paper may begin with question 11, when its next one is 12."""
    following = {mark.number for mark in marks[index + 1 :]}
    return marks[index].number + 1 in following and 1 not in following


def _comes_later(marks: list[Mark], index: int, number: int) -> bool:
    """Whether the number that is missing here stands further down, so that this one is not ours."""
    return any(mark.number == number for mark in marks[index + 1 :])
