"""The trace that work belongs to, as W3C Trace Context writes it: taken from a request, kept with its jobs, handed on.

Homeroom makes no spans of its own, so it hands on what it was given, as the standard wants of whoever only passes by.
"""

from __future__ import annotations

import re
from contextvars import ContextVar, Token

HEADER = "traceparent"

_FORM = re.compile(r"(?!ff)[0-9a-f]{2}(-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(-.*)?", re.DOTALL)
_LENGTH = 55  # of version 00, which is all of it

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def read(header: str) -> str | None:
    """What a header says, None where it is not well formed. Of a later version only what this one knows is kept."""
    form = _FORM.fullmatch(header)
    if form is None or (header.startswith("00") and len(header) != _LENGTH):
        return None
    return f"00{form[1]}"


def current() -> str | None:
    """The trace of the request or the job that this task works for."""
    return _current.get()


def enter(traceparent: str | None) -> Token[str | None]:
    return _current.set(traceparent)


def leave(token: Token[str | None]) -> None:
    _current.reset(token)


def trace_id(traceparent: str) -> str:
    """What log lines and traces are joined by."""
    return traceparent[3:35]
