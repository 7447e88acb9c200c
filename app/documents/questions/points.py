"""Marks as papers state them: (5 points), [5 marks], 5分, Points: 5; for a whole section: 每小题3分, 2 marks each."""

from __future__ import annotations

import re

UNIT = r"(?:分|points?(?:\(s\))?|pts?\.?|marks?(?:\(s\))?|mks?\.?)"
NUMBER = r"(\d{1,3}(?:\.\d{1,2})?)"
OPEN, CLOSE = r"[（(\[【]", r"[）)\]】]"
TOTAL = re.compile(
    rf"{OPEN}[^（()）\[\]【】]{{0,24}}?(?:共|共计|满分|total(?:\s+of)?:?)\s*{NUMBER}\s*{UNIT}[^（()）\[\]]{{0,12}}{CLOSE}",
    re.IGNORECASE,
)
STATED = re.compile(
    rf"{OPEN}\s*(?:本(?:小|大)?题\s*)?(?:worth\s+|for\s+|max(?:imum)?\.?\s+)?{NUMBER}\s*(?:{UNIT}|p\.?|['’′])(?:\s*/\s*\d{{1,3}}\s*{UNIT})?\s*{CLOSE}",
    re.IGNORECASE,
)
LABELLED = re.compile(
    rf"(?:^|\n|\s{{2,}}){OPEN}?\s*(?:points?|marks?|score|分值|分数)\s*[:：]\s*{NUMBER}\s*(?:分|points?|marks?)?\s*{CLOSE}?",
    re.IGNORECASE,
)
MARKED_OUT_OF = re.compile(
    rf"(?:^|\n)\s*(?:marked\s+out\s+of|(?:marks?|points?|score)\s+\d{{1,3}}(?:\.\d{{1,2}})?\s+(?:out\s+of|/))\s*{NUMBER}\s*(?=\n|$)",
    re.IGNORECASE,
)
TOTAL_FOR = re.compile(
    rf"(?:^|\n)\W*total\s+for\s+question\s+\d{{1,3}}\s*(?:is|:|=)\s*{NUMBER}\s*{UNIT}\W*?(?=\n|$)", re.IGNORECASE
)
TRAILING = re.compile(rf"(?:[.?!:;。？！：；_）)]|\s[-–—]|\s{{3,}})\s*{NUMBER}\s*{UNIT}\s*$", re.IGNORECASE)
LEADING = re.compile(
    rf"^\s*[-–—:：,，]?\s*{NUMBER}\s*(?:分|points?|pts?|marks?)\s*(?:[.:：、\n]|[-–—]\s|$)", re.IGNORECASE
)
RIGHT_EDGE = re.compile(rf"\s{{3,}}{NUMBER}\s*{UNIT}(?=\s)", re.IGNORECASE)  # beside the first line of a long stem
RIGHT_EDGE_BRACKETED = re.compile(r"\s{3,}[\[(]\s*(\d{1,2})\s*[\])](?=\s)")
BRACKETED_FIRST = re.compile(r"^\s*[\[(]\s*(\d{1,2})\s*[\])](?=[\s.:：])")
AFTER_SENTENCE = re.compile(r"(?<=[.?!。？！]) ?[\[(]\s*(\d{1,2})\s*[\])]\s*$")
BRACKETED = re.compile(r"[\[(]\s*(\d{1,2})\s*[\])](?=\s*(?:\n|$))")
EACH = re.compile(
    rf"(?:每\s*(?:小)?\s*题|各)\s*{NUMBER}\s*分|{NUMBER}\s*{UNIT}\s*(?:each|ea\b|per\s+question|apiece)"
    rf"|{UNIT}\s*[,;:]\s*{NUMBER}\s*each"
    rf"|each\s+(?:\w+\s+){{0,3}}?(?:is\s+)?(?:worth|carries|counts(?:\s+for)?|scores)\s+{NUMBER}\s*{UNIT}",
    re.IGNORECASE,
)
# 5 x 2 = 10 marks, 2分×5: which of the two is the count, the unit tells, or the number of questions.
TIMES = re.compile(
    rf"{NUMBER}\s*({UNIT})?\s*[x×*✕]\s*{NUMBER}\s*({UNIT}|个?小?题|道|questions?|items?)?\s*(?:=\s*\d{{1,3}}\s*{UNIT}?)?(?=\s*[）)\]】]|\s*$)",
    re.IGNORECASE | re.MULTILINE,
)
EACH_BLANK = re.compile(
    rf"每\s*(?:个|一)?\s*(?:空格?|格)\s*{NUMBER}\s*分|{NUMBER}\s*{UNIT}\s*(?:per|for\s+each|each)\s+(?:blank|gap)",
    re.IGNORECASE,
)
IN_ALL = re.compile(rf"{OPEN}[^（()）]*?{NUMBER}\s*{UNIT}(?:\s+in\s+(?:all|total))?\s*{CLOSE}", re.IGNORECASE)
COUNT = re.compile(
    r"(?:共|有)\s*(\d{1,3})\s*(?:个?小?题|道)|\b(\d{1,3})\s+(?:questions|items|problems)\b", re.IGNORECASE
)


