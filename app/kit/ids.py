"""UUIDv7: ids that sort by the moment they were made, so that new rows land together in an index."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A new id; within one process strictly greater than the one before, even inside a millisecond."""
    global _last  # noqa: PLW0603 - one counter per process is the point
    with _lock:
        # 48 bits of milliseconds and 12 bits that count on from the last id of the same millisecond.
        stamp = max((time.time_ns() // 1_000_000) << 12, _last + 1)
        _last = stamp
    value = (stamp >> 12 & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=value)
