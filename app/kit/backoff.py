"""How long to wait before trying again: exponential, with full jitter, so that a crowd does not return as one."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """The n-th wait is uniform between 0 and `first * factor^n`, never above `cap` (seconds)."""

    first: float = 1.0
    cap: float = 300.0
    factor: float = 2.0

    def delay(self, failures: int) -> float:
        # The exponent is bounded before it is raised: a job that failed 5,000 times must not overflow a float.
        ceiling = min(self.cap, self.first * self.factor ** min(max(failures - 1, 0), 64))
        return random.uniform(0, ceiling)  # noqa: S311 - jitter, not a secret
