"""A multipart form, part after part, as its bytes arrive."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.workloads.uploads.refusals import InvalidMultipart, MultipartExpected

LONGEST_BOUNDARY = 70  # RFC 2046

_Event: TypeAlias = tuple[Literal["begin", "data", "end"], bytes]


@dataclass(frozen=True, slots=True)
class Part:
    """One field of the form. Its content must be read, or skipped, before the next part is asked for."""

    name: str
    filename: str | None  # None: text
    content: AsyncIterator[bytes]


class FormReader:
    """Feeds a parser that calls back, and hands out what it said in the order in which it is asked for."""

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= LONGEST_BOUNDARY:
            raise MultipartExpected("The body is not declared to be multipart/form-data with a boundary.")
        self._body = body
        self._events: deque[_Event] = deque()
        self._headers: list[tuple[bytes, bytes]] = []
        self._field = self._value = b""
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": lambda: self._events.append(("begin", self._disposition())),
                "on_part_data": lambda data, start, end: self._events.append(("data", data[start:end])),
                "on_part_end": lambda: self._events.append(("end", b"")),
                "on_end": self._on_end,
            },
        )

    async def parts(self) -> AsyncIterator[Part]:
        """Every part. Raises InvalidMultipart where the form breaks off or is none."""
        while (event := await self._next()) is not None:
            if event[0] != "begin":
                continue  # of a part that nobody read to its end
            name, options = parse_options_header(event[1])
            if name != b"form-data" or b"name" not in options:
                raise InvalidMultipart("A part of the form has no name.")
            filename = options.get(b"filename")
            yield Part(_text(options[b"name"]), _text(filename) if filename is not None else None, self._content())

    async def _content(self) -> AsyncIterator[bytes]:
        while (event := await self._next()) is not None and event[0] == "data":
            yield event[1]

    async def _next(self) -> _Event | None:
        """What the parser said next; None at the end of the form."""
        while not self._events:
            if self._complete:  # whatever follows is nobody's
                return None
            chunk = await anext(self._body, None)
            if chunk is None:
                raise InvalidMultipart("The form ends before its last boundary.")
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise InvalidMultipart("The form is not what its boundary promises.") from error
        return self._events.popleft()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers.append((self._field.lower(), self._value))
        self._field = self._value = b""

    def _on_end(self) -> None:
        self._complete = True

    def _disposition(self) -> bytes:
        return next((value for name, value in self._headers if name == b"content-disposition"), b"")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
