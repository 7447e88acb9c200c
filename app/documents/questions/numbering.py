"""Which numbers are those of the questions: the style that counts on, headings, and advice that is numbered, too."""

from __future__ import annotations

import re

from app.documents.extract.lines import GAP, Line
from app.documents.questions.key_start import HEADER, find_key
from app.documents.questions.marks import PATTERNS, STYLES, Mark, Style, chain, marks_of
from app.documents.questions.passages import SHARED, SHARED_BELOW
from app.documents.questions.points import points_each, take_labelled_points, take_points
from app.documents.questions.sections import INSTRUCTIONS, LETTERED, is_heading, kind_in

TASK = re.compile(r"^\W*(?:task|exercise|activity)\s+\d{1,2}\b", re.IGNORECASE)
LONGEST_LETTERED, NEARBY = 70, 6
FIRST_OPTION = re.compile(r"^\s*[（(]?[Aa]\s*[.．、)）:：]")
OPTION_LINE = re.compile(r"^[（(]?[A-H]\s*[.．、)）:：]")
FEWEST_BARE = 3


def key_of_other_style(lines: list[Line], first: int, chosen: Style) -> int | None:
    """Where a key begins above the first number, when the numbers of another style have it for their key."""
    for style in STYLES:
        marks = chain_of(lines[:first], style) if style != chosen else []
        key_at = find_key(lines, marks[0].at, marks[0].number) if len(marks) > 1 else None
        if key_at is not None and marks[-1].at < key_at < first:
            return key_at
    return None


def headings_of(lines: list[Line], style: Style) -> list[int]:
    found: list[int] = []
    opened: set[str] = set()  # the letters of sections so far
    for at, line in enumerate(lines):
        lettered = _names_lettered_section(line)
        if (
            (
                is_heading(line, chinese_is_main=style == "chinese")
                or (style != "word" and TASK.match(line.text))
                or (lettered and _is_lettered_heading(lines, at, style, opened))
            )
            and not _goes_on(lines, at)
            and not _is_broken_off(lines, at)
            and not (not line.heading and _is_lone_number(lines, at, style))
        ):
            found.append(at)
        opened |= {line.text.strip()[0]} if lettered else set()
    return found


def _names_lettered_section(line: Line) -> bool:
    text = line.text.strip()
    return len(text) <= LONGEST_LETTERED and bool(LETTERED.match(text)) and kind_in(text) is not None


def _is_next_option(lines: list[Line], at: int, opened: set[str]) -> bool:
    """C. below A and B, unless a section B has been opened before."""
    before = next((line.text for line in reversed(lines[max(0, at - NEARBY) : at]) if line.text.strip()), "")
    letters = re.findall(r"(?:^|\s)[（(]?([A-H])\s?[.．、)）:：]", before)
    expected = chr(ord(lines[at].text.strip()[0]) - 1)
    return letters[-1:] == [expected] and expected not in opened


def _is_broken_off(lines: list[Line], at: int) -> bool:
    """“statement in an essay.” in a narrow column: the end of a sentence that the line before began."""
    text = lines[at].text.lstrip()
    above = at > 0 and bool(lines[at - 1].text.strip()) and not lines[at - 1].heading
    return above and text[:1].islower() and not lines[at].heading and points_each(text) is None


def _is_lettered_heading(lines: list[Line], at: int, style: Style, opened: set[str]) -> bool:
    """B. Multiple answers, with a number in the next line: no option of the question above."""
    if _is_next_option(lines, at, opened):
        return False
    following = [line.text.strip() for line in lines[at + 1 : at + 6] if line.text.strip()]
    if not following or OPTION_LINE.match(following[0]):
        return False
    return any(PATTERNS[style].match(one) for one in following[:3]) or bool(
        any(SHARED.match(one) or SHARED_BELOW.match(one) for one in (*following[:2], " ".join(following[:2])))
    )


def _is_lone_number(lines: list[Line], at: int, style: Style) -> bool:
    """Where the number stands by itself in the line before, this line is what it asks."""
    before = next((line.text for line in reversed(lines[:at]) if take_labelled_points(line.text)[1].strip()), "")
    number = PATTERNS[style].match(before)
    return number is not None and not take_points(before[number.end() :])[1].strip(" ()[]-–—")


