"""When schedules fall due: by the clock of UTC, and after a time without workers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.engine.schedules import At, Schedule


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(**when: Any) -> Schedule:
    return Schedule("base.test", task="a:b", **when)


@pytest.mark.parametrize(
    ("when", "before", "after"),
    [
        ({"every": 600.0}, "2026-03-01T10:00:00", "2026-03-01T10:10:00"),
        ({"every": 600.0}, "2026-03-01T10:09:59.999", "2026-03-01T10:10:00"),
        ({"every": 0.5}, "2026-03-01T10:00:00.2", "2026-03-01T10:00:00.5"),
        ({"at": At(hour=3, minute=30)}, "2026-02-28T03:30:00", "2026-03-01T03:30:00"),
        ({"at": At(hour=3, minute=30)}, "2026-02-28T03:29:59.9", "2026-02-28T03:30:00"),
        ({"at": At(weekday=0, hour=6, minute=0)}, "2026-03-01T10:00:00", "2026-03-02T06:00:00"),
        ({"at": At(month=2, day=29, hour=0, minute=0)}, "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ({"at": At()}, "2026-03-01T10:00:00", "2026-03-01T10:01:00"),
    ],
    ids=str,
)
def test_the_next_moment_is_the_first_one_after(when: dict[str, Any], before: str, after: str) -> None:
    assert schedule(**when).next_after(moment(before)) == moment(after)


@pytest.mark.parametrize(
    ("when", "due", "now", "latest"),
    [
        ({"every": 60.0}, "2026-03-01T10:00:00", "2026-03-01T10:00:30", "2026-03-01T10:00:00"),
        ({"every": 60.0}, "2026-03-01T10:00:00", "2026-03-04T12:34:56", "2026-03-04T12:34:00"),
        ({"at": At(hour=3, minute=0)}, "2026-03-01T03:00:00", "2026-03-01T03:00:00", "2026-03-01T03:00:00"),
        ({"at": At(hour=3, minute=0)}, "2026-03-01T03:00:00", "2026-03-09T02:00:00", "2026-03-08T03:00:00"),
        ({"at": At(day=1, hour=0, minute=0)}, "2025-03-01T00:00:00", "2026-03-31T23:00:00", "2026-03-01T00:00:00"),
        (
            {"at": At(month=2, day=29, hour=0, minute=0)},
            "2020-02-29T00:00:00",
            "2027-01-01T00:00:00",
            "2024-02-29T00:00:00",
        ),
    ],
    ids=str,
)
def test_of_missed_moments_the_latest_counts(when: dict[str, Any], due: str, now: str, latest: str) -> None:
    assert schedule(**when).latest(moment(due), moment(now)) == moment(latest)


def test_every_moment_follows_the_one_before_across_a_year() -> None:
    twice_a_day = schedule(every=43_200.0)
    now = moment("2026-01-01T00:00:00")
    for _ in range(730):
        following = twice_a_day.next_after(now)
        assert following - now == timedelta(hours=12)
        now = following


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": "a:b"},
        {"task": "a:b", "every": 1.0, "at": At()},
        {"every": 1.0},
        {"every": 1.0, "task": "a:b", "kind": "k"},
    ],
    ids=["no time", "two times", "nothing to do", "two things to do"],
)
def test_a_schedule_is_one_time_and_one_thing_to_do(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs one of"):
        Schedule("base.test", **wrong)


def test_the_timing_tells_two_apart() -> None:
    timings = [
        each.timing for each in (schedule(every=5), schedule(every=6), schedule(at=At(hour=5)), schedule(at=At()))
    ]
    assert len(set(timings)) == len(timings)
