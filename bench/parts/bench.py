"""What all parts work with: the stage, our deployments on it, the figures so far, and who takes part."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from bench.calm import Calm
from bench.contestants import Contestant
from bench.figures import Figures
from bench.ours.house import House
from bench.stage import BenchFailed, Stage, Turn

T = TypeVar("T")


@dataclass(slots=True)
class Bench:
    stage: Stage
    house: House
    figures: Figures
    peers: Sequence[Contestant]
    runs: int = 3
    scale: float = 1.0  # of the number of jobs: less than 1 to try the bench itself
    failures: list[str] = field(default_factory=list)  # of the part that runs
    calm: Calm = field(default_factory=lambda: Calm(0.0))  # of the part that runs

    def jobs(self, full: int, least: int = 20) -> int:
        return full if self.scale >= 1 else max(least, int(full * self.scale))

    @contextmanager
    def turn(
        self, contestant: Contestant, jobs: int, *, slot: int = 0, environment: Mapping[str, str] | None = None
    ) -> Iterator[Turn]:
        """A contestant alone on empty servers; with a slot it shares them with others, and nothing is emptied."""
        if slot == 0:
            self.stage.flush()
        ours = self.house.fresh() if contestant.ours else {}
        with self.stage.turn(contestant, jobs, environment=ours | dict(environment or {}), slot=slot) as turn:
            yield turn

    def in_turns(
        self, part: str, contestants: Sequence[Contestant], measure: Callable[[Contestant], str], runs: int = 0
    ) -> None:
        """Every contestant once, in another order each time, until each had all its runs: what the machine does
        meanwhile meets all of them alike. One that fails loses this run, and is told of."""
        for number in range(1, (runs or self.runs) + 1):
            for contestant in random.sample(list(contestants), len(contestants)):
                try:
                    told = self.calmly(partial(measure, contestant))
                    print(f"{part}  run {number}  {contestant.name:<30} {told}", flush=True)
                except BenchFailed as failure:
                    self.fail(f"{part}  run {number}", failure)

    def calmly(self, measure: Callable[[], T]) -> T:
        """One run, whose figures are kept once the host has left it alone."""

        def measured(found: Figures) -> T:
            kept, self.figures = self.figures, found
            try:
                return measure()
            finally:
                self.figures = kept

        return self.calm.run(measured, self.figures)

    def fail(self, where: str, failure: BenchFailed) -> None:
        """Say it, and keep it for the page, where nobody can look into our logs."""
        print(f"{where}  FAILED: {failure}", flush=True)
        self.failures.append(str(failure).partition(";")[0])
