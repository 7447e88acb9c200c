"""One waiter, many who may wake it: an event with a time-out that costs no task."""

from __future__ import annotations

import asyncio


class Waker:
    """Set by anybody, awaited by one. Clear it before looking at what it tells of, or a change is missed."""

    def __init__(self) -> None:
        self._is_set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        self._is_set = True
        self._end()

    def clear(self) -> None:
        self._is_set = False

    async def wait(self, timeout: float) -> bool:
        """Until it is set, or the time is over: then False."""
        if self._is_set:
            return True
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(timeout, self._end)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None
        return self._is_set

    def _end(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
