"""What storage does, whatever it is made of. A file is named by its tenant and a key: `exams/<id>/sources/01.pdf`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from app.kit.errors import HomeroomError, Refusal

CHUNK = 1024 * 1024  # bytes that are read, written or sent at a time

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LONGEST_KEY = 512


class StorageFull(Refusal):
    status = 507
    code = "storage_full"
    title = "There is no room for these files"
    cure = "Tell the operators: the storage is full. Nothing of the request was kept; send it again when there is room."


class NotStored(HomeroomError):
    """There is no such file."""


class StoredObject(NamedTuple):
    """A file as a listing tells of it."""

    key: str
    size: int


class Storage(Protocol):
    """Files of tenants. No key leads out of its tenant's own place."""

    async def put(self, tenant_id: str, key: str, content: bytes | AsyncIterable[bytes]) -> None:
        """Keep a file: the whole of it is there, durably, or nothing is. What had the key before is replaced.

        Whatever `content` raises is passed on. Raises StorageFull where there is no room.
        """

    def local(self, tenant_id: str, key: str) -> AbstractAsyncContextManager[Path]:
        """A path on this machine, for reading, for as long as the block lasts. Raises NotStored."""

    def read(self, tenant_id: str, key: str) -> AsyncIterator[bytes]:
        """The content, a part at a time. Raises NotStored before the first part."""

    async def files(self, tenant_id: str, folder: str) -> Sequence[StoredObject]:
        """Every file in the folder and below it, by key."""

    async def folders(self, tenant_id: str, folder: str) -> Sequence[str]:
        """The names of what stands directly in the folder and holds files."""

    async def remove(self, tenant_id: str, folder: str) -> None:
        """The folder goes with all that is in it; one that is not there is gone already."""

    async def remove_tenant(self, tenant_id: str) -> int:
        """Everything of the tenant goes; how many files that were."""

    async def free(self, tenant_id: str) -> int | None:
        """Bytes that there is room for; None where nobody can tell."""


async def read_all(storage: Storage, tenant_id: str, key: str) -> bytes:
    """A small file as a whole."""
    return b"".join([part async for part in storage.read(tenant_id, key)])


def check_key(key: str) -> str:
    """The key, where it is one: relative, of plain names, none of which means another place."""
    if len(key) > _LONGEST_KEY or not all(_PART.fullmatch(part) for part in key.split("/")):
        raise ValueError(f"{key!r} is no key of a file; write plain names joined by `/`")
    return key


async def parts_of(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The content in parts of a good size: what arrives in small pieces is gathered first."""
    if isinstance(content, bytes):
        yield content
        return
    gathered = bytearray()
    async for piece in content:
        gathered += piece
        if len(gathered) >= CHUNK:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)
