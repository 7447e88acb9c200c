"""Rate limits by GCRA: one number per limit, on the server's own clock, requests that come together in one round trip.

The generic cell rate algorithm lets `burst` requests through at once and then one every `period / rate` seconds, which
spreads what a window with a counter would let through in its first second.

A large limit is taken in small change: a process takes a two-hundredth of it at once and spends that by itself, without
a word to Redis. Where so much is not left, and for limits too small to be divided, each request is counted alone, so
the end of every limit is exact. What a process has taken and not spent is lost to the others: half a percent each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from arq.connections import ArqRedis

from app.kit.batching import Batcher
from app.kit.remember import Remembered

PATIENCE = 0.25  # seconds that one round trip may take: a slow Redis must not slow every request down
CHANGE = 200  # into how many parts a limit is divided
CHANGE_LASTS = 60.0  # seconds: by then the whole limit has come again
SCARCE_FOR = 1.0  # seconds until it is tried again whether a limit can be divided

_SCRIPT = (Path(__file__).parent / "gcra.lua").read_text()


class Allowance(NamedTuple):
    """The answer to one request."""

    allowed: bool
    limit: int
    remaining: int
    retry_after: float  # seconds; 0 where it is allowed
    reset_after: float  # seconds until the whole limit is free again


class _Purse:
    """What this process has taken of a limit and not spent yet."""

    __slots__ = ("_left", "_taken", "scarce")

    def __init__(self, taken: Allowance, amount: int) -> None:
        self.scarce = not taken.allowed
        self._taken = taken
        self._left = amount if taken.allowed else 0

    def spend(self, cost: int) -> Allowance | None:
        if self._left < cost:
            return None
        self._left -= cost
        _, limit, remaining, _, reset_after = self._taken
        return Allowance(True, limit, remaining + self._left, 0.0, reset_after)


class RateLimiter:
    """Counts requests by key in Redis; every API process sees the same count. Raises one of REDIS_AWAY without it."""

    def __init__(self, redis: ArqRedis) -> None:
        self._script = redis.register_script(_SCRIPT)
        self._takes: Batcher[tuple[str, int, int], Allowance] = Batcher(self._take, max_batch=200)
        self._purses: Remembered[tuple[str, int], _Purse] = Remembered()

    async def take(self, key: str, *, per_minute: int, cost: int = 1) -> Allowance:
        """Take `cost` of `per_minute` requests under this key."""
        purse = self._purses.peek((key, per_minute))
        if purse is not None and (allowance := purse.spend(cost)) is not None:
            return allowance
        if cost < per_minute // CHANGE and (change := await self._from_purse((key, per_minute), cost)) is not None:
            return change
        return await self._takes.submit((f"homeroom:rate:{key}", per_minute, cost))

    async def _from_purse(self, limit: tuple[str, int], cost: int) -> Allowance | None:
        for _ in range(2):  # what is there, and what comes in its place; a crowd may have spent that as well
            purse = await self._purses.get(limit, partial(self._fill, *limit))
            if purse.scarce:
                return None
            if (allowance := purse.spend(cost)) is not None:
                return allowance
            self._purses.forget_this(limit, purse)
        return None

    async def _fill(self, key: str, per_minute: int) -> tuple[_Purse, float]:
        amount = per_minute // CHANGE
        purse = _Purse(await self._takes.submit((f"homeroom:rate:{key}", per_minute, amount)), amount)
        return purse, SCARCE_FOR if purse.scarce else CHANGE_LASTS

    async def _take(self, requests: Sequence[tuple[str, int, int]]) -> list[Allowance]:
        arguments = [number for _, rate, cost in requests for number in (rate, cost)]
        async with asyncio.timeout(PATIENCE):
            answers = await self._script(keys=[key for key, *_ in requests], args=arguments)
        return [
            Allowance(bool(allowed), rate, int(remaining), int(retry_ms) / 1000, int(reset_ms) / 1000)
            for (_, rate, _), (allowed, remaining, retry_ms, reset_ms) in zip(requests, answers, strict=True)
        ]
