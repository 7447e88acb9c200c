"""Options A to H: stacked, in a row, in a grid, with whatever stands around their letters."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.documents.questions.wording import WIDE, tidy
from app.documents.values import Option

LETTERS = "ABCDEFGH"
MARK = re.compile(
    rf"(?P<before>^|\n|\s|(?<=[{WIDE})）.,;:?!_\d\"'%°]))(?P<open>[（(\[]?)\s?(?P<letter>[A-Ha-h])\s?(?P<close>[.．、)）:：\]])"
)
GLUED = re.compile(r"(?P<before>)(?P<open>)(?P<letter>[A-H])(?P<close>[.．、])")
SPACED = re.compile(r"(?P<before>^|\n|\s{3})(?P<open>)(?P<letter>[A-H])(?P<close>\s+)(?=\S)")
FEWEST = 2
JUDGEMENT = re.compile(r"^(?:true|false|yes|no|right|wrong|correct|incorrect|对|错|正确|错误)\.?$", re.IGNORECASE)
SHORT_OPTION = 90
TASK = re.compile(
    r"[?？]|^\W*(?:find|state|explain|calculate|describe|show|prove|write|draw|give|determine|name|identify|list|work\s+out"
    r"|evaluate|solve|sketch|simplify|how|what|why|which|define|discuss|compare|suggest|estimate|hence|求|计算|证明|写出|说明|判断|画)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Found:
    stem: str
    options: list[Option]
    sure: float = 1.0


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    letter: str
    fence: str


def take_options(text: str, *, choice_expected: bool = False) -> Found:
    """The stem and its options; without options, the text as it was."""
    for pattern, sure, fewest in ((MARK, 1.0, FEWEST), (SPACED, 0.85, 3), (GLUED, 0.7, 3)):
        marks = _chain([mark for mark in _marks(text, pattern) if mark.letter.isupper()])
        if len(marks) >= fewest:
            return _cut(text, marks, sure)
    marks = _chain([mark for mark in _marks(text, MARK) if mark.letter.islower()])
    if len(marks) >= FEWEST:
        found = _cut(text, marks, 0.9)
        judged = all(JUDGEMENT.match(option.text) for option in found.options)
        if choice_expected or judged or (len(marks) > FEWEST and _are_choices(found)):
            return found
    return Found(text, [])


def _marks(text: str, pattern: re.Pattern[str]) -> list[_Mark]:
    return [
        _Mark(found.start("open"), found.end("close"), found["letter"], _fence(found["open"], found["close"]))
        for found in pattern.finditer(text)
    ]


def _fence(opened: str, closed: str) -> str:
    """Options of one question are marked alike; only dots and list commas are mixed by careless typists."""
    return "()" if opened else ")" if closed in ")）]" else ":" if closed in ":：" else "."


def _chain(marks: list[_Mark]) -> list[_Mark]:
    best: list[_Mark] = []
    for index, first in enumerate(marks):
        if first.letter.upper() != "A":
            continue
        alike = [mark for mark in marks[index:] if mark.fence == first.fence]
        run = max(_in_order(alike), _in_grid(alike), key=len)
        if len(run) > len(best) or (len(run) == len(best) and len(run) > 1 and run[0].start > best[0].start):
            best = run
    return best


def _in_order(marks: list[_Mark]) -> list[_Mark]:
    run: list[_Mark] = []
    for mark in marks:
        if len(run) < len(LETTERS) and mark.letter.upper() == LETTERS[len(run)]:
            run.append(mark)
    return run


def _in_grid(marks: list[_Mark]) -> list[_Mark]:
    """A and C in one row, B and D in the next: each letter once, none missing."""
    letters = [mark.letter.upper() for mark in marks]
    whole = len(set(letters)) == len(letters) and sorted(letters) == list(LETTERS[: len(letters)])
    return marks if whole else []


def _cut(text: str, marks: list[_Mark], sure: float) -> Found:
    ends = [mark.start for mark in marks[1:]] + [len(text)]
    options = [
        Option(key=mark.letter.upper(), text=tidy(text[mark.end : end]).replace("\n", " ").rstrip(" ;；"))
        for mark, end in zip(marks, ends, strict=True)
    ]
    options.sort(key=lambda option: option.key)
    return Found(text[: marks[0].start].rstrip(), options, sure)


def _are_choices(found: Found) -> bool:
    """Small letters mark parts as often as options: options are short, and ask for nothing themselves."""
    return all(0 < len(option.text) <= SHORT_OPTION and not TASK.search(option.text) for option in found.options)
