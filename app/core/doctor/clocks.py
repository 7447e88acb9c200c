"""How far clocks are apart. Postgres' decides, Redis' moves what is deferred, this host's checks tokens."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from app.core.doctor.findings import Finding, fail, ok, warn

NOTICEABLE = 0.5  # seconds
ASKED = 3  # times; the quickest answer says most


async def offset_of(ask: Callable[[], Awaitable[float]]) -> tuple[float, float]:
    """By how many seconds a server's clock is ahead of this host's, and by how much that may be wrong."""
    answers = []
    for _ in range(ASKED):
        began = time.time()
        theirs = await ask()
        ended = time.time()
        answers.append(((ended - began) / 2, theirs - (began + ended) / 2))
    error, offset = min(answers)
    return offset, error


def judge_clock(server: str, offset: float, error: float, lease: float) -> Finding:
    """Beyond half a lease, what is deferred and what expires is visibly wrong."""
    apart = max(0.0, abs(offset) - error)
    check, found = f"clock {server}", f"{offset:+.3f} s against this host's (± {error:.3f} s)"
    cure = "Let every host keep its time by NTP (chrony, systemd-timesyncd), the servers' hosts too."
    if apart > lease / 2:
        return fail(check, found, cure)
    return warn(check, found, cure) if apart > NOTICEABLE else ok(check, found)
