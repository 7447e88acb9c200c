"""How many jobs a worker takes at a time, by how long they run."""

from __future__ import annotations

from app.engine.pace import IN_LINE, LONG, Pace


def after(*runs: float) -> Pace:
    pace = Pace()
    for seconds in runs:
        pace.ran(seconds)
    return pace


def test_short_jobs_are_taken_all_at_once() -> None:
    assert after().part(100).jobs == 100
    assert after(*[0.0001] * 1000).part(100).jobs == 100


def test_longer_ones_are_taken_in_parts_that_are_worth_a_call() -> None:
    longer = after(*[2 * LONG] * 100)
    assert [longer.part(slots).jobs for slots in (400, 100, 20, 4)] == [50, 12, 8, 4]


def test_one_long_job_among_short_ones_changes_nothing_and_a_change_of_work_does() -> None:
    assert after(*[0.0001] * 100, 5 * LONG).part(100).jobs == 100
    assert after(*[0.0001] * 100, *[2 * LONG] * 20).part(100).jobs == 12
    assert after(*[1.0] * 100, *[0.0001] * 100).part(100).jobs == 100


def test_where_a_part_of_the_runs_stands_in_line_a_slot_waits_for_the_rest_of_its_part() -> None:
    longer = after(*[2 * LONG] * 100)
    assert [longer.part(100, in_line=waiting).patience for waiting in (0, 11, 12, 90)] == [0.0, 0.0, IN_LINE, IN_LINE]
    assert longer.part(100, in_line=90).jobs == longer.part(100).jobs
    assert after().part(100, in_line=90).patience == 0.0  # short runs: the line is over in a moment
