"""How long one call may take, and what it may spend on tries of its own.

Short hitches are waited out here, where the job keeps its place and its permits. Longer ones go back to the engine as
ProviderBusy or ProviderUnavailable: there the job waits without holding anything.
"""

from __future__ import annotations

import asyncio

from app.kit.backoff import Backoff
from app.llm.config import ProviderConfig
from app.llm.port import ProviderBusy, ProviderError, ProviderRefused

TRIES = 4

_BACKOFF = Backoff(first=0.5, cap=4.0)


class Patience:
    """The deadlines of one call, all its tries together, on the loop's clock."""

    def __init__(self, config: ProviderConfig) -> None:
        self._clock = asyncio.get_running_loop().time
        self._config = config
        self._failures = 0
        self.end = self._clock() + config.timeout
        self._budget = config.retry_budget

    def until_first(self) -> float:
        return min(self.end, self._clock() + self._config.first_token_timeout)

    until_next = until_first  # silence in the middle is as bad as silence at the start

    def until(self, seconds: float) -> float:
        return min(self.end, self._clock() + seconds)

    async def wait_after(self, error: ProviderError) -> None:
        """Wait for the next try; raises the error where none is worth it."""
        self._failures += 1
        if isinstance(error, ProviderRefused) or self._failures >= TRIES:
            raise error
        advice = error.retry_after if isinstance(error, ProviderBusy) else None
        wait = _BACKOFF.delay(self._failures) if advice is None else advice
        if wait > self._budget or self._clock() + wait >= self.end:
            raise error
        self._budget -= wait
        await asyncio.sleep(wait)
