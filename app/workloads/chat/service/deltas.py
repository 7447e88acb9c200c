"""Tokens on their way to readers: the first one at once, the rest gathered, so that no stream is told too often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.engine.context import JobContext

BETWEEN = 0.05  # seconds: 20 events a second at most, whatever a model's speed


class Deltas:
    """Takes text as it comes and tells it beside: a slow Redis makes larger pieces, and never a slower model."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx
        self._waiting: list[str] = []
        self._told = 0  # characters
        self._news = asyncio.Event()

    def add(self, text: str) -> None:
        self._waiting.append(text)
        self._news.set()

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Tells while the block runs; what is left at its good end is told before it is over."""
        telling = asyncio.create_task(self._tell_on())
        try:
            yield
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        await self._tell()

    async def _tell_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.shield(self._tell())
            await asyncio.sleep(BETWEEN)

    async def _tell(self) -> None:
        """`offset` is where in the reply the text belongs, in characters: by it readers see what they missed."""
        waiting, self._waiting = "".join(self._waiting), []
        if waiting:
            offset, self._told = self._told, self._told + len(waiting)
            await self._ctx.tell("delta", {"text": waiting, "offset": offset})
