"""Files as storage keeps them, and contents as they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from app.storage.local import LocalStorage


def local_storage(folder: Path) -> LocalStorage:
    """With a folder for each tenant below this one."""

    async def root_of(tenant_id: str) -> Path:
        return folder / tenant_id

    return LocalStorage(root_of)


async def pieces(content: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        await asyncio.sleep(0)
        yield content[start : start + size]


def everything_in(folder: Path) -> list[str]:
    """Every file below the folder, finished or not."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
