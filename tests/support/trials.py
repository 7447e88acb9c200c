"""How often a fault strikes: once in `make test`, `FAULT_TRIALS` times in `make faults`."""

from __future__ import annotations

import os

import pytest

TRIALS = int(os.environ.get("FAULT_TRIALS", "1"))
LONG = TRIALS > 1  # the durations that a deployment would see, instead of the shortest that show the same

trials = pytest.mark.parametrize("trial", range(TRIALS))
