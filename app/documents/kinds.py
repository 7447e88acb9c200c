"""Which documents are read, by the ending of their names. Needs no parser, so the edge may ask before it stores."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from app.documents.failures import DocumentFailure

Kind = Literal["pdf", "docx", "image", "markdown", "text", "tex", "html", "xlsx", "xls", "csv"]

KINDS: dict[str, Kind] = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".webp": "image",
    ".bmp": "image",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".tex": "tex",
    ".html": "html",
    ".htm": "html",
    ".xlsx": "xlsx",
    ".xls": "xls",
    ".csv": "csv",
    ".tsv": "csv",
}
PAPERS: frozenset[Kind] = frozenset({"pdf", "docx", "image", "markdown", "text", "tex", "html"})
SCORES: frozenset[Kind] = frozenset({"xlsx", "xls", "csv", "pdf", "image", "docx"})
TEXTS: frozenset[Kind] = frozenset({"markdown", "text", "tex", "html", "csv"})


def kind_of(name: str) -> Kind:
    """What a file's name promises."""
    if "\x00" in name:
        raise DocumentFailure("unsupported_type", "the name holds a NUL character", file=name.replace("\x00", "?"))
    kind = KINDS.get(PurePosixPath(name).suffix.lower())
    if kind is None:
        raise DocumentFailure("unsupported_type", "files of this type are not read", file=name)
    return kind
