"""What was recognised before: a page is read once, for as long as its picture and its recogniser stay the same."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import Any, Protocol

from pydantic import ValidationError

from app.documents.ocr.service import LINES, OcrService
from app.documents.sandbox.run import Bitmap, Cells
from app.kit import json

READING = 1  # raised with every change of child.py that reads the same picture otherwise


class PageMemory(Protocol):
    """Keeps what was recognised, by name. What it cannot keep, or does not find again, is recognised anew."""

    async def recall(self, name: str) -> bytes | None: ...

    async def keep(self, name: str, content: bytes) -> None: ...


async def recognise_once(service: OcrService, memory: PageMemory, bitmap: Bitmap, cells: Cells) -> list[dict[str, Any]]:
    """As the memory has it, else as the service reads it now."""
    name = await asyncio.to_thread(name_of, bitmap, cells)
    content = await memory.recall(name)
    if content is not None:
        with suppress(ValidationError):  # what is damaged is read again, and replaced
            return [line.model_dump() for line in LINES.validate_json(content)]
    lines = await service.recognise(bitmap, cells)
    await memory.keep(name, json.dumps(lines))
    return lines


def name_of(bitmap: Bitmap, cells: Cells) -> str:
    """The picture itself, what is asked of it, and by whom: pages of a changed file have other names."""
    asked = json.dumps([READING, _recogniser(), bitmap.width, bitmap.height, cells])
    digest = hashlib.blake2b(asked, digest_size=20)
    digest.update(bitmap.pixels)
    return digest.hexdigest()


@cache
def _recogniser() -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version("rapidocr")
    return None
