"""A paper cut into what belongs to one question each: by its numbers, its headings and the key at its end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

from app.documents.extract.furniture import without_furniture
from app.documents.extract.lines import GAP, Line
from app.documents.extract.question_rows import unrolled
from app.documents.questions.key import HEADER, find_key, key_lines
from app.documents.questions.marks import PATTERNS, STYLES, Mark, Style, chain, marks_of
from app.documents.questions.points import LABELLED, take_labelled_points, take_points
from app.documents.questions.sections import INSTRUCTIONS, Section, is_heading, kind_in
from app.documents.questions.wording import normalise

SHARED = re.compile(
    r"^\W*(?:(?:use|refer\s+to|read|study|look\s+at)\b.{0,80}?)?(?:for\s+|to\s+answer\s+|answer\s+)?questions?\s+(\d{1,3})\s*(?:-|–|—|to|and|through)\s*"
    r"(\d{1,3})|^.{0,40}?(?:回答|完成)\s*第?\s*(\d{1,3})\s*[-–—~～至到、和]\s*(\d{1,3})\s*(?:小?题|各题)",
    re.IGNORECASE,
)
OPTION = re.compile(r"^\s*[（(]?A\s*[.．、)）:：]")
TASK = re.compile(r"^\W*(?:task|exercise|activity)\s+\d{1,2}\b", re.IGNORECASE)
FEWEST_BARE = 3
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
    style = _main_style(lines)
    key_at = len(lines)
    marks = _chain_of(lines, style)
    if marks:
        key_at = find_key(lines, marks[0].at, marks[0].number) or len(lines)
        marks = _chain_of(lines[:key_at], style)
    filled = _fill_gaps(lines[:key_at], marks)
    blocks, sections = _blocks(lines[:key_at], sorted([*marks, *filled], key=lambda mark: mark.at), style, set(filled))
    for block, after in pairwise(blocks):
        block.before_gap = after.number > block.number + 1
    first = marks[0].at if marks else key_at
    key = key_lines(lines, key_at) if key_at < len(lines) else []
    return Cut(_title(lines[:first]), blocks, sections, key, style)


def _headings(lines: list[Line], style: Style) -> list[int]:
    return [
        at
        for at, line in enumerate(lines)
        if (is_heading(line, chinese_is_main=style == "chinese") or (style != "word" and TASK.match(line.text)))
        and not _goes_on(lines, at)
        and not (not line.heading and _is_lone_number(lines, at, style))
    ]


def _is_lone_number(lines: list[Line], at: int, style: Style) -> bool:
    """Where the number stands by itself in the line before, this line is what it asks."""
    before = next((line.text for line in reversed(lines[:at]) if take_labelled_points(line.text)[1].strip()), "")
    number = PATTERNS[style].match(before)
    return number is not None and not take_points(before[number.end() :])[1].strip(" ()[]-–—")


def _goes_on(lines: list[Line], at: int) -> bool:
    """Options below a line show that it was the end of a stem: Select all that apply."""
    following = next((line.text for line in lines[at + 1 : at + 6] if line.text.strip()), "")
    return bool(OPTION.match(following)) and not lines[at].heading


def _main_style(lines: list[Line]) -> Style:
    lengths = {style: len(_chain_of(lines, style)) for style in STYLES}
    titled = [mark for mark in marks_of(lines, "chinese") if kind_in(lines[mark.at].text)]
    if len(titled) * 2 > lengths["chinese"]:
        lengths["chinese"] = 0  # 一、选择题 opens a section
    tasks = sum(bool(TASK.match(line.text)) for line in lines)
    if tasks == lengths["word"] and lengths["dot"] >= 2 * tasks:
        lengths["word"] = 0  # Task 1 opens a section, too
    if lengths["word"] and (lengths["word"] > 1 or lengths["dot"] <= 1):
        return "word"
    for style in ("dot", "close"):
        if lengths[style] > 1 and not (style == "dot" and _are_instructions(lines, lengths)):
            return style
    if lengths["chinese"] > 1:
        return "chinese"
    if lengths["paren"] > 1:
        return "paren"
    if lengths["bare"] >= FEWEST_BARE or (lengths["bare"] > 1 and _set_apart(lines)):
        return "bare"
    return max(STYLES, key=lambda style: (lengths[style] if style != "bare" else 0, -STYLES.index(style)))


def _set_apart(lines: list[Line]) -> bool:
    """A tab after each number."""
    return all(GAP in lines[mark.at].text[: mark.end] for mark in _chain_of(lines, "bare"))


def _are_instructions(lines: list[Line], lengths: dict[Style, int]) -> bool:
    """1. Answer all questions. 2. ...: above questions that are numbered 1) 2) 3)."""
    told = next((at for at, line in enumerate(lines) if INSTRUCTIONS.match(line.text)), None)
    if told is None or lengths["close"] < lengths["dot"]:
        return False
    dots, closes = _chain_of(lines, "dot"), _chain_of(lines, "close")
    between = any(closes[0].at < mark.at < closes[-1].at for mark in dots)
    return told < dots[0].at < closes[0].at and closes[0].number == 1 and not between


def _chain_of(lines: list[Line], style: Style) -> list[Mark]:
    marks = [mark for mark in marks_of(lines, style) if not _is_row_of_numbers(lines[mark.at])]
    return chain(_without_instructions(lines, marks), _headings(lines, style))


def _is_row_of_numbers(line: Line) -> bool:
    return len(line.cells) > 1 and sum(cell.strip().isdigit() for cell in line.cells) > 1


def _without_instructions(lines: list[Line], marks: list[Mark]) -> list[Mark]:
    """Numbered advice to candidates before the first question, told by the count that begins again after it."""
    told = next((at for at, line in enumerate(lines) if INSTRUCTIONS.match(line.text)), None)
    if told is None or HEADER.match(lines[told].text):
        return marks
    after = [mark for mark in marks if mark.at > told]
    if not after or after[0].number != 1 or any(mark.at < told for mark in marks):
        return marks
    again = next((mark for mark in after[1:] if mark.number == 1), None)
    if again is None or find_key(lines[: again.at], after[0].at, 1) is not None:
        return marks
    if any(HEADER.match(line.text.strip()) for line in lines[after[0].at : again.at]):
        return marks
    return [mark for mark in marks if mark.at >= again.at]


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
    shared: dict[int, list[Line]] = {}
    headings = set(_headings(lines, style))
    by_line = {mark.at: mark for mark in marks}
    target: list[Line] = []
    worth: float | None = None
    group = 0
    for at, line in enumerate(lines):
        mark = by_line.get(at)
        if _says_points_of_next(lines, at, by_line):
            worth = take_labelled_points(line.text)[0]
        elif mark is not None:
            if blocks and mark.number <= blocks[-1].number:
                group += 1
                shared.clear()
            target = [replace(line, text=line.text[mark.end :], cells=[])]
            section = sections[-1] if sections else None
            if section is not None:
                section.blocks += 1
            context = shared.get(mark.number, [])
            blocks.append(
                Block(mark.number, group, target, section, context, filled=mark in filled, told=mark.told, worth=worth)
            )
            worth = None
        elif at in headings:
            sections.append(Section(line.text.strip(), len(sections) + 1, kind_in(line.text)))
            target = sections[-1].preamble
        elif span := _shared_span(line):
            target = [line]
            shared.update(dict.fromkeys(range(span[0], span[1] + 1), target))
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


def _shared_span(line: Line) -> tuple[int, int] | None:
    """Questions 6 to 8 refer to the passage below."""
    found = SHARED.match(line.text)
    if not found:
        return None
    first, last = (int(group) for group in found.groups() if group)
    return (first, last) if first < last < first + 30 else None


def _title(lines: list[Line]) -> str | None:
    """The line that names the paper, else the first one."""
    texts = [line.text.strip().split(GAP)[0].strip() for line in lines if line.text.strip() and not line.figure]
    named = next((text for text in texts[:8] if TITLE.search(text) and not INSTRUCTIONS.match(text)), None)
    first = named or next(iter(texts), None)
    return first if first and len(first) <= TITLE_LENGTH and not INSTRUCTIONS.match(first) else None
