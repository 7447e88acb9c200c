"""How long runs last on this worker, and how many of them to begin together.

Jobs that begin together end together, if they last about as long. A worker of a hundred slots would then end a hundred,
claim a hundred, begin a hundred, and all its slots would wait for all of that, each time. Taken in parts, longer runs
spread over their whole length, and a slot waits for its own part alone. For short runs the round is all that there is:
they are taken all at once.

A run that stands in line for a connection to Postgres is one more behind others. Where a whole part of them does, a
free slot waits for the rest of its part: a round for one job costs as much as one for many.
"""

from __future__ import annotations

from typing import NamedTuple

LONG = 0.02  # seconds
PARTS = 8
SMALLEST = 8  # smaller ones cost more calls than they save
IN_LINE = 0.01  # seconds that a slot stays free at most, where its job would only stand in line
WEIGHT = 0.05  # of the latest run in the average


class Part(NamedTuple):
    """What to begin together."""

    jobs: int  # at most
    patience: float  # seconds that slots may stay free until there are so many


class Pace:
    """A moving average of how long runs last."""

    def __init__(self) -> None:
        self._typical = 0.0

    def ran(self, seconds: float) -> None:
        self._typical += WEIGHT * (seconds - self._typical)

    def part(self, slots: int, *, in_line: int = 0) -> Part:
        """How many to take at a time, while so many runs stand in line."""
        jobs = slots if self._typical < LONG else min(slots, max(SMALLEST, slots // PARTS))
        return Part(jobs, IN_LINE if in_line >= jobs else 0.0)
