"""Wait for a condition, never for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(ask: Callable[[], Awaitable[T]], *, within: float = 20.0, what: str = "the condition") -> T:
    """The first truthy answer; asks again until then."""
    deadline = time.monotonic() + within
    while True:
        answer = await ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {within:g} s; last answer: {answer!r}")
        await asyncio.sleep(0.02)
