"""Cursors are opaque, survive the round trip, and refuse tampering with 400, never with an accident."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from app.api.pages import Cursor, LaneCursor, cut, page
from app.api.refusals import InvalidCursor
from app.kit.ids import uuid7

NOW = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def test_a_cursor_survives_the_round_trip_to_the_microsecond() -> None:
    cursor = Cursor(NOW, uuid7())
    assert Cursor.decode(cursor.encode()) == cursor


def test_a_cursor_from_another_zone_means_the_same_moment() -> None:
    row_id = uuid7()
    elsewhere = Cursor(NOW.astimezone(timezone(timedelta(hours=8))), row_id)
    assert Cursor.decode(elsewhere.encode()) == Cursor(NOW, row_id)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "not base64 !",
        "käse",
        packed("null"),
        packed("17"),
        packed("{}"),
        packed("[]"),
        packed('["2026-01-01T00:00:00Z"]'),
        packed('["2026-01-01T00:00:00Z", "no id"]'),
        packed('["2026-01-01T00:00:00Z", 5]'),
        packed('[5, "0190d5c8-7a3e-7cc1-8f7e-2f1d6f0a9b3c"]'),
        packed('["yesterday", "0190d5c8-7a3e-7cc1-8f7e-2f1d6f0a9b3c"]'),
        packed('["9999-12-31T23:59:59-23:59", "0190d5c8-7a3e-7cc1-8f7e-2f1d6f0a9b3c"]'),
        packed('["2026-01-01T00:00:00Z", "0190d5c8-7a3e-7cc1-8f7e-2f1d6f0a9b3c", 1]'),
        Cursor(NOW, UUID("0190d5c8-7a3e-7cc1-8f7e-2f1d6f0a9b3c")).encode()[:-3],
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        Cursor.decode(text)


@pytest.mark.parametrize(
    "text", ["x", packed('["chat", "demo"]'), packed('["chat", "demo", 5]'), packed(r'["", "", "\u0000"]')]
)
def test_what_is_no_lane_s_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        LaneCursor.decode(text)


def test_a_lane_s_cursor_survives_the_round_trip() -> None:
    cursor = LaneCursor("chat", "north-school", "student:käse:main")
    assert LaneCursor.decode(cursor.encode()) == cursor


def test_one_row_more_than_the_limit_is_another_page() -> None:
    rows = [Cursor(NOW - timedelta(seconds=n), uuid7()) for n in range(3)]
    shown, following = cut(rows, 2, lambda row: row)
    assert shown == rows[:2]
    assert following == rows[1]
    assert cut(rows, 3, lambda row: row) == (rows, None)
    assert cut([], 3, lambda row: row) == ([], None)


def test_the_last_page_says_so() -> None:
    assert page(["a"], None) == {"data": ["a"], "has_more": False, "next_cursor": None}
    cursor = Cursor(NOW, uuid7())
    assert page(["a"], cursor) == {"data": ["a"], "has_more": True, "next_cursor": cursor.encode()}
