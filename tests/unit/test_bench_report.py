"""The bench's page: figures, tables, verdicts and plots from results that are known."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.__main__ import LATEST
from bench.figures import Figure, Figures, Results, quantile
from bench.parts import PARTS
from bench.parts.budget import count_calls
from bench.parts.fairness import jain_index, served_while_all_wait
from bench.parts.growth import claim_rates
from bench.parts.lanes import breaches
from bench.parts.scale import rate_together
from bench.plots import Bar, bars, lines
from bench.prose import WHY_MISSED
from bench.report import text, write
from bench.tape import COLUMNS, ENDED, STARTED, WHERE, Tape
from bench.targets import judge
from bench.text import number, pivot, spread

OURS, FASTEST, SLOW = "Homeroom, ledgered", "taskiq stream", "celery"


def some_figures() -> Figures:
    figures = Figures()
    figures.add("A", SLOW, "rate", "jobs/s", 900, 1000, 1100)
    figures.add("A", OURS, "rate", "jobs/s", 11_000, 13_000, 12_000)
    figures.add("A", FASTEST, "rate", "jobs/s", 3900, 4000, 4100)
    figures.add("E", f"{OURS}, lease 10 s", "back after", "s", 9.5, 11.9, 12.1)
    figures.add("E", SLOW, "back after", "s", 120.0, note="not within 120 s")
    for depth, rate in (("1,000 queued", 20_000.0), ("1,000,000 queued", 10_000.0)):
        figures.add("G", depth, "claim rate", "jobs/s", rate)
    return figures


def some_results(figures: Figures) -> Results:
    machine = {
        "cpu": "a <cpu>",
        "cores": 2,
        "memory_gib": 4.0,
        "system": "Linux 6",
        "flush_ms": 0.1,
        "flush_p99_ms": 0.2,
    }
    taken = {
        "at": "2026-01-01 00:00 UTC",
        "runs": 3,
        "seconds": 60,
        "scale": 1.0,
        "durable_redis": False,
        "failures": ["saq: lost"],
    }
    return Results(machine | {"load_before": 0.1}, {"celery": {"celery": "5"}}, dict.fromkeys("AEG", taken), figures)


def test_a_target_is_judged_by_medians_against_the_fastest_peer() -> None:
    verdicts = {verdict.target: verdict for verdict in judge(some_figures())}
    ledgered = verdicts[f"{OURS}: at least 3x the fastest peer"]
    assert ledgered.measured == "3.00x (12,000 to taskiq stream's 4,000 jobs/s)"
    assert ledgered.met


def test_a_target_of_every_trial_fails_by_one() -> None:
    (verdict,) = [each for each in judge(some_figures()) if each.part == "E"]
    assert verdict.measured == "2 of 3 within 12 s, the longest 12.1 s"
    assert not verdict.met


def test_a_rate_that_halves_is_two_times_slower() -> None:
    (verdict,) = [each for each in judge(some_figures()) if each.part == "G"]
    assert verdict.measured.startswith("2.00x")
    assert not verdict.met


def test_the_page_says_why_a_target_is_missed_and_nothing_of_those_that_are_met() -> None:
    figures = some_figures()
    figures.add("H", OURS, "rate", "jobs/s", 7_000)
    results = some_results(figures)
    results.taken["H"] = results.taken["A"]
    page = text(results)
    assert "**Why targets are missed.**" in page
    assert "- **H**: " in page
    assert "- **A, own" not in page
    assert "- **F**" not in page


def test_every_reason_is_a_target_s() -> None:
    figures = Results.read(LATEST).figures
    targets = [f"{verdict.part} {verdict.target}" for verdict in judge(figures)]
    assert [each for each in WHY_MISSED if not any(target.startswith(each) for target in targets)] == []


def test_what_is_published_has_figures_of_every_part() -> None:
    published = Results.read(LATEST)
    assert set(published.taken) == {figure.part for figure in published.figures} == set(PARTS)


def test_targets_without_figures_are_not_judged() -> None:
    assert judge(Figures()) == []


@pytest.mark.parametrize(("value", "told"), [(12_345.6, "12,346"), (42.123, "42.1"), (1.234, "1.23"), (0.9996, "1.00")])
def test_numbers_have_three_digits(value: float, told: str) -> None:
    assert number(value) == told


def test_a_cell_shows_least_median_and_most_or_what_there_is_to_say() -> None:
    assert spread(Figure("A", OURS, "rate", "jobs/s", [3.0, 1.0, 2.0])) == "1.00 / **2.00** / 3.00"
    assert spread(Figure("A", OURS, "rate", "jobs/s", [3.0])) == "**3.00**"
    assert spread(Figure("E", OURS, "back after", "s", [120.0], note="not within 120 s")) == "not within 120 s"
    assert spread(None) == ""


def test_a_table_is_sorted_by_its_first_column() -> None:
    rows = pivot(some_figures(), "A", best_first=True).splitlines()
    assert rows[0] == "|  | jobs/s |"
    assert [row.split(" | ")[0] for row in rows[2:]] == [f"| {OURS}", f"| {FASTEST}", f"| {SLOW}"]


def test_the_page_holds_every_part_and_can_be_written_again_from_its_json(tmp_path: Path) -> None:
    results = some_results(some_figures())
    results.write(tmp_path / "results.json")
    again = Results.read(tmp_path / "results.json")
    assert text(again) == text(results)
    write(again, tmp_path)
    page = (tmp_path / "BENCHMARKS.md").read_text()
    assert "| **A** Homeroom, ledgered: at least 3x the fastest peer |" in page
    plots = sorted(each.name for each in (tmp_path / "benchmarks").iterdir())
    assert plots == ["growth.svg", "noop.svg", "recovery.svg"]
    assert all(f"](benchmarks/{name})" in page for name in plots)
    assert "Runs that do not count: saq: lost." in page


def test_a_part_measured_again_replaces_only_itself() -> None:
    fresh = Figures()
    fresh.add("A", OURS, "rate", "jobs/s", 1.0)
    merged = some_results(fresh).merged_into(some_results(some_figures()))
    assert [each.who for each in merged.figures.of("A")] == [OURS]
    assert len(merged.figures.of("E")) == 2


def test_plots_are_well_formed_and_show_every_row() -> None:
    rows = [Bar("a & b", 1, 2, 3), Bar("c", 10, 20, 30, ours=True, told="> 20 s")]
    for logarithmic in (False, True):
        root = ElementTree.fromstring(bars("<title>", "jobs/s", rows, logarithmic=logarithmic))
        texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
        assert {"a & b", "c", "2.00", "> 20 s", "<title>"} <= set(texts)
        widths = [float(each.attrib["width"]) for each in root.iter("{http://www.w3.org/2000/svg}rect")]
        assert 0 < widths[0] < widths[1]
    root = ElementTree.fromstring(lines("growth", "jobs/s", [(1e3, 5.0), (1e6, 10.0)], across="queued"))
    assert len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == 2


def a_tape(path: Path, rows: list[tuple[float, float, float]]) -> Tape:
    """Jobs by (process, begin, end)."""
    tape = Tape.create(path, len(rows))
    for job, (process, started, ended) in enumerate(rows):
        row = job * COLUMNS
        for column, value in ((WHERE, process), (STARTED, started), (ENDED, ended)):
            tape._cells[row + column] = value
    return tape


def test_a_tape_counts_runs_and_keeps_each_begin(tmp_path: Path) -> None:
    tape = Tape.create(tmp_path / "tape", 3)
    tape.start(1)
    tape.start(1)
    tape.end(1)
    shared = Tape(tmp_path / "tape")
    assert (shared.jobs, shared.begun(), shared.ended()) == (3, 1, 1)
    assert shared.runs(1) == 2
    assert 0 < shared.started(1, 0) <= shared.started(1, 1)


def test_a_lane_that_overtakes_itself_is_seen(tmp_path: Path) -> None:
    # Two lanes: jobs 0 and 2 are one, 1 and 3 the other. Job 3 begins before 1 has ended.
    tape = a_tape(tmp_path / "tape", [(1, 1.0, 2.0), (1, 1.0, 5.0), (1, 2.5, 3.0), (1, 4.0, 6.0)])
    assert breaches(tape, lanes=2) == 1


def test_workers_are_counted_from_when_the_last_has_joined(tmp_path: Path) -> None:
    early = [(1.0, float(second), float(second)) for second in range(1, 11)]
    tape = a_tape(tmp_path / "tape", [*early, (2.0, 10.5, 11.0), (1.0, 11.5, 12.5)])
    assert rate_together(tape, 2) == pytest.approx(2 / 2.0)


def test_claim_rates_do_not_cross_a_workers_end(tmp_path: Path) -> None:
    first = [(1.0, 100 + n / 10, 0.0) for n in range(21)]
    second = [(2.0, 900 + n / 10, 0.0) for n in range(21)]
    rates = claim_rates(a_tape(tmp_path / "tape", [*second, *first]), window=10)
    assert [len(each) for each in rates] == [2, 2]
    assert rates[0] == pytest.approx([10.0, 10.0])


def test_fairness_is_judged_while_all_wait() -> None:
    order = ["loud", "quiet", "loud", "quiet", "loud", "loud"]
    served = served_while_all_wait(order, smallest=2)
    assert sorted(served, reverse=True)[:2] == [2, 1]  # the fourth is not looked at: somebody was through before it
    assert jain_index([5, 5, 5]) == pytest.approx(1.0)
    assert jain_index([9, 0, 0]) == pytest.approx(1 / 3)


def test_what_a_script_calls_is_not_a_call() -> None:
    calls = [b'+1700.1 [15 127.0.0.1:5] "EVALSHA" "ab"', b'+1700.3 [0 127.0.0.1:6] "GET"']
    told = b"\r\n".join([b"+OK", b"+OK", calls[0], b'+1700.2 [15 lua] "ZADD"', calls[1], b""])
    assert count_calls(told) == 2


def test_a_quantile_is_a_value_that_was_measured() -> None:
    assert quantile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert quantile([1.0, 2.0], 0.99) == 2.0
