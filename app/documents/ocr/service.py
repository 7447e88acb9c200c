"""The parent of the recogniser's process: one page at a time, restarted when it dies, hangs or has grown."""

from __future__ import annotations

import asyncio
from typing import Any

import psutil
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.documents.failures import DocumentFailure
from app.documents.limits import Limits
from app.documents.sandbox import frames
from app.documents.sandbox.process import ChildProcess
from app.documents.sandbox.run import Bitmap, Cells
from app.kit.logging import get_logger

MODULE = "app.documents.ocr.child"
START_SECONDS = 120.0
REPLY_BYTES = 4 * 1024 * 1024
TRIES = 2
THREADS = 2

log = get_logger(__name__)


class OcrLine(BaseModel):
    text: str = Field(max_length=5_000)
    score: float = Field(ge=0, le=1)
    box: list[tuple[float, float]] = Field(min_length=4, max_length=4)


LINES = TypeAdapter(list[OcrLine])
GONE = (asyncio.IncompleteReadError, ConnectionError, TimeoutError, frames.BadFrame, ValidationError)


class OcrService:
    """One for each worker process. Its child starts with the first page and ends with `close`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._child: ChildProcess | None = None
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.process.pid

    async def recognise(self, bitmap: Bitmap, cells: Cells = None) -> list[dict[str, Any]]:
        """The lines of a page with their boxes; with cells, one text for each of them."""
        async with self._turn:
            for _ in range(TRIES):
                try:
                    lines = await self._ask(bitmap, cells)
                except GONE as error:
                    log.warning("the text recogniser is restarted", cause=repr(error), said=self._complaint())
                    await self._stop()
                except BaseException:  # a cancelled job: its page must not be the answer to the next one's
                    await self._stop()
                    raise
                else:
                    await self._stop_if_grown()
                    return [line.model_dump() for line in lines]
        raise DocumentFailure("ocr_failed", "the text recogniser failed on this page, twice")

    async def close(self) -> None:
        async with self._turn:
            await self._stop()

    async def _ask(self, bitmap: Bitmap, cells: Cells) -> list[OcrLine]:
        child = self._child or await self._start()
        async with asyncio.timeout(self._limits.ocr_page_seconds):
            child.stdin.write(frames.pack_json({"width": bitmap.width, "height": bitmap.height, "cells": cells}))
            child.stdin.write(frames.pack(frames.BYTES, bitmap.pixels))
            await child.stdin.drain()
            reply = await frames.receive_json(child.stdout, REPLY_BYTES)
        return LINES.validate_python(reply.get("lines"))

    async def _start(self) -> ChildProcess:
        arguments = (str(self._limits.bitmap_pixels), str(THREADS))
        self._child = await ChildProcess.start(MODULE, arguments, resident_bytes=2 * self._limits.ocr_resident_bytes)
        async with asyncio.timeout(START_SECONDS):
            try:
                await frames.receive_json(self._child.stdout, REPLY_BYTES)
            except asyncio.IncompleteReadError as error:
                if "ModuleNotFoundError" in self._child.complaint:
                    raise DocumentFailure("ocr_unavailable", "the text recogniser is not installed") from error
                raise
        return self._child

    async def _stop_if_grown(self) -> None:
        if self.pid is None:
            return
        try:
            grown = psutil.Process(self.pid).memory_info().rss > self._limits.ocr_resident_bytes
        except psutil.Error:
            grown = True
        if grown:
            await self._stop()

    def _complaint(self) -> str:
        return "" if self._child is None else self._child.complaint[-300:]

    async def _stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.kill()
