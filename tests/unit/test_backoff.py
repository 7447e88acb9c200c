"""Backoff: between nothing and a ceiling that grows and stops growing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.backoff import Backoff


@given(first=st.floats(0, 1e6), cap=st.floats(0, 1e6), factor=st.floats(1, 100), failures=st.integers(-5, 10**9))
def test_a_delay_is_never_negative_nor_above_the_cap(first: float, cap: float, factor: float, failures: int) -> None:
    assert 0 <= Backoff(first=first, cap=cap, factor=factor).delay(failures) <= cap


@pytest.mark.parametrize(("failures", "ceiling"), [(0, 1), (1, 1), (2, 2), (3, 4), (5, 16), (50, 60)])
def test_the_ceiling_doubles_up_to_the_cap(failures: int, ceiling: float, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []
    monkeypatch.setattr("random.uniform", lambda low, high: asked.append((low, high)))
    Backoff(first=1.0, cap=60.0).delay(failures)
    assert asked == [(0, ceiling)]


def test_a_crowd_does_not_return_as_one() -> None:
    backoff = Backoff(first=1.0, cap=60.0)
    assert len({backoff.delay(3) for _ in range(100)}) > 90
