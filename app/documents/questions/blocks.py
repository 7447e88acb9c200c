"""A paper cut into what belongs to one question each: by its numbers, its headings and the key at its end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

from app.documents.extract.furniture import without_furniture
from app.documents.extract.lines import GAP, Line
from app.documents.extract.question_rows import unrolled
from app.documents.questions.key_start import find_key, key_lines
from app.documents.questions.marks import Mark, Style
from app.documents.questions.numbering import chain_of, headings_of, key_of_other_style, main_style
from app.documents.questions.passages import Passages
from app.documents.questions.points import LABELLED, take_labelled_points
from app.documents.questions.sections import INSTRUCTIONS, Section, kind_in
from app.documents.questions.wording import normalise

ASKING = ("?", "？", ":", "：")
TITLE_LENGTH = 120
TITLE = re.compile(
    r"试卷|试题|考试|测试|测验|作业|练习|\b(?:test|exam(?:ination)?|quiz|paper|assignment|homework|worksheet|midterm|final|assessment)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Block:
    number: int
    group: int  # how often the numbers have begun again before it
    lines: list[Line]
    section: Section | None
    context: list[Line] = field(default_factory=list)
    filled: bool = False  # its number was only found because its neighbours were
    told: str | None = None  # the answer that stands before its number
    followed_by: str | None = None  # the heading of a passage that is no part of it
    worth: float | None = None  # what a line above it says it is worth
    before_gap: bool = False  # the next number is missing: its question may be in these lines


@dataclass(slots=True)
class Cut:
    title: str | None
    blocks: list[Block]
    sections: list[Section]
    key: list[Line]
    style: Style


def cut_paper(lines: list[Line]) -> Cut:
    lines = without_furniture([replace(line, text=normalise(line.text)) for line in unrolled(lines)])
    style = main_style(lines)
    marks = chain_of(lines, style)
    before = key_of_other_style(lines, marks[0].at, style) if marks else None
    if before is not None:  # what was taken for the questions' numbers are those of the key
        style = main_style(lines[:before])
        marks = chain_of(lines[:before], style)
    key_at = len(lines)
    if marks:
        key_at = find_key(lines, marks[0].at, marks[0].number, style) or before or len(lines)
        marks = chain_of(lines[:key_at], style)
    filled = _fill_gaps(lines[:key_at], marks)
    blocks, sections = _blocks(lines[:key_at], sorted([*marks, *filled], key=lambda mark: mark.at), style, set(filled))
    for block, after in pairwise(blocks):
        block.before_gap = after.number > block.number + 1
    first = marks[0].at if marks else key_at
    key = key_lines(lines, key_at, style) if key_at < len(lines) else []
    return Cut(_title(lines[:first]), blocks, sections, key, style)


def _fill_gaps(lines: list[Line], marks: list[Mark]) -> list[Mark]:
    """A number that a typist or a recogniser wrote otherwise ("3," or "3 "), where its neighbours show it missing."""
    filled: list[Mark] = []
    ends = [*marks[1:], *(Mark(len(lines), mark.number + 2, 0) for mark in marks[-1:])]
    for before, after in zip(marks, ends, strict=True):
        at = before.at + 1
        for number in range(before.number + 1, after.number):
            pattern = re.compile(
                rf"^[（(\[]?\s*{number}\s*(?:[.．、)）]\s*(?=\S)|[,，:：;\]】]\s*(?=[^\d\s]))|^{number}\s?(?=[A-Z\u4e00-\u9fff])"
            )
            for index in range(at, after.at):
                found = None if lines[index].figure else pattern.match(lines[index].text)
                if found:
                    filled.append(Mark(index, number, found.end()))
                    at = index + 1
                    break
    return filled


def _blocks(lines: list[Line], marks: list[Mark], style: Style, filled: set[Mark]) -> tuple[list[Block], list[Section]]:
    blocks: list[Block] = []
    sections: list[Section] = []
    headings = set(headings_of(lines, style))
    by_line = {mark.at: mark for mark in marks}
    target: list[Line] = []
    passages = Passages()
    worth: float | None = None
    group = 0
    for at, line in enumerate(lines):
        mark = by_line.get(at)
        if _says_points_of_next(lines, at, by_line):
            worth = take_labelled_points(line.text)[0]
        elif mark is not None:
            if blocks and mark.number <= blocks[-1].number:
                group += 1
                passages.count_again()
            target = [replace(line, text=line.text[mark.end :], cells=[])]
            section = sections[-1] if sections else None
            if section is not None:
                section.blocks += 1
            if section is not None and section.blocks == 1:
                passages.take_preamble(section)
            context = passages.of_question(mark.number, lines, at)
            blocks.append(
                Block(mark.number, group, target, section, context, filled=mark in filled, told=mark.told, worth=worth)
            )
            worth = None
        elif at in headings:
            passages.close()
            sections.append(Section(line.text.strip(), len(sections) + 1, kind_in(line.text)))
            target = passages.opened_by_heading(lines, at) or sections[-1].preamble
        elif passage := passages.opened(lines, at, target if blocks and target is blocks[-1].lines else None):
            target = passage
        elif blocks and target is blocks[-1].lines and _ends_question(line, target):
            blocks[-1].followed_by = line.text.strip()
            target = []
        else:
            target.append(line)
    return blocks, sections


def _ends_question(line: Line, question: list[Line]) -> bool:
    """A rubric, a note: whatever has a heading of its own, and asks nothing."""
    return line.heading and any(one.text.strip() for one in question) and not line.text.rstrip().endswith(ASKING)


def _says_points_of_next(lines: list[Line], at: int, by_line: dict[int, Mark]) -> bool:
    """Points: 2, alone between an empty line and a number."""
    apart = at == 0 or not lines[at - 1].text.strip()
    return apart and at + 1 in by_line and bool(LABELLED.fullmatch(lines[at].text.strip()))


def _title(lines: list[Line]) -> str | None:
    """The line that names the paper, else the first one."""
    texts = [line.text.strip().split(GAP)[0].strip() for line in lines if line.text.strip() and not line.figure]
    named = next((text for text in texts[:8] if TITLE.search(text) and not INSTRUCTIONS.match(text)), None)
    first = named or next(iter(texts), None)
    return first if first and len(first) <= TITLE_LENGTH and not INSTRUCTIONS.match(first) else None
