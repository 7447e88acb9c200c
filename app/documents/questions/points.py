"""Marks as papers state them: (5 points), [5 marks], 5分, Points: 5; for a whole section: 每小题3分, 2 marks each."""

from __future__ import annotations

import re

UNIT = r"(?:分|points?|pts?\.?|marks?|mks?\.?)"
NUMBER = r"(\d{1,3}(?:\.\d{1,2})?)"
OPEN, CLOSE = r"[（(\[【]", r"[）)\]】]"
TOTAL = re.compile(
    rf"{OPEN}[^（()）\[\]【】]{{0,24}}?(?:共|共计|满分|total(?:\s+of)?:?)\s*{NUMBER}\s*{UNIT}[^（()）\[\]]{{0,12}}{CLOSE}",
    re.IGNORECASE,
)
STATED = re.compile(
    rf"{OPEN}\s*(?:本(?:小|大)?题\s*)?(?:worth\s+|for\s+|max(?:imum)?\.?\s+)?{NUMBER}\s*(?:{UNIT}|p\.?)(?:\s*/\s*\d{{1,3}}\s*{UNIT})?\s*{CLOSE}",
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
BRACKETED = re.compile(r"[\[(]\s*(\d{1,2})\s*[\])](?=\s*(?:\n|$))")
EACH = re.compile(
    rf"(?:每\s*(?:小)?\s*题|各)\s*{NUMBER}\s*分|{NUMBER}\s*{UNIT}\s*(?:each|ea\b|per\s+question|apiece)"
    rf"|{UNIT}\s*[,;:]\s*{NUMBER}\s*each"
    rf"|each\s+(?:\w+\s+){{0,3}}?(?:is\s+)?(?:worth|carries|counts(?:\s+for)?|scores)\s+{NUMBER}\s*{UNIT}",
    re.IGNORECASE,
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
    patterns = (TOTAL, STATED, LABELLED, TRAILING, LEADING, *((BRACKETED,) if bracketed else ()))
    for pattern in patterns:
        found = pattern.search(text)
        if found:
            at = found.start()
            if pattern is TRAILING:  # its first character ends the sentence before
                at += 1 if not text[at].isspace() and text[at] not in "-–—" else 0
            before, after = text[:at].rstrip(" "), text[found.end() :].lstrip(" ")
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


def points_each(text: str, blanks: int = 1) -> float | None:
    """What each question of a section is worth, by the section's own words; where they count blanks, for so many."""
    by_blank = EACH_BLANK.search(text)
    if by_blank:
        return float(by_blank.group(1) or by_blank.group(2)) * blanks if blanks else None
    found = EACH.search(text)
    return None if found is None else float(next(group for group in found.groups() if group))


def section_points(title: str) -> float | None:
    """What a section as a whole is worth, where its heading says so."""
    found = IN_ALL.search(title)
    return None if found is None else float(found.group(1))


def announced_count(text: str) -> int | None:
    """How many questions a section says it has: a check on what was found."""
    found = COUNT.search(text)
    return None if found is None else int(found.group(1) or found.group(2))
