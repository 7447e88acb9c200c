"""JSON on every wire: HTTP, Postgres, Redis and ARQ's own payloads. Pickle is refused by not being here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson


def dumps(value: Any) -> bytes:
    return orjson.dumps(value, default=_default, option=orjson.OPT_NON_STR_KEYS)


def text(value: Any) -> str:
    return dumps(value).decode()


def canonical(value: Any) -> bytes:
    """The same bytes for equal values, whatever the order of their keys."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)


def loads(raw: bytes | str | memoryview) -> Any:
    return orjson.loads(raw)


def _default(value: Any) -> Any:
    if isinstance(value, BaseException):  # ARQ stores a failed job's exception as its result
        return {"error": type(value).__name__, "detail": str(value)[:200]}
    if isinstance(value, UUID):  # a subclass, as the driver makes them: orjson knows only the plain one
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