def _goes_on(lines: list[Line], at: int) -> bool:
    """Options below a line show that it was the end of a stem: Select all that apply."""
    following = next((line.text for line in lines[at + 1 : at + 6] if line.text.strip()), "")
    return bool(FIRST_OPTION.match(following)) and not lines[at].heading


def main_style(lines: list[Line]) -> Style:
    lengths = {style: len(chain_of(lines, style)) for style in STYLES}
    titled = [mark for mark in marks_of(lines, "chinese") if kind_in(lines[mark.at].text)]
    if len(titled) * 2 > lengths["chinese"]:
        lengths["chinese"] = 0  # 一、选择题 opens a section
    tasks = sum(bool(TASK.match(line.text)) for line in lines)
    if tasks == lengths["word"] and lengths["dot"] >= 2 * tasks:
        lengths["word"] = 0  # Task 1 opens a section, too
    if lengths["word"] and (lengths["word"] > 1 or lengths["dot"] <= 1):
        return "word"
    for style in ("dot", "close"):
        if lengths[style] > 1 and not (style == "dot" and _are_instructions(lines)):
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
    return all(GAP in lines[mark.at].text[: mark.end] for mark in chain_of(lines, "bare"))


def _are_instructions(lines: list[Line]) -> bool:
    """1. Answer all questions. 2. ...: above questions that are numbered 1) 2) 3), or in any other way."""
    told = next((at for at, line in enumerate(lines) if INSTRUCTIONS.match(line.text)), None)
    dots = chain_of(lines, "dot")
    if told is None or not dots or dots[0].at < told:
        return False
    for style in ("close", "paren", "chinese"):
        others = chain_of(lines, style)
        if len(others) < 2 or others[0].number != 1 or any(others[0].at < mark.at < others[-1].at for mark in dots):  # noqa: PLR2004
            continue
        above = [mark.at for mark in dots if mark.at < others[0].at]
        filled = [at for at in range(told + 1, max(above, default=told) + 1) if lines[at].text.strip()]
        one_list = bool(above) and above == filled
        if one_list or (style == "close" and above and len(others) >= len(dots)):
            return not (
                style == "chinese" and 2 * sum(bool(kind_in(lines[mark.at].text)) for mark in others) > len(others)
            )
    return False


def chain_of(lines: list[Line], style: Style) -> list[Mark]:
    marks = [mark for mark in marks_of(lines, style) if not _is_row_of_numbers(lines[mark.at])]
    if style != "word":  # nobody numbers advice as Question 1
        marks = _without_instructions(lines, marks, headings_of(lines, style))
    return chain(marks, headings_of(lines, style))


def _is_row_of_numbers(line: Line) -> bool:
    return len(line.cells) > 1 and sum(cell.strip().isdigit() for cell in line.cells) > 1


def _without_instructions(lines: list[Line], marks: list[Mark], headings: list[int]) -> list[Mark]:
    """Numbered advice to candidates before the first question, told by the count that begins again after it."""
    told = next((at for at, line in enumerate(lines) if INSTRUCTIONS.match(line.text)), None)
    if told is None or HEADER.match(lines[told].text):
        return marks
    after = [mark for mark in marks if mark.at > told]
    if not after or after[0].number != 1 or any(mark.at < told for mark in marks):
        return marks
    again = next((mark for mark in after[1:] if mark.number == 1), None)
    last = max((mark.at for mark in after if again is not None and mark.at < again.at), default=after[0].at)
    if any(told < at < last for at in headings) or any(
        FIRST_OPTION.match(line.text) and not kind_in(line.text) for line in lines[after[0].at : last]
    ):
        return marks
    if again is None or find_key(lines[: again.at], after[0].at, 1) is not None:
        return marks
    if any(HEADER.match(line.text.strip()) for line in lines[after[0].at : again.at]):
        return marks
    return [mark for mark in marks if mark.at >= again.at]
