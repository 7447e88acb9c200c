"""A time limit that costs nothing where there is nothing to wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns; TimeoutError where that takes longer than `seconds`.

    `asyncio.timeout` sets a timer and takes it back, which is dear for something that is asked at every request and
    nearly always there already. So the coroutine is started first, and the timer only set if it has to wait.
    """
    try:
        waiting_for = coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    async with asyncio.timeout(seconds):
        return await _Rest(coroutine, waiting_for)


class _Rest(Awaitable[T]):
    """What is left of a coroutine that waits for something already."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], waiting_for: Any) -> None:
        self._coroutine = coroutine
        self._waiting_for = waiting_for

    def __await__(self) -> Generator[Any, Any, T]:
        while True:
            try:
                try:
                    sent = yield self._waiting_for
                except BaseException as error:  # a cancel is the coroutine's to hear
                    self._waiting_for = self._coroutine.throw(error)
                else:
                    self._waiting_for = self._coroutine.send(sent)
            except StopIteration as done:
                result: T = done.value
                return result
