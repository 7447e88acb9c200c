"""The arithmetic of mastery, against figures that were computed by hand; they stand in the workload's README too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.workloads.profile.evidence import Result
from app.workloads.profile.mastery import Mastery, Piece, mastery_of, share_of

TODAY = datetime(2026, 4, 20, 8, tzinfo=UTC)


def piece(earned: float, of: float, *, days: float = 0, source: str = "") -> Piece:
    """A result of so many days ago; each day has its own exam unless the test says otherwise."""
    return Piece(TODAY - timedelta(days=days), ("exam", source or f"exam-{days}"), earned, of)


def known(*pieces: Piece) -> Mastery:
    found = mastery_of(pieces)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("pieces", "share"),
    [
        ([piece(2, 5), piece(3, 5)], 0.5),  # 5 of 10
        ([piece(1, 2), piece(9, 10)], 0.8333),  # 10 of 12: a question counts by its points
        ([piece(4, 10, days=60), piece(8, 10)], 0.6667),  # (4/2 + 8) of (10/2 + 10) = 10 of 15
        ([piece(8, 10, days=60), piece(4, 10)], 0.5333),  # the same the other way round: 8 of 15
        ([piece(0, 8, days=120), piece(6, 8)], 0.6),  # 6 of (8/4 + 8)
        ([piece(0, 10, days=600), piece(10, 10)], 0.999),  # 10 of (10/1024 + 10)
        ([piece(0, 3)], 0.0),
    ],
)
def test_the_share_of_points_weighed_by_age(pieces: list[Piece], share: float) -> None:
    assert share_of(pieces) == share


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 100_000), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 900)), min_size=1, max_size=20))
def test_a_share_is_the_same_whenever_it_is_asked_for(later: int, results: list[tuple[int, int]]) -> None:
    now = [piece(earned, 20, days=days) for earned, days in results]
    then = [each._replace(at=each.at + timedelta(hours=later)) for each in now]
    assert share_of(now) == pytest.approx(share_of(then), abs=1e-4)
    assert 0 <= share_of(now) <= 1


@pytest.mark.parametrize(
    ("pieces", "standing"),
    [
        ([piece(59, 100)], "weak"),
        ([piece(60, 100)], "medium"),
        ([piece(84, 100)], "medium"),
        ([piece(85, 100)], "strong"),
        ([piece(0, 3.5)], "unclear"),  # one question, and not of weight
        ([piece(0, 4)], "weak"),  # of weight
        ([piece(0, 1), piece(0, 1)], "weak"),  # or two
        ([piece(3, 3)], "unclear"),
    ],
)
def test_how_somebody_stands(pieces: list[Piece], standing: str) -> None:
    assert known(*pieces).standing == standing


@pytest.mark.parametrize(
    ("pieces", "trend"),
    [
        ([piece(1, 5)], None),
        ([piece(1, 5, source="one"), piece(5, 5, source="one")], None),  # one exam is no direction
        ([piece(2, 5, days=30), piece(4, 5)], "up"),  # 0.8 after 0.4
        ([piece(4, 5, days=30), piece(2, 5)], "down"),
        ([piece(6, 10, days=30), piece(69, 100)], "steady"),  # 0.69 after 0.6
        ([piece(6, 10, days=30), piece(7, 10)], "up"),  # 0.1 is notable
        ([piece(0, 10, days=60), piece(9, 10, days=30), piece(9, 10, days=0)], "up"),  # 0.9 after 0.53
        ([piece(5, 10, source="a"), piece(9, 10, source="b")], "up"),  # of two of one day the later by name
    ],
)
def test_where_it_goes(pieces: list[Piece], trend: str | None) -> None:
    assert known(*pieces).trend == trend


def test_the_amount_of_evidence_is_told() -> None:
    mastery = known(piece(1, 2, days=3), piece(2, 5))
    assert (mastery.results, mastery.points, mastery.last_at) == (2, 7, TODAY)
    assert mastery_of([]) is None


@pytest.mark.parametrize(
    ("score", "of", "earned"),
    [
        (3, 5, 3),
        (6, 5, 5),  # a bonus
        (-2, 5, 0),  # a penalty
        (None, 5, None),  # absent
        (0, 0, None),  # a question without points
    ],
)
def test_what_a_result_tells(score: float | None, of: float, earned: float | None) -> None:
    assert Result("Q1", (), score, of).earned == earned
