"""How many jobs a worker takes at a time, by how long they run."""

from __future__ import annotations

from app.engine.pace import LONG, Pace


def after(*runs: float) -> Pace:
    pace = Pace()
    for seconds in runs:
        pace.ran(seconds)
    return pace


def test_short_jobs_are_taken_all_at_once() -> None:
    assert after().part(100) == 100
    assert after(*[0.0001] * 1000).part(100) == 100


def test_longer_ones_are_taken_in_parts_that_are_worth_a_call() -> None:
    longer = after(*[2 * LONG] * 100)
    assert [longer.part(slots) for slots in (400, 100, 20, 4)] == [50, 12, 8, 8]


def test_one_long_job_among_short_ones_changes_nothing_and_a_change_of_work_does() -> None:
    assert after(*[0.0001] * 100, 5 * LONG).part(100) == 100
    assert after(*[0.0001] * 100, *[2 * LONG] * 20).part(100) == 12
    assert after(*[1.0] * 100, *[0.0001] * 100).part(100) == 100
