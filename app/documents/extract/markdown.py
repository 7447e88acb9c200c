"""Markdown keeps its words and loses its marks; its tables become rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.documents.extract.encoding import decode
from app.documents.extract.lines import FIGURE, GAP, Extracted, Line, row_line
from app.documents.extract.numerals import to_letter
from app.documents.extract.source import Source

HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
RULE = re.compile(r"^\s{0,3}(?:[-*_=]\s*){3,}$")
BULLET = re.compile(r"^(\s*)[-*+]\s+(?:\[(?:[ ]?|(?P<ticked>[xX]))\]\s+)?")
QUOTE = re.compile(r"^\s{0,3}(?:>\s?)+")
FENCE = re.compile(r"^\s{0,3}(?:```|~~~)")
IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)|!\[([^\]]*)\]\[[^\]]*\]|<img\b[^>]*>", re.IGNORECASE)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?:[^()\s]+)(?:\s+\"[^\"]*\")?\)")
STRONG = re.compile(r"(\*\*|(?<!_)__(?!_))(?=\S)(.+?)(?<=\S)\1(?!_)")  # ____ is a blank
EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])")
ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>|~])")
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
TAG = re.compile(r"</?(?:p|div|span|b|i|u|sub|sup|strong|em|center|font|details|summary)\b[^>]*>", re.IGNORECASE)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{1,}:?\s*(?:\|\s*:?-{1,}:?\s*)*\|?\s*$")


SUMMARY = re.compile(r"<summary>\s*(.*?)[:：]?\s*</summary>", re.IGNORECASE)
BOX = re.compile(r"^(?P<lead>\s*[-*+]\s+\[[ xX]?\]\s+)(?!\**[（(]?[A-Ha-h]\s?[.)、．）:：])(?=\S)")
STARRED = re.compile(r"^(\s*)\*(?=[A-Ha-h][.)]\s)(.*)$")
FEWEST_INDENT = 2
MOST_OPTIONS = 8
ORDERED = re.compile(r"^(?P<indent>[ ]{0,12})(?P<number>\d{1,3})(?P<stop>[.)])(?=[ \t]+\S)")


def extract(source: Source) -> Extracted:
    lines: list[Line] = []
    for raw in _counted(_lettered(COMMENT.sub("", decode(source.content)).split("\n"))):
        for part in BREAK.split(raw):
            lines += _markdown_line(part, source.name)
    return Extracted(lines)


def _lettered(lines: list[str]) -> Iterator[str]:
    """Boxes to tick are options, also where they have no letters; a star before a letter marks the right one."""
    boxes = 0
    for line in lines:
        box = BOX.match(line)
        boxes = boxes + 1 if box else boxes if not line.strip() else 0
        if box and boxes <= MOST_OPTIONS:
            yield f"{box['lead']}{to_letter(boxes).upper()}. {line[box.end() :]}"
        else:
            yield STARRED.sub(r"\1\2 ✓", line)


def _counted(lines: Iterable[str]) -> Iterator[str]:
    """Items that are all written “1.” get the numbers that they are shown with: Markdown counts for itself."""
    counts: dict[int, tuple[str, int]] = {}  # by indent: the number as written, the number as shown
    after_gap = False
    for line in lines:
        item = ORDERED.match(line)
        indent = len(line) - len(line.lstrip(" "))
        if item:
            written, shown = counts.get(indent, ("", 0))
            again = written == item["number"]
            counts = {at: count for at, count in counts.items() if at < indent}
            counts[indent] = (item["number"], shown + 1 if again else int(item["number"]))
            if again:
                line = f"{item['indent']}{shown + 1}{item['stop']}{line[item.end() :]}"  # noqa: PLW2901 - the item, numbered
        elif line.strip() and (HEADING.match(line) or (after_gap and indent < FEWEST_INDENT)):
            counts.clear()  # what stands at the margin after an empty line ends the list
        after_gap = not line.strip()
        yield line


def _markdown_line(raw: str, name: str) -> list[Line]:
    if FENCE.match(raw) or (RULE.match(raw) and raw.strip()) or ("|" in raw and TABLE_RULE.match(raw)):
        return []
    text = SUMMARY.sub(r"\1: ", QUOTE.sub("", raw.removesuffix("\\")))
    heading = HEADING.match(text)
    if heading:
        text = heading.group(1)
    figures = [Line(FIGURE, name, figure=True) for _ in IMAGE.finditer(text)]
    bullet = BULLET.match(text)
    ticked = " ✓" if bullet and bullet["ticked"] else ""  # the right option of a quiz
    text = BULLET.sub(r"\1", IMAGE.sub("", text)) + ticked
    if text.strip().startswith("|") and text.count("|") > 1:
        cells = [_words(cell) for cell in text.strip().strip("|").split("|")]
        return [row_line(cells, name), *figures]
    line = Line(_words(text.replace("\t", GAP)).rstrip(), name, heading=heading is not None, bullet=bullet is not None)
    return [*([line] if line.text or not figures else []), *figures]


def _words(text: str) -> str:
    text = LINK.sub(r"\1", TAG.sub("", text))
    for _ in range(2):  # bold within italics within bold
        text = STRONG.sub(r"\2", text)
    return ESCAPE.sub(r"\1", EMPHASIS.sub(r"\1", text))
