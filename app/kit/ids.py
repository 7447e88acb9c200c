"""UUIDv7: ids that sort by the moment they were made, so that new rows land together in an index."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

from asyncpg.pgproto import pgproto

_AT_ONCE = 512  # bytes of randomness from one call of the system, which costs more than all the rest of an id

_lock = threading.Lock()
_last = 0
_random = b""


def _forget() -> None:
    """A forked child must not make its parent's ids."""
    global _random  # noqa: PLW0603
    _random = b""


os.register_at_fork(after_in_child=_forget)


def uuid7() -> UUID:
    """A new id; within one process strictly greater than the one before, even inside a millisecond."""
    global _last, _random  # noqa: PLW0603 - one counter per process is the point
    with _lock:
        _random = _random or os.urandom(_AT_ONCE)
        random, _random = _random[:8], _random[8:]
        # 48 bits of milliseconds and 12 bits that count on from the last id of the same millisecond.
        stamp = max((time.time_ns() // 1_000_000) << 12, _last + 1)
        _last = stamp
    value = (stamp >> 12 & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64
    value |= 0b10 << 62 | int.from_bytes(random, "big") >> 2
    # The driver's own kind, as every row has it: it is a `UUID`, made, hashed and written out in a tenth of the time.
    made: UUID = pgproto.UUID(value.to_bytes(16, "big"))
    return made
