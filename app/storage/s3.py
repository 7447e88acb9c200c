"""Files in a bucket of AWS S3, or of a server that speaks its protocol. Loaded only where a deployment has one.

A put is visible as a whole or not at all: a file of more than one part becomes an object when its last part is in.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from app.kit.errors import Unavailable
from app.storage.port import CHUNK, NotStored, StorageFull, StoredObject, check_key, parts_of

if TYPE_CHECKING:
    from obstore.store import S3Config

PART = 5 * 1024 * 1024  # bytes: the least that S3 takes as a part of an upload
PARTS_AT_ONCE = 2  # of one file, in memory
REMOVED_AT_ONCE = 1000
SECONDS = timedelta(seconds=60)  # for one request
PATIENCE = timedelta(seconds=120)  # for one request with all of its repetitions
# How servers that can be full say it, in their answer: the error that tells of it holds the file's address as well.
FULL = (
    "507 Insufficient Storage",
    *(f"<Code>{code}</Code>" for code in ("InsufficientStorage", "QuotaExceeded", "XMinioStorageFull")),
)


class S3Storage:
    """Below the url's prefix each tenant has a folder of its own."""

    def __init__(self, url: str, options: Mapping[str, str], *, tries: int = 5) -> None:
        parts = urlsplit(url)
        self._prefix = parts.path.strip("/")
        plain = options.get("endpoint", "").startswith("http://")
        self._store = S3Store(
            parts.netloc,
            config=cast("S3Config", {**options}),  # settings name them as it does
            client_options={"allow_http": plain, "timeout": SECONDS},
            retry_config={"max_retries": tries, "retry_timeout": PATIENCE},
        )

    async def put(self, tenant_id: str, key: str, content: bytes | AsyncIterable[bytes]) -> None:
        path = self._path(tenant_id, key)
        if isinstance(content, bytes):
            with _understood(tenant_id, key):
                await obstore.put_async(self._store, path, content, use_multipart=False)
            return
        source = _Source(content)
        try:
            with _understood(tenant_id, key):
                parts = source.parts()
                await obstore.put_async(self._store, path, parts, chunk_size=PART, max_concurrency=PARTS_AT_ONCE)
        except Exception as error:
            raise source.trouble or error from None

    @asynccontextmanager
    async def local(self, tenant_id: str, key: str) -> AsyncIterator[Path]:
        """A copy for as long as it is read."""
        with tempfile.TemporaryDirectory(prefix="homeroom-") as folder:
            path = Path(folder, Path(key).name)
            file = await asyncio.to_thread(path.open, "wb")
            with file:
                async for part in self.read(tenant_id, key):
                    await asyncio.to_thread(file.write, part)
            yield path

    async def read(self, tenant_id: str, key: str) -> AsyncIterator[bytes]:
        with _understood(tenant_id, key):
            found = await obstore.get_async(self._store, self._path(tenant_id, key))
            async for part in found.stream(min_chunk_size=CHUNK):
                yield bytes(part)

    async def files(self, tenant_id: str, folder: str) -> Sequence[StoredObject]:
        return await self._files(tenant_id, self._path(tenant_id, folder))

    async def folders(self, tenant_id: str, folder: str) -> Sequence[str]:
        with _understood(tenant_id, folder):
            found = await obstore.list_with_delimiter_async(self._store, f"{self._path(tenant_id, folder)}/")
        return sorted(each.rstrip("/").rpartition("/")[2] for each in found["common_prefixes"])

    async def remove(self, tenant_id: str, folder: str) -> None:
        await self._remove(tenant_id, self._path(tenant_id, folder))

    async def remove_tenant(self, tenant_id: str) -> int:
        return await self._remove(tenant_id, self._root(tenant_id))

    async def free(self, tenant_id: str) -> int | None:
        return None

    async def _files(self, tenant_id: str, path: str) -> list[StoredObject]:
        root = self._root(tenant_id)
        found = []
        with _understood(tenant_id, path):
            async for batch in obstore.list(self._store, f"{path}/"):
                found += [StoredObject(each["path"][len(root) + 1 :], each["size"]) for each in batch]
        return sorted(found)

    async def _remove(self, tenant_id: str, path: str) -> int:
        found = [f"{self._root(tenant_id)}/{each.key}" for each in await self._files(tenant_id, path)]
        for start in range(0, len(found), REMOVED_AT_ONCE):
            with _understood(tenant_id, path):
                await obstore.delete_async(self._store, found[start : start + REMOVED_AT_ONCE])
        return len(found)

    def _root(self, tenant_id: str) -> str:
        return f"{self._prefix}/{tenant_id}" if self._prefix else tenant_id

    def _path(self, tenant_id: str, key: str) -> str:
        return f"{self._root(tenant_id)}/{check_key(key)}"


class _Source:
    """The parts of a content, and what was raised while they were made: the store would tell it in its own words."""

    def __init__(self, content: AsyncIterable[bytes]) -> None:
        self._content = content
        self.trouble: BaseException | None = None

    async def parts(self) -> AsyncIterator[bytes]:
        try:
            async for part in parts_of(self._content):
                yield part
        except BaseException as error:
            self.trouble = error
            raise


@contextmanager
def _understood(tenant_id: str, key: str) -> Iterator[None]:
    """The store's errors in our words. What it says may hold addresses and is not for clients."""
    try:
        yield
    except FileNotFoundError:
        raise NotStored(f"{tenant_id} has no file {key}") from None
    except BaseError as error:
        if any(word in str(error) for word in FULL):
            raise StorageFull("The store that keeps the files is full.") from error
        raise Unavailable("The store that keeps the files does not answer.") from error
