"""JSON on every wire: one form for equal values, and nothing that is not JSON gets through in silence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit import json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_a_value_comes_back_as_it_went(value: Any) -> None:
    assert json.loads(json.dumps(value)) == value
    assert json.loads(json.text(value)) == value


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_the_order_of_keys_does_not_change_the_canonical_form(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert json.canonical(turned) == json.canonical(value)


def test_ids_and_moments_have_a_form() -> None:
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert json.text([UUID(int=1), moment]) == '["00000000-0000-0000-0000-000000000001","2026-11-20T12:00:00+00:00"]'


def test_an_error_becomes_its_name_and_the_beginning_of_its_words() -> None:
    assert json.loads(json.dumps(ValueError("odd" * 200))) == {"error": "ValueError", "detail": ("odd" * 200)[:200]}


@pytest.mark.parametrize(
    "value", [object(), 1 << 64, "\ud800", {1, object()}], ids=["an object", "too large", "half a letter", "a set"]
)
def test_what_has_no_json_form_is_an_error(value: Any) -> None:
    with pytest.raises(TypeError):
        json.dumps(value)


@pytest.mark.parametrize("raw", [b"", b"{", b"\x80\x04K\x01.", b"NaN", b'"\xff"'], ids=repr)
def test_what_is_not_json_is_not_read(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        json.loads(raw)
