"""Rate limits by GCRA: one number per limit, one round trip, on the server's own clock.

The generic cell rate algorithm lets `burst` requests through at once and then one every `period / rate` seconds, which
spreads what a window with a counter would let through in its first second.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from arq.connections import ArqRedis

_SCRIPT = (Path(__file__).parent / "gcra.lua").read_text()


class Allowance(NamedTuple):
    """The answer to one request."""

    allowed: bool
    limit: int
    remaining: int
    retry_after: float  # seconds; 0 where it is allowed
    reset_after: float  # seconds until the whole limit is free again


class RateLimiter:
    """Counts requests by key in Redis; every API process sees the same count."""

    def __init__(self, redis: ArqRedis) -> None:
        self._take = redis.register_script(_SCRIPT)

    async def take(self, key: str, *, per_minute: int) -> Allowance:
        """Take one of `per_minute` requests under this key."""
        allowed, remaining, retry_ms, reset_ms = await self._take(keys=[f"homeroom:rate:{key}"], args=[per_minute])
        return Allowance(bool(allowed), per_minute, int(remaining), int(retry_ms) / 1000, int(reset_ms) / 1000)
