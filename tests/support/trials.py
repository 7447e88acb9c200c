"""How often a fault strikes: once in `make test`, by `FAULT_TRIALS` in `make faults`."""

from __future__ import annotations

import os

import pytest

TRIALS = int(os.environ.get("FAULT_TRIALS", "1"))
CHEAP = 3  # times as often, where a trial needs no process of its own

trials = pytest.mark.parametrize("trial", range(TRIALS))
cheap_trials = pytest.mark.parametrize("trial", range(TRIALS if TRIALS == 1 else CHEAP * TRIALS))


def is_long(trial: int) -> bool:
    """Whether this one takes as long as in a deployment, instead of the shortest that shows the same."""
    return TRIALS > 1 and trial == 0
