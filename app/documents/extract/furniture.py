"""What stands on every page and belongs to none: running heads, page numbers, watermarks. It is taken away."""

from __future__ import annotations

import re
from collections import Counter

from app.documents.extract.lines import Line

MARGIN = 0.1
MANY_PAGES = 3
DIGITS = re.compile(r"\d+")
PAGE_NUMBER = re.compile(
    r"""^\W*(?:
        第\s*[\d一二三四五六七八九十]+\s*[页頁](?:\W*[（(]?\s*共\s*\d+\s*[页頁]\s*[）)]?)?
      | (?:page|p\.|pg\.?)\s*\d+(?:\s*(?:of|/)\s*\d+)?
      | \d+\s*(?:/|of)\s*\d+
      | [-–—•·]\s*\d{1,3}\s*[-–—•·]
      | \[?(?:turn\s+over|please\s+turn\s+over|p\.?t\.?o\.?|go\s+on\s+to\s+the\s+next\s+page)\]?
      | (?:请|請)?翻(?:页|頁)
      | \[?total(?:\s+(?:marks?|points?|score|for\s+[\w\s]{1,30}))?\s*[:=]?\s*\d+\s*(?:marks?|points?|分)?\]?
      | (?:this\s+is\s+the\s+)?end\s+of\s+(?:the\s+)?(?:test|exam(?:ination)?|paper|quiz|questions?|section\s+\w+)
      | (?:this\s+page\s+(?:is\s+)?(?:intentionally\s+)?(?:left\s+)?)?blank(?:\s+page)?
    )\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
PAGE_NUMBER_WITHIN = re.compile(r"第\s*\d+\s*[页頁]\W*共\s*\d+\s*[页頁]|\bpage\s+\d+\s+of\s+\d+\b", re.IGNORECASE)
LONE_NUMBER = re.compile(r"^\W*\d{1,3}\W*$")
NUMBERED = re.compile(r"^\s*(?:\(?\d{1,3}\s*[.、．)]|[A-H]\s*[.、．)]|Q\d)", re.IGNORECASE)


def without_furniture(lines: list[Line]) -> list[Line]:
    pages = {(line.file, line.page) for line in lines}
    repeated = _repeated(lines, len(pages)) if len(pages) > 1 else set()
    return [line for line in lines if line.figure or not _is_furniture(line, repeated)]


def _mask(text: str) -> str:
    return DIGITS.sub("#", " ".join(text.split()))


def _in_margin(line: Line) -> bool:
    return line.top is not None and (line.top < MARGIN or line.top > 1 - MARGIN)


def _repeated(lines: list[Line], pages: int) -> set[str]:
    seen = Counter(
        text for text, _ in {(_mask(line.text), (line.file, line.page)) for line in lines if _in_margin(line)}
    )
    enough = 2 if pages <= MANY_PAGES else pages // 2
    return {text for text, count in seen.items() if count >= enough}


def _is_furniture(line: Line, repeated: set[str]) -> bool:
    text = line.text.strip()
    if PAGE_NUMBER.match(text):
        return True
    if line.top is None:
        return False
    if _in_margin(line) and (LONE_NUMBER.match(text) or PAGE_NUMBER_WITHIN.search(text)):
        return True
    return _in_margin(line) and _mask(text) in repeated and not NUMBERED.match(text)
