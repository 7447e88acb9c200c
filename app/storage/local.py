"""Files in folders of this machine, or of a volume that all machines share.

A file is written under a name of its own, flushed, renamed to its key, and the folders that lead to it are flushed:
after a crash it is there as a whole, or not at all. All of it happens in threads, for a slow disk holds up no other
request.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from app.kit.errors import HomeroomError
from app.storage.port import CHUNK, NotStored, StorageFull, StoredObject, check_key, parts_of

# What a full disk, a used-up quota and a file beyond what the process may write are called.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
UNFINISHED = ".part-"  # no key begins with a dot

RootOf: TypeAlias = Callable[[str], Awaitable[Path]]


class LocalStorage:
    """`root_of` says where a tenant's folder is; whoever shares a volume has it say the same everywhere."""

    def __init__(self, root_of: RootOf) -> None:
        self._root_of = root_of

    async def put(self, tenant_id: str, key: str, content: bytes | AsyncIterable[bytes]) -> None:
        path = await self._path(tenant_id, key)
        with _room():
            file = await asyncio.to_thread(_begin, path)
            try:
                async for part in parts_of(content):
                    await asyncio.to_thread(file.write, part)
                await asyncio.to_thread(_finish, file, path)
            except BaseException:
                await asyncio.shield(asyncio.to_thread(_abandon, file))
                raise

    @asynccontextmanager
    async def local(self, tenant_id: str, key: str) -> AsyncIterator[Path]:
        path = await self._path(tenant_id, key)
        if not await asyncio.to_thread(path.is_file):
            raise NotStored(f"{tenant_id} has no file {key}")
        yield path

    async def read(self, tenant_id: str, key: str) -> AsyncIterator[bytes]:
        path = await self._path(tenant_id, key)
        try:
            file = await asyncio.to_thread(path.open, "rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotStored(f"{tenant_id} has no file {key}") from None
        with file:
            while part := await asyncio.to_thread(file.read, CHUNK):
                yield part

    async def files(self, tenant_id: str, folder: str) -> Sequence[StoredObject]:
        root = await self._root_of(tenant_id)
        return await asyncio.to_thread(_files, root, await self._path(tenant_id, folder))

    async def folders(self, tenant_id: str, folder: str) -> Sequence[str]:
        return await asyncio.to_thread(_folders, await self._path(tenant_id, folder))

    async def remove(self, tenant_id: str, folder: str) -> None:
        await asyncio.to_thread(_remove, await self._path(tenant_id, folder))

    async def remove_tenant(self, tenant_id: str) -> int:
        root = await self._root_of(tenant_id)
        count = len(await asyncio.to_thread(_files, root, root))
        await asyncio.to_thread(_remove, root)
        return count

    async def free(self, tenant_id: str) -> int | None:
        return await asyncio.to_thread(_free, await self._root_of(tenant_id))

    async def _path(self, tenant_id: str, key: str) -> Path:
        root = await self._root_of(tenant_id)
        path = root / check_key(key)
        # The key leads nowhere else; a link that somebody has put into the folder might.
        if not await asyncio.to_thread(_is_below, path, root):
            raise HomeroomError(f"a link leads {key} of {tenant_id} out of {root}; remove it")
        return path


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise StorageFull("The disk that keeps the files is full.") from error


def _is_below(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _begin(path: Path) -> BinaryIO:
    _make_folder(path.parent)
    return path.with_name(f"{UNFINISHED}{secrets.token_hex(8)}").open("xb")


def _finish(file: BinaryIO, path: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    Path(file.name).rename(path)
    _flush(path.parent)


def _abandon(file: BinaryIO) -> None:
    with contextlib.suppress(OSError):
        file.close()
    Path(file.name).unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """With those that lead there, each of them flushed into the one above it."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        _flush(each.parent)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(root: Path, folder: Path) -> list[StoredObject]:
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                if not name.startswith(UNFINISHED):
                    found.append(StoredObject(path.relative_to(root).as_posix(), path.stat().st_size))
    return sorted(found)


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _remove(folder: Path) -> None:
    """Repeatable, and also while another does the same."""
    while folder.exists():
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)
            _flush(folder.parent)


def _free(root: Path) -> int:
    while not root.exists():
        root = root.parent
    return shutil.disk_usage(root).free
