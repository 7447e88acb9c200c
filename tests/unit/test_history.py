"""The judge of the fault suite: it finds what is planted, and nothing in a history that is as it should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.history import Accepted, Attempt, Fact, Line, append, check, read_lines


class Case:
    """Two jobs of one lane, done one after the other."""

    def __init__(self) -> None:
        self.accepted = [Accepted("key-a", "a"), Accepted("key-b", "b")]
        self.lines = [
            *run("a", "token-a", 1.0, 2.0),
            *run("b", "token-b", 3.0, 4.0),
        ]
        self.facts = {"a": done("a", 1, "token-a", 2.1), "b": done("b", 2, "token-b", 4.1)}
        self.left = {"leases": 0, "permits": 0}

    def violations(self) -> list[str]:
        return check(self.accepted, self.lines, self.facts, self.left).violations


def run(job: str, token: str, start: float, end: float, attempt: int = 1) -> list[Line]:
    return [Line(what, job, attempt, token, "lane", 1, at, at) for what, at in (("start", start), ("end", end))]


def done(job: str, seq: int, token: str, at: float) -> Fact:
    return Fact(job, "done", "lane", seq, attempts=[Attempt(1, token, "success", at)], rows=[(1, token)])


def forgotten(case: Case) -> None:
    del case.facts["b"]


def endless(case: Case) -> None:
    case.facts["b"] = Fact("b", "processing", "lane", 2)


def failed_for_nothing(case: Case) -> None:
    case.facts["b"] = Fact("b", "failed", "lane", 2, error="unexpected_error")


def poisoned_too_soon(case: Case) -> None:
    lost = [Attempt(n, f"token-{n}", "lost", 5.0) for n in (1, 2)]
    case.facts["b"] = Fact("b", "failed", "lane", 2, error="poisoned", attempts=lost)


def two_holders(case: Case) -> None:
    case.lines = [*run("a", "token-a", 1.0, 3.5), *run("b", "token-b", 3.0, 4.0)]


def two_holders_of_one_job(case: Case) -> None:
    case.lines[2:2] = run("a", "token-c", 1.5, 1.8, attempt=2)


def a_holder_that_never_ended(case: Case) -> None:
    del case.lines[1]


def out_of_order(case: Case) -> None:
    case.facts["a"].lane_seq = 3


def a_stale_row(case: Case) -> None:
    case.facts["a"].rows = [(1, "token-of-nobody")]


def a_token_twice(case: Case) -> None:
    case.facts["a"].attempts.insert(0, Attempt(0, "token-a", "lost", 0.5))


def gone_on_after_its_end(case: Case) -> None:
    case.facts["a"].attempts.append(Attempt(2, "token-c", "lost", 5.0))


def succeeded_twice(case: Case) -> None:
    case.facts["a"].attempts.append(Attempt(2, "token-b", "success", 5.0))


def a_row_twice(case: Case) -> None:
    case.facts["a"].rows *= 2


def a_row_lost(case: Case) -> None:
    case.facts["a"].rows.clear()


def a_success_of_nobody(case: Case) -> None:
    case.lines = case.lines[2:]


def a_key_of_two(case: Case) -> None:
    case.accepted[1] = Accepted("key-a", "b")


def a_lease_left(case: Case) -> None:
    case.left["leases"] = 1


@pytest.mark.parametrize(
    ("plant", "invariant"),
    [
        (forgotten, "I1"),
        (endless, "I1"),
        (failed_for_nothing, "I1"),
        (poisoned_too_soon, "I1"),
        (two_holders, "I2"),
        (two_holders_of_one_job, "I2"),
        (a_holder_that_never_ended, "I2"),
        (out_of_order, "I3"),
        (a_stale_row, "I4"),
        (a_token_twice, "I4"),
        (gone_on_after_its_end, "I4"),
        (succeeded_twice, "I5"),
        (a_row_twice, "I5"),
        (a_row_lost, "I5"),
        (a_success_of_nobody, "I5"),
        (a_key_of_two, "I6"),
        (a_lease_left, "I8"),
    ],
)
def test_what_is_planted_is_found(plant: Callable[[Case], None], invariant: str) -> None:
    case = Case()
    plant(case)
    assert invariant in {violation.split()[0] for violation in case.violations()}


def test_a_sound_history_is_found_sound() -> None:
    assert Case().violations() == []


def test_a_zombie_is_counted_and_no_violation() -> None:
    case = Case()
    case.lines = [*run("a", "token-a", 1.0, 9.0), *run("a", "token-c", 2.5, 2.8, 2), *run("b", "token-b", 3.0, 4.0)]
    case.lines.sort(key=lambda line: line.at)
    case.facts["a"] = Fact("a", "done", "lane", 1, rows=[(2, "token-c")])
    case.facts["a"].attempts = [Attempt(1, "token-a", "lost", 2.2), Attempt(2, "token-c", "success", 2.9)]
    report = check(case.accepted, case.lines, case.facts)
    assert (report.violations, report.zombies, report.lost, report.runs) == ([], 1, 1, 3)


def test_lines_are_read_as_they_were_written(tmp_path: Path) -> None:
    who = {"job_id": "a", "attempt": 1, "token": "t", "lane": None, "pid": 1}
    for what in ("start", "end"):
        append(tmp_path / "history", what=what, **who)
    assert [line.what for line in read_lines(tmp_path / "history")] == ["start", "end"]