def take_points(text: str, *, bracketed: bool = False) -> tuple[float | None, str]:
    """The marks that this text states for itself, and the text without them."""
    few = (BRACKETED, BRACKETED_FIRST, RIGHT_EDGE_BRACKETED) if bracketed else ()
    patterns = (TOTAL, STATED, LABELLED, TRAILING, LEADING, RIGHT_EDGE, *few, AFTER_SENTENCE)
    for pattern in patterns:
        found = pattern.search(text)
        if found:
            at = found.start()
            if pattern is TRAILING:  # its first character ends the sentence before
                at += 1 if not text[at].isspace() and text[at] not in "-–—" else 0
            before, after = text[:at].rstrip(" "), text[found.end() :].lstrip(" ")
            after = after if before else re.sub(r"^(?:\.(?!\d)|[．:：、])\s*", "", after)  # Problem 1 (2 pts). What ...
            return float(found.group(1)), f"{before} {after}".strip(" ") if before and after else before + after
    return None, text


def take_question_total(text: str) -> tuple[float | None, str]:
    """(Total for Question 3 is 5 marks), below it."""
    found = TOTAL_FOR.search(text)
    return (None, text) if found is None else (float(found.group(1)), text[: found.start()] + text[found.end() :])


def take_labelled_points(text: str) -> tuple[float | None, str]:
    """Points: 3, on a line of its own, wherever in the question it stands."""
    found = MARKED_OUT_OF.search(text) or LABELLED.search(text)
    return (None, text) if found is None else (float(found.group(1)), text[: found.start()] + text[found.end() :])


def points_each(text: str, blanks: int = 1, questions: int = 0) -> float | None:
    """What each question of a section is worth, by the section's own words; where they count blanks, for so many."""
    by_blank = EACH_BLANK.search(text)
    if by_blank:
        return float(by_blank.group(1) or by_blank.group(2)) * blanks if blanks else None
    found = EACH.search(text)
    if found is not None:
        return float(next(group for group in found.groups() if group))
    return _worth_times(text, questions)


def _worth_times(text: str, questions: int) -> float | None:
    found = TIMES.search(text)
    if found is None or not re.search(UNIT, found.group(), re.IGNORECASE):
        return None
    first, unit, second, _ = found.groups()
    if unit or (int(float(second)) == questions != int(float(first))):
        return float(first)
    return float(second)


def section_points(title: str) -> float | None:
    """What a section as a whole is worth, where its heading says so."""
    found = IN_ALL.search(title)
    return None if found is None else float(found.group(1))


def announced_count(text: str) -> int | None:
    """How many questions a section says it has: a check on what was found."""
    found = COUNT.search(text)
    return None if found is None else int(found.group(1) or found.group(2))
