"""Options A to H: stacked, in a row, in a grid, with whatever stands around their letters."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.documents.extract.lines import Line
from app.documents.extract.numerals import from_roman
from app.documents.questions.answers import Answered
from app.documents.questions.wording import WIDE, tidy
from app.documents.values import Option

LETTERS = "ABCDEFGH"
MARK = re.compile(
    rf"(?P<before>^|\n|\s|(?<=[{WIDE})）.,;:?!_\d\"'%°]))(?P<open>[（(\[]?)\s?(?P<letter>[A-Ha-h])\s?(?P<close>[.．、)）:：\]]|/(?=\s))"
)
GLUED = re.compile(r"(?P<before>)(?P<open>)(?P<letter>[A-H])(?P<close>[.．、])")
SPACED = re.compile(r"(?P<before>^|\n|\s{3})(?P<open>)(?P<letter>[A-H])(?P<close>\s+)(?=\S)")
DASHED = re.compile(r"(?P<before>^|\n|\s{3})(?P<open>)(?P<letter>[A-Ha-h])(?P<close>\s?[-–—]\s+)(?=\S)")
NUMBERED = (
    re.compile(r"(?:(?<=\n)|(?<=\s{3}))[（(]\s?(\d)\s?[)）]\s*"),
    re.compile(r"(?:(?<=\n)|(?<=\s{3}))(\d)\s?[)）]\s*"),
    re.compile(r"(?:(?<=\n)|(?<=\s))([①-⑧])\s*"),
    re.compile(r"(?:(?<=\n)|(?<=\s{3}))[（(]?\s?(i{1,3}|iv|vi?)\s?[)）.]\s+"),
)
OWN_MARKS = re.compile(r"[（(\[]\s*\d{1,2}\s*(?:分|points?|marks?|pts?\.?)\s*[)）\]]", re.IGNORECASE)
LEADING_MARKS = re.compile(r"^\s*[（(\[]\s*(?:worth\s+)?\d{1,2}\s*(?:[A-Za-z分'’]{0,6}\.?|points?\(s\))\s*[)）\]]\s*")
EMPTY_PLACE = re.compile(r"[（(]\s*[）)]|_{2,}")
FEWEST = 2
MOST_NUMBERED, SHORT_NUMBERED = 6, 48
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
    answer: str | None = None  # where the answer was stated by the option's number


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    letter: str
    fence: str


def take_options(text: str, *, choice_expected: bool = False) -> Found:
    """The stem and its options; without options, the text as it was."""
    for pattern, sure, fewest in ((MARK, 1.0, FEWEST), (DASHED, 0.9, 3), (SPACED, 0.85, 3), (GLUED, 0.7, 3)):
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


def take_numbered(said: Answered, *, choice_expected: bool) -> Found | None:
    """Options (1) to (4) or ① to ③: told by an answer that is a number, or by the empty bracket that waits for one."""
    for pattern in NUMBERED:
        marks = list(pattern.finditer(said.text))
        numbers = [_number_of(mark.group(1)) for mark in marks]
        if not MOST_NUMBERED >= len(marks) > FEWEST or numbers != list(range(1, len(marks) + 1)):
            continue
        stem = said.text[: marks[0].start()].rstrip()
        ends = [mark.start() for mark in marks[1:]] + [len(said.text)]
        texts = [tidy(said.text[mark.end() : end]).replace("\n", " ") for mark, end in zip(marks, ends, strict=True)]
        named = re.fullmatch(r"[（(\[]?\s*(\d|[①-⑧]|i{1,3}|iv|vi?)\s*[)）\]]?\.?", (said.answer or "").strip())
        right = _number_of(named[1]) if named else 0
        waits = EMPTY_PLACE.search(stem) and (said.answer is None or right)
        if not stem or not all(text and len(text) <= SHORT_NUMBERED and not TASK.search(text) for text in texts):
            continue
        if 0 < right <= len(texts) or waits or (choice_expected and said.answer is None):
            options = [Option(key=letter, text=text) for letter, text in zip(LETTERS, texts, strict=False)]
            return Found(stem, options, 0.8 if right else 0.65, LETTERS[right - 1] if 0 < right <= len(texts) else None)
    return None


def _number_of(text: str) -> int:
    return int(text) if text.isdigit() and text.isascii() else from_roman(text) or ord(text[0]) - ord("①") + 1


def take_bullets(text: str, lines: list[Line]) -> Found:
    """Options that only have dots before them get the letters of their order; somebody should look."""
    dotted = [line.text.strip() for line in lines if line.bullet and line.text.strip() in text.split("\n")]
    at = text.find("\n" + "\n".join(dotted))
    if not FEWEST <= len(dotted) <= len(LETTERS) or at < 1 or text[at:].strip() != "\n".join(dotted):
        return Found(text, [])
    options = [Option(key=letter, text=tidy(option)) for letter, option in zip(LETTERS, dotted, strict=False)]
    return Found(text[:at].rstrip(), options, 0.65)


def _marks(text: str, pattern: re.Pattern[str]) -> list[_Mark]:
    return [
        _Mark(found.start("open"), found.end("close"), found["letter"], _fence(found["open"], found["close"]))
        for found in pattern.finditer(text)
    ]


def _fence(opened: str, closed: str) -> str:
    """Options of one question are marked alike; only dots and list commas are mixed by careless typists."""
    return "()" if opened else ")" if closed in ")）]" else ":" if closed in ":：" else "/" if closed == "/" else "."


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
    """Small letters mark parts as often as options: options are short, ask for nothing and earn no marks."""
    return all(
        0 < len(option.text) <= SHORT_OPTION
        and not TASK.search(LEADING_MARKS.sub("", option.text))
        and not OWN_MARKS.search(option.text)
        for option in found.options
    )
