"""Word's formulas in one line: a fraction keeps its stroke and a power its height; no number becomes another."""

from __future__ import annotations

from typing import Any

from app.documents.extract.heights import bracketed, lowered, raised

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"


def linear(formula: Any) -> str:
    """The formula as one would type it."""
    parts = {"f": _fraction, "sSup": _power, "sSub": _index, "sSubSup": _both, "rad": _root, "d": _fenced}
    text = ""
    for child in formula:
        name = child.tag.removeprefix(M)
        if child.tag == f"{M}t":
            text += child.text or ""
        elif child.tag.startswith(M) and not name.endswith("Pr"):
            text += parts[name](child) if name in parts else linear(child)
        elif not child.tag.startswith(M) and child.tag.endswith("}t"):
            text += child.text or ""
    return text


def _of(element: Any, name: str) -> str:
    found = element.find(f"{M}{name}")
    return "" if found is None else linear(found)


def _fraction(element: Any) -> str:
    return f"{bracketed(_of(element, 'num'))}/{bracketed(_of(element, 'den'))}"


def _power(element: Any) -> str:
    return _of(element, "e") + raised(_of(element, "sup"))


def _index(element: Any) -> str:
    return _of(element, "e") + lowered(_of(element, "sub"))


def _both(element: Any) -> str:
    return _of(element, "e") + lowered(_of(element, "sub")) + raised(_of(element, "sup"))


def _root(element: Any) -> str:
    return f"{raised(_of(element, 'deg'))}√{bracketed(_of(element, 'e'))}"


def _fenced(element: Any) -> str:
    properties = element.find(f"{M}dPr")
    signs = {}
    for side, default in (("begChr", "("), ("endChr", ")"), ("sepChr", "|")):
        found = None if properties is None else properties.find(f"{M}{side}")
        signs[side] = default if found is None else found.get(f"{M}val", default)
    return signs["begChr"] + signs["sepChr"].join(linear(part) for part in element.findall(f"{M}e")) + signs["endChr"]
