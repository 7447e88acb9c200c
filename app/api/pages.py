"""Keyset pages: newest first, and a cursor that means the last row of the page before, whatever came since."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, NamedTuple, TypeVar
from uuid import UUID

from fastapi import Depends, Query

from app.api.refusals import InvalidCursor
from app.api.wire import encode
from app.kit import json

LARGEST_PAGE = 100

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Rows of a page")]


Row = TypeVar("Row")
Mark = TypeVar("Mark", "Cursor", "DayCursor", "IdCursor", "NameCursor", "NumberCursor", "LaneCursor")

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Cursor(NamedTuple):
    """Where a page ended."""

    created_at: datetime
    id: UUID

    def encode(self) -> str:
        return _pack([self.created_at.isoformat(), str(self.id)])

    @classmethod
    def decode(cls, text: str) -> Cursor:
        try:
            moment, row_id = _unpack(text)
            return cls(datetime.fromisoformat(moment).astimezone(UTC), UUID(row_id))
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise InvalidCursor("The cursor cannot be read.") from None


class DayCursor(NamedTuple):
    """Where a page ended whose rows stand in the order of days."""

    day: date
    id: str

    def encode(self) -> str:
        return _pack([self.day.isoformat(), self.id])

    @classmethod
    def decode(cls, text: str) -> DayCursor:
        match _parts(text):
            case [str(day), str(row_id)] if "\0" not in row_id:
                try:
                    return cls(date.fromisoformat(day), row_id)
                except ValueError:
                    pass
        raise InvalidCursor("The cursor cannot be read.")


class IdCursor(NamedTuple):
    """Where a page ended whose rows stand in the order of an id."""

    id: str

    def encode(self) -> str:
        return _pack([self.id])

    @classmethod
    def decode(cls, text: str) -> IdCursor:
        match _parts(text):
            case [str(row_id)] if _ID.fullmatch(row_id):
                return cls(row_id)
        raise InvalidCursor("The cursor cannot be read.")


class NameCursor(NamedTuple):
    """Where a page ended whose rows stand in the order of names, which may be any text."""

    name: str

    def encode(self) -> str:
        return _pack([self.name])

    @classmethod
    def decode(cls, text: str) -> NameCursor:
        match _parts(text):
            case [str(name)] if "\0" not in name:
                return cls(name)
        raise InvalidCursor("The cursor cannot be read.")


class NumberCursor(NamedTuple):
    """Where a page ended whose rows are numbered."""

    number: int

    def encode(self) -> str:
        return _pack([self.number])

    @classmethod
    def decode(cls, text: str) -> NumberCursor:
        match _parts(text):
            case [int(number)] if 0 < number < 2**63 and number is not True:
                return cls(number)
        raise InvalidCursor("The cursor cannot be read.")


class LaneCursor(NamedTuple):
    """Where a page of lanes ended."""

    queue: str
    tenant_id: str
    lane_id: str

    def encode(self) -> str:
        return _pack([*self])

    @classmethod
    def decode(cls, text: str) -> LaneCursor:
        match _parts(text):
            case [str(queue), str(tenant_id), str(lane_id)] if "\0" not in queue + tenant_id + lane_id:
                return cls(queue, tenant_id, lane_id)
        raise InvalidCursor("The cursor cannot be read.")


Given = Annotated[str | None, Query(alias="cursor", description="`next_cursor` of the page before")]


async def get_cursor(cursor: Given = None) -> Cursor | None:
    return Cursor.decode(cursor) if cursor is not None else None


async def get_day_cursor(cursor: Given = None) -> DayCursor | None:
    return DayCursor.decode(cursor) if cursor is not None else None


async def get_id_cursor(cursor: Given = None) -> IdCursor | None:
    return IdCursor.decode(cursor) if cursor is not None else None


async def get_name_cursor(cursor: Given = None) -> NameCursor | None:
    return NameCursor.decode(cursor) if cursor is not None else None


async def get_number_cursor(cursor: Given = None) -> NumberCursor | None:
    return NumberCursor.decode(cursor) if cursor is not None else None


async def get_lane_cursor(cursor: Given = None) -> LaneCursor | None:
    return LaneCursor.decode(cursor) if cursor is not None else None


PageCursor = Annotated[Cursor | None, Depends(get_cursor)]
PageDayCursor = Annotated[DayCursor | None, Depends(get_day_cursor)]
PageIdCursor = Annotated[IdCursor | None, Depends(get_id_cursor)]
PageNameCursor = Annotated[NameCursor | None, Depends(get_name_cursor)]
PageNumberCursor = Annotated[NumberCursor | None, Depends(get_number_cursor)]
PageLaneCursor = Annotated[LaneCursor | None, Depends(get_lane_cursor)]


def cut(rows: Sequence[Row], limit: int, place: Callable[[Row], Mark]) -> tuple[Sequence[Row], Mark | None]:
    """The page's own rows, and where the next one begins: a row more than the limit was read to tell."""
    shown = rows[:limit]
    return shown, place(shown[-1]) if len(rows) > limit else None


def page(
    data: Sequence[Any], following: Cursor | DayCursor | IdCursor | NameCursor | NumberCursor | LaneCursor | None
) -> dict[str, Any]:
    return {
        "data": data,
        "has_more": following is not None,
        "next_cursor": following.encode() if following is not None else None,
    }


def _pack(parts: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(encode(parts)).rstrip(b"=").decode()


def _unpack(text: str) -> Any:
    return json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))


def _parts(text: str) -> Any:
    try:
        return _unpack(text)
    except ValueError:
        raise InvalidCursor("The cursor cannot be read.") from None
