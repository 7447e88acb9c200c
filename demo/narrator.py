"""Tells what happens, calmly, one line at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence


class Narrator:
    """Seconds since the beginning stand before each line."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def scene(self, title: str) -> None:
        print(f"\n{self.seconds:6.1f} s  {title}", flush=True)

    def say(self, text: str) -> None:
        print(f"{'':10}{text}", flush=True)


def middle(values: Sequence[float]) -> float:
    """The median."""
    return sorted(values)[len(values) // 2] if values else 0.0
