"""Rate limits by GCRA: one number per limit, on the server's own clock, requests that come together in one round trip.

The generic cell rate algorithm lets `burst` requests through at once and then one every `period / rate` seconds, which
spreads what a window with a counter would let through in its first second.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from arq.connections import ArqRedis

from app.kit.batching import Batcher

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
        self._script = redis.register_script(_SCRIPT)
        self._takes: Batcher[tuple[str, int, int], Allowance] = Batcher(self._take, max_batch=200)

    async def take(self, key: str, *, per_minute: int, cost: int = 1) -> Allowance:
        """Take `cost` of `per_minute` requests under this key."""
        return await self._takes.submit((f"homeroom:rate:{key}", per_minute, cost))

    async def _take(self, requests: Sequence[tuple[str, int, int]]) -> list[Allowance]:
        arguments = [number for _, rate, cost in requests for number in (rate, cost)]
        answers = await self._script(keys=[key for key, *_ in requests], args=arguments)
        return [
            Allowance(bool(allowed), rate, int(remaining), int(retry_ms) / 1000, int(reset_ms) / 1000)
            for (_, rate, _), (allowed, remaining, retry_ms, reset_ms) in zip(requests, answers, strict=True)
        ]
