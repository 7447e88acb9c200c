"""Which runs of the bench count: what the kernel says was stolen decides, never the figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bench import calm
from bench.calm import Calm
from bench.figures import Figures

ALL = 1e6  # seconds of processor time: more than any share of the moment that a test takes


@pytest.fixture
def steal(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Takes processor time away, as a host would."""
    stolen = 0.0

    def more(seconds: float) -> None:
        nonlocal stolen
        stolen += seconds

    monkeypatch.setattr(calm, "stolen_seconds", lambda: stolen)
    monkeypatch.setattr(calm, "PROBE", 0.0)
    monkeypatch.setattr(calm, "_keep_all_cores_busy", lambda: None)
    return more


def scripted(steal: Callable[[float], None], *taken: float) -> Callable[[Figures], int]:
    """A measurement that counts its runs, and of whose n-th run the host takes so much."""
    runs: Iterator[tuple[int, float]] = enumerate(taken, start=1)

    def measure(found: Figures) -> int:
        number, seconds = next(runs)
        steal(seconds)
        found.add("A", "we", "rate", "jobs/s", float(number))
        return number

    return measure


def test_a_run_that_the_host_leaves_alone_counts_at_once(steal: Callable[[float], None]) -> None:
    part, figures = Calm(patience=60.0), Figures()
    assert part.run(scripted(steal, 0.0), figures) == 1
    assert [each.values for each in figures] == [[1.0]]
    assert (part.anew, part.taken) == (0, [0.0])


def test_a_disturbed_run_is_taken_anew_and_leaves_nothing(steal: Callable[[float], None]) -> None:
    part, figures = Calm(patience=60.0), Figures()
    figures.add("A", "we", "rate", "jobs/s", 0.0)
    assert part.run(scripted(steal, ALL, ALL, 0.0), figures) == 3
    assert [each.values for each in figures] == [[0.0, 3.0]]
    assert part.anew == 2


def test_without_patience_the_least_disturbed_run_counts(steal: Callable[[float], None]) -> None:
    part, figures = Calm(patience=1e-9), Figures()
    assert part.run(scripted(steal, ALL, 100 * ALL), figures) == 1
    assert part.anew == 1
    assert part.run(scripted(steal, ALL), figures) == 1  # and nothing waits any more
    assert part.taken[0] > calm.MOST_TAKEN
