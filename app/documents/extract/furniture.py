"""What stands on every page and belongs to none: running heads, page numbers, watermarks. It is taken away."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from app.documents.extract.lines import Line

MARGIN = 0.1
MANY_PAGES = 3
HEAD_LINES, SHORTEST_HEAD = 4, 8
DIGITS = re.compile(r"\d+")
PAGE_NUMBER = re.compile(
    r"""^\W*(?:
        第\s*[\d一二三四五六七八九十]+\s*[页頁](?:\W*[（(]?\s*共\s*\d+\s*[页頁]\s*[）)]?)?
      | (?:page|p\.|pg\.?)\s*\d+(?:\s*(?:of|/)\s*\d+)?
      | \d+\s*(?:/|of)\s*\d+(?!\W*[?？])
      | [-–—•·]\s*\d{1,3}\s*[-–—•·]
      | \[?(?:turn\s+over|please\s+turn\s+over|p\.?t\.?o\.?|go\s+on\s+to\s+the\s+next\s+page)\]?
      | (?:请|請)?翻(?:页|頁)
      | \[?total(?:\s+(?:marks?|points?|score|for\s+(?!question)[\w\s]{1,30}))?
        [\s:]{0,20}\d+\s{0,4}(?:marks?|points?|分)?\]?
      | (?:total|score|marks?)[\s:=_.]{0,40}/\s{0,4}\d{1,3}
      | (?:©|copyright\b).{0,60}
      | (?:in)?correct(?!\W*[?？])|not\s+(?:yet\s+)?answered|partially\s+correct|flag\s+question|question\s+text
      | select\s+one(?:\s+or\s+more)?\s*:?
      | (?:this\s+is\s+the\s+)?end\s+of\s+(?:the\s+)?(?:test|exam(?:ination)?|paper|quiz|questions?|section\s+\w+)
      | (?:this\s+page\s+(?:is\s+)?(?:intentionally\s+)?(?:left\s+)?)?blank(?:\s+page)?
    )\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
BOXES = re.compile(r"^(?:(?:得\s*分|评卷人|阅卷人|复核人|核分人|登分人)\s*)+$")
RULE = re.compile(r"^\s*(?:[-–—=*~]\s?){5,}$")
PAGE_NUMBER_WITHIN = re.compile(r"第\s*\d+\s*[页頁]\W*共\s*\d+\s*[页頁]|\bpage\s+\d+\s+of\s+\d+\b", re.IGNORECASE)
CAPTION = re.compile(
    r"^\W*(?:第\s*\d+\s*题\s*附?[图表]|图\s*\d{1,2}(?:[-–.]\d{1,2})?|fig(?:ure|\.)?\s*\d{1,2}(?:[.-]\d{1,2})?)\W*$",
    re.IGNORECASE,
)
TITLED_CAPTION = re.compile(r"^\W*(?:图\s*\d{1,2}|fig(?:ure|\.)?\s*\d{1,2})\s*[:：.．\s—-].{1,80}$", re.IGNORECASE)
WORD, SHORTEST_REPEATED = re.compile(r"[^\W\d_]"), 3  # 6 B on one page and 9 B on the next are answers
LONE_NUMBER = re.compile(r"^[\s\-–—·•|~/]*\d{1,3}[\s\-–—·•|~/]*$")
NUMBERED = re.compile(
    r"^\s*(?:[一二三四五六七八九十]{1,3}\s*[、.．]|第[一二三四五六七八九十]{1,3}(?:大题|部分)|(?:section|part)\s+\w{1,4}\b|(?:answers?|ans|solution|explanation)\b|[【\[]?(?:正确|参考)?(?:答案|解析)|\(?\d{1,3}\s*[.、．)]|[A-H]\s*[.、．)]|(?:Q(?:uestion)?|Problem)\s*\d|第\s*\d+\s*题|（\d)",
    re.IGNORECASE,
)


def without_furniture(lines: list[Line]) -> list[Line]:
    pages = {(line.file, line.page) for line in lines}
    repeated = _repeated(lines, len(pages)) if len(pages) > 1 else set()
    head = {text for line in lines[:HEAD_LINES] if len(text := line.text.strip()) >= SHORTEST_HEAD}
    captioned = [replace(line, figure=line.figure or _is_caption(lines, at)) for at, line in enumerate(lines)]
    return [
        line
        for at, line in enumerate(captioned)
        if line.figure or not (_is_furniture(line, repeated) or (at >= HEAD_LINES and _repeats(line, head)))
    ]


def _is_caption(lines: list[Line], at: int) -> bool:
    """What stands under a figure is part of it, not of the option above: 第2题图, or Figure 1: A plant cell."""
    beside = any(line.figure for line in lines[max(0, at - 1) : at + 2])
    return bool(CAPTION.match(lines[at].text) or (beside and TITLED_CAPTION.match(lines[at].text)))


def _repeats(line: Line, head: set[str]) -> bool:
    """The paper's title again, with the number of a page beside it: a running head in text that was copied."""
    parts = [part.strip() for part in re.split(r"\s{3,}|\s[|·•–—-]\s", line.text) if part.strip()]
    return (
        len(parts) > 1
        and any(part in head for part in parts)
        and all(part in head or LONE_NUMBER.match(part) for part in parts)
    )


def _mask(text: str) -> str:
    return DIGITS.sub("#", " ".join(text.split()))


def _in_margin(line: Line) -> bool:
    return line.top is not None and (line.top < MARGIN or line.top > 1 - MARGIN)


def _repeated(lines: list[Line], pages: int) -> set[str]:
    seen = Counter(
        text for text, _ in {(_mask(line.text), (line.file, line.page)) for line in lines if _in_margin(line)}
    )
    enough = 2 if pages <= MANY_PAGES else pages // 2
    return {text for text, count in seen.items() if count >= enough and len(WORD.findall(text)) >= SHORTEST_REPEATED}


def _is_furniture(line: Line, repeated: set[str]) -> bool:
    text = line.text.strip()
    if PAGE_NUMBER.match(text) or RULE.match(text) or BOXES.match(text):
        return True
    if line.top is None:
        return False
    if _in_margin(line) and (LONE_NUMBER.match(text) or PAGE_NUMBER_WITHIN.search(text)):
        return True
    return _in_margin(line) and _mask(text) in repeated and not NUMBERED.match(text)
