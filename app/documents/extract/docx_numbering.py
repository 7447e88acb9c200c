"""Word does not write the numbers of its lists into the text: they are counted here, as Word would count them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from app.documents.extract import numerals

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FORMATS: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda number: f"{number:02}",
    "lowerLetter": numerals.to_letter,
    "upperLetter": lambda number: numerals.to_letter(number).upper(),
    "lowerRoman": numerals.to_roman,
    "upperRoman": lambda number: numerals.to_roman(number).upper(),
    "chineseCounting": numerals.to_chinese,
    "chineseCountingThousand": numerals.to_chinese,
    "japaneseCounting": numerals.to_chinese,
    "ideographDigital": numerals.to_chinese,
    "taiwaneseCounting": numerals.to_chinese,
    "decimalEnclosedCircle": numerals.to_circled,
    "decimalEnclosedCircleChinese": numerals.to_circled,
    "decimalFullWidth": str,
    "decimalEnclosedParen": lambda number: f"({number})",
    "decimalEnclosedFullstop": lambda number: f"{number}.",
}
LEVELS = 9


class Numbering:
    """One pass over a document's paragraphs, in order."""

    def __init__(self, document: Any) -> None:
        self._levels: dict[str, dict[int, tuple[str, str, int]]] = {}
        self._abstract_of: dict[str, str] = {}
        self._starts: dict[tuple[str, int], int] = {}
        self._counts: dict[str, list[int | None]] = defaultdict(lambda: [None] * LEVELS)
        self._restarted: set[str] = set()
        self._styles = {style.style_id: style for style in document.styles if style.type == 1}
        root = _numbering_root(document)
        if root is not None:
            self._read(root)

    def mark(self, paragraph: Any) -> str:
        """What Word would print before this paragraph; empty for one that is not numbered."""
        number_id, level = self._place(paragraph)
        abstract = self._abstract_of.get(number_id or "")
        found = self._levels.get(abstract or "", {}).get(level)
        if number_id is None or abstract is None or found is None:
            return ""
        form, pattern, _ = found
        counts = self._count(number_id, abstract, level)
        if form in {"bullet", "none"}:
            return ""

        def number(match: re.Match[str]) -> str:
            at = int(match.group(1)) - 1
            other_form, _, start = self._levels[abstract].get(at, ("decimal", "", 1))
            count = counts[at]
            return str(FORMATS.get(other_form, str)(start if count is None else count))

        return re.sub(r"%([1-9])", number, pattern)

    def is_bullet(self, paragraph: Any) -> bool:
        number_id, level = self._place(paragraph)
        found = self._levels.get(self._abstract_of.get(number_id or "", ""), {}).get(level)
        return found is not None and found[0] == "bullet"

    def _count(self, number_id: str, abstract: str, level: int) -> list[int | None]:
        counts = self._counts[abstract]
        if number_id not in self._restarted:
            self._restarted.add(number_id)
            for (owner, at), start in self._starts.items():
                if owner == number_id:
                    counts[at] = start - 1
        before = counts[level]
        counts[level] = self._levels[abstract][level][2] if before is None else before + 1
        counts[level + 1 :] = [None] * (LEVELS - level - 1)
        return counts

    def _place(self, paragraph: Any) -> tuple[str | None, int]:
        number_id, level = _number_properties(paragraph._p.pPr)  # noqa: SLF001 - python-docx has no public way
        style = paragraph.style
        for _ in range(LEVELS):
            if number_id is not None or style is None:
                break
            inherited, inherited_level = _number_properties(style.element.find(f"{W}pPr"))
            if inherited is not None:
                number_id, level = inherited, inherited_level if level is None else level
            style = style.base_style
        return (None if number_id == "0" else number_id), min(level or 0, LEVELS - 1)

    def _read(self, root: Any) -> None:
        for abstract in root.iter(f"{W}abstractNum"):
            levels = {}
            for level in abstract.iter(f"{W}lvl"):
                at = int(level.get(f"{W}ilvl", "0"))
                levels[at] = (_value(level, "numFmt", "decimal"), _value(level, "lvlText", ""), _start(level))
            self._levels[abstract.get(f"{W}abstractNumId")] = levels
        for number in root.iter(f"{W}num"):
            number_id = number.get(f"{W}numId")
            self._abstract_of[number_id] = _value(number, "abstractNumId", "")
            for override in number.iter(f"{W}lvlOverride"):
                if override.find(f"{W}startOverride") is not None:
                    start = _value(override, "startOverride", "1")
                    self._starts[number_id, int(override.get(f"{W}ilvl", "0"))] = int(start) if start.isdecimal() else 1


def _numbering_root(document: Any) -> Any:
    try:
        return document.part.numbering_part.element
    except (KeyError, NotImplementedError):  # a document without lists
        return None


def _number_properties(properties: Any) -> tuple[str | None, int | None]:
    numbered = None if properties is None else properties.find(f"{W}numPr")
    if numbered is None:
        return None, None
    level = _value(numbered, "ilvl", "")
    return _value(numbered, "numId", "") or None, int(level) if level.isdecimal() else None


def _start(level: Any) -> int:
    start = _value(level, "start", "1")
    return int(start) if start.isdecimal() else 1


def _value(element: Any, tag: str, default: str) -> str:
    found = element.find(f"{W}{tag}")
    return default if found is None else str(found.get(f"{W}val", default))
