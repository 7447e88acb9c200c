"""Requests and event streams that one key may have: GCRA in Redis for requests, a plain count for open streams."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.kit.errors import Refusal
from app.kit.gcra import Allowance, RateLimiter
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY
from app.tenancy.access import Principal

log = get_logger(__name__)


class TooManyRequests(Refusal):
    status = 429
    code = "rate_limited"
    title = "The key sends requests faster than it may"
    cure = "Wait as long as `Retry-After` says; `RateLimit-*` headers tell how much is left."


class TooManyStreams(Refusal):
    status = 429
    code = "too_many_streams"
    title = "The key has too many event streams open"
    cure = "Close streams that nobody reads, or read jobs with `Prefer: wait`."


class Throttle:
    """The limits of requests. Without Redis nothing is refused: a limit is there to protect, not to fail."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter
        self._streams: Counter[tuple[str, str]] = Counter()

    async def take(self, principal: Principal, route_class: str, *, per_minute: int) -> Allowance | None:
        """Count a request; None where nobody could count."""
        key = f"{principal.tenant_id}:{principal.key_id}:{route_class}"
        try:
            return await self._limiter.take(key, per_minute=per_minute)
        except REDIS_AWAY as error:
            log.debug("requests are not counted", error=str(error))
            return None

    @staticmethod
    def heed(allowance: Allowance) -> None:
        """Refuse what goes beyond the limit."""
        if not allowance.allowed:
            detail = f"This key may send {allowance.limit} such requests in a minute."
            raise TooManyRequests(detail, retry_after=max(1, math.ceil(allowance.retry_after)))

    @contextmanager
    def stream(self, principal: Principal, *, at_most: int) -> Iterator[None]:
        """Hold one of the key's event streams of this process."""
        key = (principal.tenant_id, principal.key_id)
        if self._streams[key] >= at_most:
            raise TooManyStreams(f"{at_most} streams are open.", retry_after=5)
        self._streams[key] += 1
        try:
            yield
        finally:
            self._streams[key] -= 1
            if not self._streams[key]:
                del self._streams[key]
