"""Markdown keeps its words and loses its marks; its tables become rows."""

from __future__ import annotations

import re

from app.documents.extract.encoding import decode
from app.documents.extract.lines import FIGURE, GAP, Extracted, Line, row_line
from app.documents.extract.source import Source

HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
RULE = re.compile(r"^\s{0,3}(?:[-*_=]\s*){3,}$")
BULLET = re.compile(r"^(\s*)[-*+]\s+(?:\[(?:[ ]?|(?P<ticked>[xX]))\]\s+)?")
QUOTE = re.compile(r"^\s{0,3}(?:>\s?)+")
FENCE = re.compile(r"^\s{0,3}(?:```|~~~)")
IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)|!\[([^\]]*)\]\[[^\]]*\]|<img\b[^>]*>", re.IGNORECASE)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?:[^()\s]+)(?:\s+\"[^\"]*\")?\)")
STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])")
ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>|~])")
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
TAG = re.compile(r"</?(?:p|div|span|b|i|u|sub|sup|strong|em|center|font|details|summary)\b[^>]*>", re.IGNORECASE)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{1,}:?\s*(?:\|\s*:?-{1,}:?\s*)*\|?\s*$")


def extract(source: Source) -> Extracted:
    lines: list[Line] = []
    for raw in COMMENT.sub("", decode(source.content)).split("\n"):
        for part in BREAK.split(raw):
            lines += _markdown_line(part, source.name)
    return Extracted(lines)


def _markdown_line(raw: str, name: str) -> list[Line]:
    if FENCE.match(raw) or (RULE.match(raw) and raw.strip()) or ("|" in raw and TABLE_RULE.match(raw)):
        return []
    text = QUOTE.sub("", raw)
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
    line = Line(_words(text.replace("\t", GAP)).rstrip(), name, heading=heading is not None)
    return [*([line] if line.text or not figures else []), *figures]


def _words(text: str) -> str:
    text = LINK.sub(r"\1", TAG.sub("", text))
    for _ in range(2):  # bold within italics within bold
        text = STRONG.sub(r"\2", text)
    return ESCAPE.sub(r"\1", EMPHASIS.sub(r"\1", text))
