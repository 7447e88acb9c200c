"""A text that several questions share: where it begins, and for which of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from app.documents.extract.lines import Line
from app.documents.questions.sections import Section
from app.documents.questions.wording import joined

SHARED = re.compile(
    r"^\W*(?:(?:use|refer\s+to|read|study|look\s+at)\b.{0,80}?)?(?:for\s+|to\s+answer\s+|answer\s+)?questions?\s+(\d{1,3})\s*(?:-|–|—|to|and|through)\s*"
    r"(\d{1,3})|^\W*read\b.{0,80}?\b(?:blanks?|gaps?|spaces?|numbers?)\s+(\d{1,3})\s*(?:-|–|—|to|and)\s*(\d{1,3})"
    r"|^.{0,60}?(?:回答|完成)\s*第?\s*(\d{1,3})\s*[-–—~～至到、和]\s*(\d{1,3})\s*(?:小?题|各题)",
    re.IGNORECASE,
)
# Read the passage and answer the questions that follow: as many as stand before the next heading or passage.
SHARED_BELOW = re.compile(
    r"^\W*(?:read|study|look\s+at|use|refer\s+to)\b.{0,90}?\b(?:questions?|items?)\s+(?:that\s+follow|below|which\s+follow|after\s+it)"
    r"|^\W*(?:read|study|look\s+at|use|refer\s+to)\b.{0,90}?\b(?:following\s+questions?|answer\s+(?:all\s+)?(?:the|these)\s+questions?\W*$)"
    r"|^.{0,30}?阅读.{0,30}?(?:完成|回答|做)(?:下列|下面|后面|以下|文后|文末|后)(?:的?(?:各|小|问|试)?(?:小?题目?|问题))",
    re.IGNORECASE,
)
WRITING = re.compile(
    r"write\s+(?:an?\s+)?(?:\w+\s+){0,3}(?:essay|composition|story|letter)|in\s+an\s+essay|作文|写一篇", re.IGNORECASE
)
READING = re.compile(r"阅读|完形|\b(?:reading|comprehension|passage|cloze)\b", re.IGNORECASE)
SENTENCE, LONG_TEXT = re.compile(r"[.。!！?？][\s”\"’]*(?=\S)"), 60
ABOUT_A_TEXT = re.compile(r"阅读|短文|材料|文言文|\b(?:read|passage|text|extract|below)\b", re.IGNORECASE)
LONGEST_LEAD, SHORTEST_QUESTION = 140, 6


@dataclass(slots=True)
class Passages:
    """What questions are about, as one walks down a paper."""

    _spans: dict[int, tuple[int, list[Line]]] = field(
        default_factory=dict
    )  # by number: where the text stands, the text
    _open: list[Line] | None = None  # for every question until something else begins
    _asked_at: int = -1

    def opened(self, lines: list[Line], at: int, question: list[Line] | None) -> list[Line] | None:
        """The lines of a text that begins here, to be added to."""
        text = unwrapped(lines, at)
        span = shared_span(text)
        if span is not None:
            self._open, target = None, [lines[at]]
            self._spans.update(dict.fromkeys(range(span[0], span[1] + 1), (at, target)))
            return target
        if opens_passage(text, question):
            self._open = [lines[at]]
            return self._open
        return None

    def opened_by_heading(self, lines: list[Line], at: int) -> list[Line] | None:
        """（一）阅读下面的文言文，完成3～5题。"""
        return self.opened(lines, at, None) if ABOUT_A_TEXT.search(lines[at].text) else None

    def take_preamble(self, section: Section) -> None:
        """A text below “Reading” is what its questions are about, though nothing says so."""
        words = "".join(line.text for line in section.preamble)
        if self._open is None and READING.search(section.title) and len(words) >= LONG_TEXT and SENTENCE.search(words):
            self._open = section.preamble

    def close(self) -> None:
        self._open = None

    def count_again(self) -> None:
        """Of the numbers that begin anew only a text below the last question can speak."""
        self._spans = {number: text for number, text in self._spans.items() if text[0] > self._asked_at}

    def of_question(self, number: int, lines: list[Line], at: int) -> list[Line]:
        asks = next((line.text for line in lines[at : at + 4] if len(line.text.strip()) >= SHORTEST_QUESTION), "")
        if WRITING.search(asks) and number not in self._spans:
            self._open = None  # a composition asks nothing about the text above
        self._asked_at = at
        return self._spans[number][1] if number in self._spans else self._open or []


def unwrapped(lines: list[Line], at: int) -> str:
    """The line, with the next one where a narrow column has broken it."""
    line = lines[at]
    if line.top is None or line.ends or at + 1 == len(lines) or len(line.text) > LONGEST_LEAD:
        return line.text
    return joined(lines[at : at + 2])


def shared_span(text: str) -> tuple[int, int] | None:
    """Questions 6 to 8 refer to the passage below."""
    found = SHARED.match(text)
    if not found:
        return None
    first, last = (int(group) for group in found.groups() if group)
    return (first, last) if first < last < first + 30 else None


def opens_passage(text: str, question: list[Line] | None) -> bool:
    """Unless a question is just beginning: then it is the question that says so."""
    if len(text.strip()) > LONGEST_LEAD or not SHARED_BELOW.match(text):
        return False
    return question is None or any(one.text.strip() for one in question)
