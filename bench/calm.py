"""Runs that the host leaves alone: what a virtual machine's host takes away is counted, and such a run taken anew.

What decides is the kernel's account of stolen time, never the figure itself, and it decides for all contestants alike.
Where nothing is stolen, as on a machine of one's own, every run counts at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import psutil

from bench.figures import Figures

T = TypeVar("T")
MOST_TAKEN = 0.03  # of the cores' time, in a run that counts
PROBE = 0.5  # seconds; what is stolen shows only while something wants to run
PAUSE = 2.0
_SPIN = f"import time\nend = time.monotonic() + {PROBE}\nwhile time.monotonic() < end: pass"


class Host:
    """From its making on: the share of all cores' time that the host gave to others."""

    def __init__(self) -> None:
        self._began, self._before = time.monotonic(), stolen_seconds()

    def taken(self) -> float:
        elapsed = time.monotonic() - self._began
        return (stolen_seconds() - self._before) / (elapsed * (os.cpu_count() or 1))


@dataclass(slots=True)
class Calm:
    """Of one part: how long it may still wait for the host, and how that went."""

    patience: float  # seconds that may be spent on waiting, and on runs that don't count
    taken: list[float] = field(default_factory=list)  # of each run that counts
    anew: int = 0  # runs that don't

    def run(self, measure: Callable[[Figures], T], figures: Figures) -> T:
        """Measure until the host leaves a run alone; if it never does, the run counts of which it took the least."""
        best: tuple[float, Figures, T] | None = None
        while True:
            self._wait_for_quiet()
            began, host, found = time.monotonic(), Host(), Figures()
            told = measure(found)
            taken = host.taken()
            if best is None or taken < best[0]:
                best = taken, found, told
            if taken <= MOST_TAKEN or self.patience <= 0:
                break
            self.patience -= time.monotonic() - began
            self.anew += 1
        taken, found, told = best
        figures.take(found)
        self.taken.append(taken)
        return told

    def _wait_for_quiet(self) -> None:
        while self.patience > 0:
            began, host = time.monotonic(), Host()
            _keep_all_cores_busy()
            if host.taken() <= MOST_TAKEN:
                return
            time.sleep(PAUSE)
            self.patience -= time.monotonic() - began


def _keep_all_cores_busy() -> None:
    spinning = [subprocess.Popen([sys.executable, "-S", "-c", _SPIN]) for _ in range(os.cpu_count() or 1)]
    for each in spinning:
        each.wait()


def stolen_seconds() -> float:
    """What the host gave to others, of all cores together."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))
