"""Answer keys: "1 A", "1-5 ABCDA", "12(1) B", "3(b)(ii) 4 cm", tables, and worked answers one after another."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.documents.extract.lines import Line
from app.documents.questions.answers import LABEL, take_answer
from app.documents.questions.key_shapes import (
    LETTER_PART,
    PAIR,
    RUN,
    SECTION,
    START,
    listed_answers,
    split_numbers,
    with_tables,
)
from app.documents.questions.key_tables import Entry, entries_of_table, part_label
from app.documents.questions.parts import cut, find_answer_parts
from app.documents.questions.points import take_points
from app.documents.questions.sections import is_heading
from app.documents.questions.wording import joined, tidy

FURTHEST = 12  # a key may leave out what has no short answer


def parse_key(lines: list[Line], groups: Mapping[str, int] | None = None) -> list[Entry]:
    """Every answer that these lines state, in their order. Where numbers begin again, `groups` says which run of
    numbers stands under a title of the paper.
    """
    walk = _Walk(groups or {})
    table: list[list[str]] = []
    for line in [*with_tables(lines), Line("", "")]:
        if line.cells:
            table.append(line.cells)
            continue
        if table:
            walk.close()
            walk.extend(entries_of_table(table))
            table = []
        if line.text.strip() and not line.figure:
            walk.take(line)
    walk.close()
    return walk.entries


def bare_title(text: str) -> str:
    """A heading without what stands in its brackets, and without what may be written in several ways."""
    return re.sub(r"[\W_]+", "", re.sub(r"[（(\[].*", "", text)).casefold()


class _Walk:
    """Down a key, counting: an answer goes on until a higher number begins, a group until the numbers begin again."""

    def __init__(self, groups: Mapping[str, int]) -> None:
        self.entries: list[Entry] = []
        self._groups = groups
        self._group = 0
        self._last = 0
        self._fresh = False  # a section heading was just seen
        self._open: list[Line] = []
        self._told: set[tuple[int, int]] = set()  # the numbers that were answered, by their group

    def take(self, line: Line) -> None:
        text = line.text.strip()
        titled = self._groups.get(bare_title(text))
        if titled is not None:
            self.close()
            self._group, self._last, self._fresh = titled, 0, True
            return
        opened = SECTION.match(text)
        if opened and (START.match(text[opened.end() :]) or RUN.match(text[opened.end() :])):  # 二、4. 2   5. 3
            self._fresh, text = True, text[opened.end() :]
        elif is_heading(line, chinese_is_main=False) and not RUN.search(text) and not PAIR.search(text):
            self.close()
            self._fresh = True
            return
        listed = listed_answers(text)
        if listed:
            self.close()
            self.extend(listed)
            return
        for piece in split_numbers(text, self._last):
            start = START.match(piece)
            if start and self._begins(start, piece):
                self.close()
                self._count(int(start["number"]))
            self._open.append(Line(piece, line.file, line.page))

    def extend(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._count(entry.number)
            entry.group = self._group
        self.entries += entries

    def close(self) -> None:
        """What was collected so far is one worked answer."""
        worked = _worked(self._open) if self._open else []
        for entry in worked:
            entry.group = self._group
        self.entries += worked
        self._open = []

    def _begins(self, start: re.Match[str], text: str) -> bool:
        number = int(start["number"])
        if start["stop"] == "." and text[start.end("stop") :][:1].isdecimal():  # 4.2 is a number, unless 4 is awaited
            return number == self._last + 1
        again = number == 1 and self._fresh
        continued = bool(start["part"]) and number == self._last
        marked = start["stop"].strip() != "" or bool(start["part"]) or not text[0].isdigit()
        skipped = number < self._last and marked and (self._group, number) not in self._told
        return again or continued or skipped or self._last < number <= self._last + FURTHEST or not self._last

    def _count(self, number: int) -> None:
        if number == 1 and (self._last > 1 or (self._fresh and self._last == 1)):
            self._group += 1
        self._last = number
        self._fresh = False
        self._told.add((self._group, number))


def _worked(lines: list[Line]) -> list[Entry]:
    """One answer with whatever explains it, and with the parts that it names."""
    start = START.match(lines[0].text)
    if start is None:
        return []
    first = Line(lines[0].text[start.end() :], lines[0].file, lines[0].page)
    text = joined([first, *lines[1:]])
    text = re.sub(r"^(?:解|答|证明|solution|answer)\s*[:：]\s*(?=[（(]\s?[a-z1-9])", "", text, flags=re.IGNORECASE)
    number, part = int(start["number"]), part_label(start["part"] or "")
    if part in {"(1)", "a", "i"}:  # 11（1） 800 s （2） 500 s
        together = _parts(number, f"{start['part'].strip()} {text}")
        if len(together) > 1:
            return together
    inner = LETTER_PART.match(text)
    if inner and not part:
        entries = _parts(number, text)
        if entries:
            return entries
    return [_entry(number, part if not inner else "", text)]


def _parts(number: int, text: str) -> list[Entry]:
    parts = find_answer_parts(text)
    return [_entry(number, part.label, piece) for part, piece in zip(parts, cut(text, parts), strict=True)]


def _entry(number: int, part: str, text: str) -> Entry:
    if LABEL.search(text):
        said = take_answer(text)
        answer, solution = said.answer or tidy(said.text), said.solution
        if not answer and said.worked and "\n" not in said.worked:
            answer, solution = tidy(said.worked), None  # 9. 解：x = 7
    else:
        answer, _, solution = (tidy(piece) for piece in text.partition("\n"))
    points, answer = take_points(answer)
    letter = re.match(r"^([A-H]{1,8})(?:[.。．:：]?\s+|[.。．,，;；:：]\s*)(?=\S)", answer)
    if (
        letter
        and not solution
        and re.match(r"^[A-H]{1,8}\s*[-–—:：(（]|^[A-H]{1,8}[.。]?\s+(?:because|since|因)", answer, re.IGNORECASE)
    ):
        answer, solution = letter.group(1), answer[letter.end() :]
    return Entry(0, number, part, answer.strip().rstrip("。；;"), (solution or "").strip() or None, points)
