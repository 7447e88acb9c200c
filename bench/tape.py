"""What every job writes down of itself, in memory that all processes of the machine share.

One row of doubles for each job: when it was asked for, how often it ran, when it ended, in which process it began last,
and when each of its runs began.
The job writes its own row, so a clock stops at the last job's end and not when somebody notices it, a job that ran
twice is seen, and one that never ran too. It costs a microsecond, the same for everybody. Imported by every contestant,
each in its own environment: nothing but Python's own library here.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import time
from pathlib import Path

COLUMNS = 8
ASKED, RUNS, ENDED, WHERE, STARTED = 0, 1, 2, 3, 4
KEPT_STARTS = COLUMNS - STARTED


class Tape:
    """The rows of one run, by the jobs' numbers."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._cells: memoryview[float] = memoryview(mmap.mmap(file.fileno(), 0)).cast("d")
        self.jobs = len(self._cells) // COLUMNS

    @classmethod
    def create(cls, path: Path, jobs: int) -> Tape:
        with path.open("wb") as file:
            file.truncate(max(1, jobs) * COLUMNS * 8)
        return cls(path)

    def ask(self, job: int) -> None:
        self._cells[job * COLUMNS + ASKED] = time.time()

    def start(self, job: int) -> None:
        row = job * COLUMNS
        runs = int(self._cells[row + RUNS])
        if runs < KEPT_STARTS:
            self._cells[row + STARTED + runs] = time.time()
        self._cells[row + WHERE] = os.getpid()
        self._cells[row + RUNS] = runs + 1

    def end(self, job: int) -> None:
        self._cells[job * COLUMNS + ENDED] = time.time()

    def runs(self, job: int) -> int:
        return int(self._cells[job * COLUMNS + RUNS])

    def started(self, job: int, run: int = 0) -> float:
        return self._cells[job * COLUMNS + STARTED + run]

    def process(self, job: int) -> int:
        """The process in which it began last."""
        return int(self._cells[job * COLUMNS + WHERE])

    def asked(self, job: int) -> float:
        return self._cells[job * COLUMNS + ASKED]

    def column(self, which: int) -> list[float]:
        """One column of all jobs."""
        return list(self._cells[which::COLUMNS])

    def ended(self) -> int:
        """How many jobs have ended."""
        return self.jobs - self.column(ENDED).count(0.0)

    def begun(self) -> int:
        """How many jobs have begun."""
        return self.jobs - self.column(STARTED).count(0.0)


def tape_of_environment() -> Tape:
    """The tape that this process was started with."""
    return Tape(Path(os.environ["BENCH_TAPE"]))


async def work(tape: Tape, job: int, seconds: float) -> None:
    """The one job that all contestants run: nothing at all, or a sleep."""
    tape.start(job)
    if seconds:
        await asyncio.sleep(seconds)
    tape.end(job)


def work_blocking(tape: Tape, job: int, seconds: float) -> None:
    """The same for a library whose jobs are plain functions."""
    tape.start(job)
    if seconds:
        time.sleep(seconds)
    tape.end(job)


def work_computing(tape: Tape, job: int, seconds: float) -> None:
    """A job that keeps a processor busy for so long, as its thread's own clock tells."""
    tape.start(job)
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass
    tape.end(job)
