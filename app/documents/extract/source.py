"""What every extractor is given: a file that has been sniffed, its limits, and a desk to ask the parent from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.documents.limits import Limits

Box = tuple[int, int, int, int]


class Desk(Protocol):
    """What a parser may ask of the process that started it."""

    def progress(self, step: str, done: int, of: int) -> None: ...

    def recognise(
        self, width: int, height: int, pixels: bytes, cells: Sequence[Box] | None = None
    ) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Source:
    name: str
    content: bytes
    limits: Limits
    ocr_mode: str
    desk: Desk

    def pages_done(self, done: int, of: int) -> None:
        self.desk.progress("pages", done, of)
