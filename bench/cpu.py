"""How many cores processes keep busy: which of them is the bound."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import psutil


class Meter:
    """From its making to `read()`: cores used by each group of processes, their children included."""

    def __init__(self, groups: Mapping[str, Sequence[int]]) -> None:
        self._groups = groups
        self._began = time.monotonic()
        self._before = self._seconds()

    def read(self) -> dict[str, float]:
        elapsed = time.monotonic() - self._began
        after = self._seconds()
        return {
            name: sum(used - self._before[name].get(pid, 0.0) for pid, used in after[name].items()) / elapsed
            for name in self._groups
        }

    def _seconds(self) -> dict[str, dict[int, float]]:
        return {name: _cpu_seconds(pids) for name, pids in self._groups.items()}


def _cpu_seconds(pids: Sequence[int]) -> dict[int, float]:
    used: dict[int, float] = {}
    for pid in pids:
        parent = psutil.Process(pid)
        for each in (parent, *parent.children(recursive=True)):
            try:
                times = each.cpu_times()
            except psutil.NoSuchProcess:
                continue
            used[each.pid] = times.user + times.system
    return used
