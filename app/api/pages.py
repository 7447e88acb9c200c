"""Keyset pages: newest first, and a cursor that means the last row of the page before, whatever came since."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, TypeVar
from uuid import UUID

from fastapi import Depends, Query

from app.api.refusals import InvalidCursor
from app.api.wire import encode
from app.kit import json

LARGEST_PAGE = 100

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Rows of a page")]


Row = TypeVar("Row")


class Cursor(NamedTuple):
    """Where a page ended."""

    created_at: datetime
    id: UUID

    def encode(self) -> str:
        raw = encode([self.created_at.isoformat(), str(self.id)])
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> Cursor:
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            moment, row_id = json.loads(raw)
            return cls(datetime.fromisoformat(moment).astimezone(UTC), UUID(row_id))
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise InvalidCursor("The cursor cannot be read.") from None


async def get_cursor(
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
) -> Cursor | None:
    return Cursor.decode(cursor) if cursor is not None else None


PageCursor = Annotated[Cursor | None, Depends(get_cursor)]


def cut(rows: Sequence[Row], limit: int, place: Callable[[Row], Cursor]) -> tuple[Sequence[Row], Cursor | None]:
    """The page's own rows, and where the next one begins: a row more than the limit was read to tell."""
    shown = rows[:limit]
    return shown, place(shown[-1]) if len(rows) > limit else None


def page(data: Sequence[Any], following: Cursor | None) -> dict[str, Any]:
    return {
        "data": data,
        "has_more": following is not None,
        "next_cursor": following.encode() if following is not None else None,
    }
