"""Prefer, If-None-Match and Idempotency-Key, as clients really write them."""

from __future__ import annotations

import pytest

from app.api.preferences import client_key, etag_of, none_match, preferred_wait, wait_headers
from app.api.refusals import InvalidIdempotencyKey


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        (["wait=5"], 5),
        (["WAIT = 5"], 5),
        (['wait="7"'], 7),
        (["wait=0"], 0),
        (["wait=60"], 60),
        (["wait=61"], 60),
        (["wait=999999999"], 60),
        (["respond-async, wait=10"], 10),
        (["respond-async", "wait=10"], 10),
        (["wait=10; foo=bar"], 10),
        (["wait=3, wait=9"], 3),
        (["wait"], None),
        (["wait="], None),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait=soon"], None),
        (["wait=٣"], None),
        (["wait=99999999999999999999"], None),
        (["await=5"], None),
        ([""], None),
    ],
)
def test_the_wait_preference(headers: list[str], seconds: int | None) -> None:
    assert preferred_wait(headers) == seconds


def test_a_preference_that_was_heard_is_echoed() -> None:
    assert wait_headers(None) == {}
    assert wait_headers(0) == {"Preference-Applied": "wait=0"}


@pytest.mark.parametrize(
    ("header", "passes"),
    [
        (None, True),
        ('"a"', False),
        ('W/"a"', False),
        ('"b", "a"', False),
        ("*", False),
        (" * ", False),
        ('"b"', True),
        ("a", True),
        ("", True),
    ],
)
def test_if_none_match_compares_weakly(header: str | None, passes: bool) -> None:
    assert none_match(header, '"a"') is passes


def test_equal_bytes_have_equal_strong_tags() -> None:
    assert etag_of(b"one") == etag_of(b"one") != etag_of(b"two")
    assert etag_of(b"one").startswith('"')


def test_a_key_is_kept_apart_from_keys_that_clients_do_not_make() -> None:
    assert client_key(None) is None
    assert client_key("k-1") == "client:k-1"
    assert client_key("~" * 255) is not None


@pytest.mark.parametrize("key", ["", "~" * 256, "tab\there", "nul\x00", "käse", "line\n", "\x7f"])
def test_a_key_that_cannot_be_kept_is_refused(key: str) -> None:
    with pytest.raises(InvalidIdempotencyKey):
        client_key(key)
