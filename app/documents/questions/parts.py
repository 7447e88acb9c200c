"""Parts of a question: (a) (b), a) b), (1) (2), (i) (ii), nested where papers nest them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.documents.extract.numerals import from_roman, to_letter
from app.documents.questions.answers import take_answer
from app.documents.questions.options import LEADING_MARKS, LETTERS, TASK, take_options

# The marks may stand at the start of a line, or after the end of a sentence.
START = r"(?:(?<=\n)|^|(?<=[;；。.?？!:：）)\]_])\s*|(?<=\s{3}))"
FORMS: dict[str, re.Pattern[str]] = {
    "letter": re.compile(START + r"[（(]\s?([a-z])\s?[）)]\s*"),
    "letter_close": re.compile(r"(?:(?<=\n)|^)\s*([a-z])\s?[)）.]\s+"),
    "number": re.compile(START + r"[（(]\s?(\d{1,2})\s?[）)]\s*"),
    "number_close": re.compile(r"(?:(?<=\n)|^)\s*(\d{1,2})\s?[)）]\s*"),
    "roman": re.compile(START + r"[（(]\s?([ivx]{1,5})\s?[）)]\s*"),
    "roman_close": re.compile(r"(?:(?<=\n)|^)\s*([ivx]{1,5})\s?[)）.]\s+"),
    "number_decimal": re.compile(r"(?:(?<=\n)|^)\s*\d{1,2}\.(\d{1,2})(?=\s+[^\d\s])\s*"),
    "circled": re.compile(START + r"([①-⑳])\s*"),
}
LOOSE = re.compile(
    r"(?:(?<=\s)|^|(?<=[;；，,。.])|(?<=[\u4e00-\u9fff])(?=[（(]))(?:[（(]?\s?(?P<mark>[a-z]|\d{1,2}|[ivx]{1,5})\s?[）)]|(?P<circled>[①-⑳]))\s*"
)
DOTTED = re.compile(r"(?:^|(?<=\s))([a-z])[.．]\s")  # a. 1.5 s  b. 11.25 m
ASKED = re.compile(r"[，,。；](?:请|试)?(?:求|计算|证明|写出|说明|判断|解释|画出)|怎样|如何|为什么|多少|[?？]")
CLOSED = ("letter_close", "roman_close", "number_close")
FEWEST = 2
POINTS = re.compile(r"\d\s*(?:分|points?|marks?|pts?)|\[\d{1,2}\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    label: str  # a, ii, (1): what follows the question's number in its id
    start: int
    end: int  # where its own text begins


def find_parts(text: str, *, avoid: str = "", choice: bool = False) -> tuple[str, list[Part]]:
    """The form and the parts of this text, outermost level; nothing when it has none."""
    best: tuple[str, list[Part]] = ("", [])
    for form, pattern in FORMS.items():
        if avoid and form.startswith(avoid):
            continue
        parts = _count(form, pattern, text)
        if len(parts) >= FEWEST and (not best[1] or parts[0].start < best[1][0].start):
            best = form, parts
    form, parts = best
    return best if parts and _are_parts(form, parts, text, choice=choice) else ("", [])


def find_answer_parts(text: str) -> list[Part]:
    """In an answer the marks may stand anywhere: (a) 6 m/s (b) 9 m."""
    for form, pattern in (
        *((form, LOOSE) for form in ("letter", "number", "roman", "circled")),
        *((form, FORMS[form]) for form in CLOSED),
        ("letter", DOTTED),
    ):
        parts = _count(form, pattern, text)
        if len(parts) >= FEWEST and parts[0].start == 0:
            return parts
    _, parts = find_parts(text)
    return parts


def cut(text: str, parts: list[Part]) -> list[str]:
    ends = [part.start for part in parts[1:]] + [len(text)] * bool(parts)
    return [text[part.end : end].strip() for part, end in zip(parts, ends, strict=True)]


def _count(form: str, pattern: re.Pattern[str], text: str) -> list[Part]:
    parts: list[Part] = []
    for found in pattern.finditer(text):
        mark = next(group for group in found.groups() if group)
        expected = len(parts) + 1
        if _value(form, mark) == expected:
            label = f"({expected})" if form.startswith(("number", "circled")) else mark
            parts.append(Part(label, found.start(), found.end()))
    return parts


def _value(form: str, mark: str) -> int | None:
    if form.startswith("roman"):
        return from_roman(mark)
    if form.startswith("number"):
        return int(mark) if mark.isdecimal() else None
    if form == "circled":
        return ord(mark) - ord("①") + 1 if mark >= "①" else None
    return next((number for number in range(1, 27) if to_letter(number) == mark), None)


def _each_asks(text: str, parts: list[Part], texts: list[str]) -> bool:
    """①求… ②写出…, each in a line of its own: statements to choose from ask for nothing."""
    apart = all(part.start == 0 or text[part.start - 1] == "\n" or text[part.start] == "\n" for part in parts)
    return apart and all(
        TASK.search(LEADING_MARKS.sub("", piece)) or ASKED.search(piece)
        for piece in (take_answer(piece).text for piece in texts)
    )


def _are_parts(form: str, parts: list[Part], text: str, *, choice: bool) -> bool:
    """Statements to choose from, and small-letter options, look like parts and are none."""
    texts = cut(text, parts)
    if form == "circled":
        return all(POINTS.search(piece) for piece in texts) or _each_asks(text, parts, texts)
    own_options = [take_options(take_answer(piece).text).options for piece in texts]
    if own_options[-1] and not any(own_options[:-1]):  # statements, then the options that combine them
        return False
    if form.startswith("letter"):
        if choice and len(parts) <= len(LETTERS):
            return False
        as_options = take_options(take_answer(text).text, choice_expected=choice)
        return (
            not as_options.options
            or any(option.key not in LETTERS for option in as_options.options)
            or any(own_options)
        )
    return True
