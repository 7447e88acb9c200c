"""Answers that are remembered for a moment. Who asks for the same one meanwhile shares a single question."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """A bounded memory. A question that fails is not remembered, and fails for all who asked it together.

    What is asked for in the last `ahead` seconds of its time is asked anew beside its use: who asks often never waits.
    """

    def __init__(self, *, size: int = 10_000, ahead: float = 0.0) -> None:
        self._size = size
        self._ahead = ahead
        self._known: dict[K, tuple[float, V]] = {}
        self._asking: dict[tuple[int, K], asyncio.Task[V]] = {}  # a question from before a `forget` is another one
        self._forgotten = 0  # how often

    async def get(self, key: K, ask: Callable[[], Awaitable[tuple[V, float]]]) -> V:
        """The remembered answer, or the one of `ask`, which also says for how many seconds it holds."""
        known = self._known.get(key)
        if known is not None and (left := known[0] - time.monotonic()) > 0:
            if left < self._ahead:
                self._question(key, ask)
            return known[1]
        # Shielded: a caller that gives up does not take the others' answer along.
        return await asyncio.shield(self._question(key, ask))

    def forget(self, about: Callable[[V], bool]) -> None:
        """Ask again for every answer of which this holds."""
        self._forgotten += 1
        self._known = {key: known for key, known in self._known.items() if not about(known[1])}

    def peek(self, key: K) -> V | None:
        """What is remembered, if anything is: for whoever asks so often that an await would be dear."""
        known = self._known.get(key)
        return known[1] if known is not None and known[0] > time.monotonic() else None

    def forget_this(self, key: K, value: V) -> None:
        """Ask again about this key, unless somebody has done so already."""
        known = self._known.get(key)
        if known is not None and known[1] is value:
            del self._known[key]

    def _question(self, key: K, ask: Callable[[], Awaitable[tuple[V, float]]]) -> asyncio.Task[V]:
        """The one that is open, or a new one."""
        question = self._forgotten, key
        task = self._asking.get(question)
        if task is None:
            task = self._asking[question] = asyncio.create_task(self._ask(question, ask))
            task.add_done_callback(partial(self._asked, question))
        return task

    def _asked(self, question: tuple[int, K], task: asyncio.Task[V]) -> None:
        del self._asking[question]
        if not task.cancelled():
            task.exception()  # whoever asked hears it; where all have given up, nobody needs to

    async def _ask(self, question: tuple[int, K], ask: Callable[[], Awaitable[tuple[V, float]]]) -> V:
        value, seconds = await ask()
        asked_at, key = question
        if asked_at == self._forgotten:
            if len(self._known) >= self._size:
                self._known.clear()
            self._known[key] = (time.monotonic() + seconds, value)
        return value
