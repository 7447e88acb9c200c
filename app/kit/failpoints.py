"""Places where a test may stop or kill the process: proof that a crash between any two writes loses nothing.

`FAILPOINTS="submit.committed=kill"` ends the process with SIGKILL when it passes that place; `=kill:3` lets it pass
twice first; `=hang` stops it there for good. Nothing is armed unless core arms it, and core refuses to in production.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

ACTIONS = ("kill", "hang")


@dataclass(slots=True)
class _Armed:
    action: str
    passes_left: int


_armed: dict[str, _Armed] = {}


def arm(spec: str) -> None:
    """Arm the failpoints of a comma-separated `name=action[:nth]` list; an empty text disarms all."""
    _armed.clear()
    for item in filter(None, (part.strip() for part in spec.split(","))):
        name, _, action = item.partition("=")
        action, _, nth = action.partition(":")
        if action not in ACTIONS or (nth and not nth.isdigit()):
            raise ValueError(f"{item!r} is no failpoint; write name=kill, name=kill:3 or name=hang")
        _armed[name] = _Armed(action, int(nth or 1))


def failpoint(name: str) -> None:
    """Pass this place; costs one dictionary look-up while nothing is armed."""
    if not _armed or (point := _armed.get(name)) is None:
        return
    point.passes_left -= 1
    if point.passes_left > 0:
        return
    if point.action == "hang":
        while True:
            time.sleep(3600)
    os.kill(os.getpid(), signal.SIGKILL)
