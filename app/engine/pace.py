"""How long runs last on this worker, and how many to begin together for it.

Jobs that begin together end together, if they last about as long. A worker of a hundred slots would then end a hundred,
claim a hundred, begin a hundred, and all its slots would wait for all of that, each time. Taken in parts, longer runs
spread over their whole length, and a slot waits for its own part alone. For short runs the round is all that there is:
they are taken all at once.
"""

from __future__ import annotations

LONG = 0.02  # seconds
PARTS = 8
SMALLEST = 8  # smaller ones cost more calls than they save
WEIGHT = 0.05  # of the latest run in the average


class Pace:
    """A moving average of how long runs last."""

    def __init__(self) -> None:
        self._typical = 0.0

    def ran(self, seconds: float) -> None:
        self._typical += WEIGHT * (seconds - self._typical)

    def part(self, slots: int) -> int:
        """How many to take at most, at a time."""
        return slots if self._typical < LONG else max(SMALLEST, slots // PARTS)
