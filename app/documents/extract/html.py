"""HTML, read as text: no script runs, nothing is fetched, and numbered lists get their numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser

from app.documents.extract import numerals
from app.documents.extract.encoding import decode
from app.documents.extract.heights import lowered, raised
from app.documents.extract.lines import FIGURE, GAP, Extracted, Line, row_line
from app.documents.extract.source import Source

SILENT = {
    "script",
    "style",
    "head",
    "template",
    "noscript",
    "button",
    "nav",
    "footer",
    "svg",
    "object",
    "iframe",
    "select",
    "textarea",
}
BLOCKS = {
    "p", "div", "li", "ol", "ul", "section", "article", "header", "footer", "main", "table", "tr", "form", "fieldset",
    "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "dl", "dt", "dd", "figure", "figcaption", "hr", "body",
    "details", "summary", "legend",
}  # fmt: skip
MARKERS: dict[str, Callable[[int], str]] = {
    "1": str,
    "a": numerals.to_letter,
    "A": lambda number: numerals.to_letter(number).upper(),
    "i": numerals.to_roman,
    "I": lambda number: numerals.to_roman(number).upper(),
}
STYLES = {
    "upper-alpha": "A", "upper-latin": "A", "lower-alpha": "a", "lower-latin": "a", "lower-roman": "i",
    "upper-roman": "I", "decimal": "1",
}  # fmt: skip
COUNTED = re.compile(
    r"\.([\w-]+)\s*>\s*li::?before\s*\{[^}]*?content:\s*\"([^\"]*)\"\s*counter\([\w-]+,\s*([\w-]+)\)\s*\"([^\"]*)\""
)
CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?\s*([\w-]+)", re.IGNORECASE)
MAX_DEPTH = 200
SPACES = re.compile(r"[ \t\n\r\f]+")


def extract(source: Source) -> Extracted:
    reader = _Reader(source.name)
    reader.feed(_decode(source.content))
    reader.close()
    reader.end_line()
    return Extracted(reader.lines)


def _decode(content: bytes) -> str:
    declared = CHARSET.search(content[:2048])
    if declared and declared.group(1).lower() in {b"gbk", b"gb2312", b"gb18030"}:
        return content.decode("gb18030", "replace")
    return decode(content)


@dataclass(slots=True)
class _List:
    marker: str | None  # None: bullets
    number: int  # of its next item
    around: tuple[str, str] | None = None  # what its style sheet writes before and behind the number


class _Reader(HTMLParser):
    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[Line] = []
        self._name = name
        self._text = ""
        self._silent = 0
        self._preformatted = 0
        self._heading = False
        self._bullet = False
        self._lists: list[_List] = []
        self._cells: list[str] | None = None
        self._in_cell = False
        self._styled: dict[str, tuple[str, str, str]] = {}  # how a class of lists counts, by the style sheet
        self._small: list[int] = []  # where raised or lowered text begins

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        self._silent += tag in SILENT
        self._bullet |= tag == "input" and attributes.get("type") in {"radio", "checkbox"}
        if tag in BLOCKS and self._cells is None:
            self.end_line()
        self._open(tag, attributes)

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        match tag:
            case "ol" | "ul" if len(self._lists) < MAX_DEPTH:
                self._open_list(tag, attributes)
            case "li":
                self._mark_item(attributes)
            case "br":
                self._break()
            case "img":
                self._figure()
            case "tr":
                self._end_row()
                self._cells = []
            case "td" | "th" if self._cells is not None:
                self._end_cell()
                self._in_cell = True
            case "sup" | "sub":
                self._small.append(len(self._text))
            case "pre":
                self._preformatted += 1
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                self._heading = True

    def _break(self) -> None:
        if self._cells is None:
            self.end_line()
        else:
            self._text += " "

    def handle_endtag(self, tag: str) -> None:
        if tag == "summary" and self._text.strip():
            self._text = self._text.rstrip(" :：") + ": "  # Answer: what is folded away below it
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in {"td", "th"}:
            self._end_cell()
        elif tag in {"tr", "table"}:
            self._end_row()
        elif tag in BLOCKS and self._cells is None:
            self.end_line()
        elif tag in {"sup", "sub"} and self._small:
            at = self._small.pop()
            self._text = self._text[:at] + (raised if tag == "sup" else lowered)(self._text[at:])
        if tag == "li":
            self._bullet = False
        elif tag in {"ol", "ul"} and self._lists:
            self._lists.pop()
        elif tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)

    def handle_data(self, data: str) -> None:
        if self._silent:
            self._styled |= {name: (style, before, after) for name, before, style, after in COUNTED.findall(data)}
            return
        if not self._preformatted:
            self._text += SPACES.sub(" ", data) if self._text.strip() or data.strip() else ""
            return
        first, *others = data.split("\n")
        self._text += first
        for other in others:
            self.end_line()
            self._text = other

    def end_line(self) -> None:
        text = self._text.strip().replace("\u00a0\u00a0", GAP).replace("\u00a0", " ")
        if text:
            self.lines.append(Line(text, self._name, heading=self._heading, bullet=self._bullet))
            self._bullet = False
        self._text, self._heading = "", False

    def _end_cell(self) -> None:
        """Also where its end was not written, as HTML allows."""
        if self._in_cell and self._cells is not None:
            self._cells.append(SPACES.sub(" ", self._text).strip())
        self._text, self._in_cell = "", False

    def _end_row(self) -> None:
        if self._cells is None:
            return
        self._end_cell()
        if any(self._cells):
            self.lines.append(row_line(self._cells, self._name))
        self._cells = None

    def _figure(self) -> None:
        if self._cells is None:
            self.end_line()
        self.lines.append(Line(FIGURE, self._name, figure=True))

    def _open_list(self, tag: str, attributes: dict[str, str]) -> None:
        style = re.search(r"list-style(?:-type)?:\s*([\w-]+)", attributes.get("style", ""))
        marker = STYLES.get(style.group(1), "1") if style else attributes.get("type", "1")
        start = attributes.get("start", "1")
        counted = next(
            (self._styled[name] for name in attributes.get("class", "").split() if name in self._styled), None
        )
        if counted and tag == "ol":
            marker, before, after = STYLES.get(counted[0], "1"), *counted[1:]
            self._lists.append(_List(marker, int(start) if start.isdecimal() else 1, (before, after)))
            return
        numbered = tag == "ol" and not (style and style.group(1) == "none")
        known = marker if numbered and marker in MARKERS else None
        self._lists.append(_List(known, int(start) if start.isdecimal() else 1))

    def _mark_item(self, attributes: dict[str, str]) -> None:
        inner = self._lists[-1] if self._lists else _List(None, 1)
        if inner.marker is None:
            self._bullet = True
            return
        value = attributes.get("value", "")
        number = int(value) if value.isdecimal() else inner.number
        nested = sum(level.marker is not None for level in self._lists) > 1
        mark = MARKERS[inner.marker](number)
        if inner.around:
            self._text = f"{inner.around[0]}{mark}{inner.around[1].rstrip()} "
        else:
            self._text = f"({mark}) " if nested and inner.marker in "1ai" else f"{mark}. "
        inner.number = number + 1
