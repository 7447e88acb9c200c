"""Where files are kept: can they be written, flushed, read again and removed, and is there room?"""

from __future__ import annotations

import secrets
import shutil
import statistics
import time
from pathlib import Path

from app.core.config import Settings, StorageSettings
from app.core.doctor.findings import Finding, Findings, fail, ok, warn
from app.core.storage import build_storage
from app.kit.db import Database
from app.kit.errors import ConfigurationError, HomeroomError
from app.storage.local import LocalStorage
from app.storage.port import Storage
from app.tenancy.tenants import Policies

NOBODY = "-doctor"  # no tenant's id begins like this
WRITES = 10
SLOW_WRITE = 0.1  # seconds
LEAST_FREE, LITTLE_FREE = 2**30, 10 * 2**30  # bytes


async def check_storage(settings: Settings) -> Findings:
    where = settings.storage.url or settings.storage.folder
    try:
        storage = _open(settings)
        taken = [await _round_trip(storage) for _ in range(WRITES)]
        await storage.remove_tenant(NOBODY)
    except ConfigurationError as error:
        yield fail("storage", error.problem, error.cure)
    except (OSError, HomeroomError) as error:
        yield fail("storage", f"{where} cannot be used: {error}", _cure(settings.storage))
    else:
        yield _judge(where, taken)
        if not settings.storage.url:
            yield _room(Path(settings.storage.folder))


def _open(settings: Settings) -> Storage:
    if settings.storage.url:  # a bucket asks no policy where a tenant's folder is
        return build_storage(settings.storage, Policies(Database(settings.database.options(), application_name="")))
    folder = Path(settings.storage.folder).absolute()

    async def root_of(tenant_id: str) -> Path:
        return folder / tenant_id

    return LocalStorage(root_of)


async def _round_trip(storage: Storage) -> float:
    """Write, read, compare: what an upload and its worker do. In seconds, until it was written and flushed."""
    key, content = f"examination/{secrets.token_hex(8)}", secrets.token_bytes(8192)
    began = time.perf_counter()
    await storage.put(NOBODY, key, content)
    taken = time.perf_counter() - began
    if b"".join([part async for part in storage.read(NOBODY, key)]) != content:
        raise HomeroomError("it read back something else than was written")
    return taken


def _judge(where: str, taken: list[float]) -> Finding:
    median = statistics.median(taken)
    found = f"{where}: written and read; {median * 1000:.1f} ms a file, {max(taken) * 1000:.1f} ms the slowest"
    if median > SLOW_WRITE:
        return warn("storage", found, "Uploads wait for each file: use a faster disk, or a nearer bucket.")
    return ok("storage", found)


def _room(folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    found = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.0f} free"
    cure = "Add room, or lower tenants' retention_days: when it is full, uploads are refused (507)."
    if usage.free < LEAST_FREE:
        return fail("disk", found, cure)
    return warn("disk", found, cure) if usage.free < LITTLE_FREE else ok("disk", found)


def _cure(storage: StorageSettings) -> str:
    if storage.url:
        return "Correct STORAGE_URL, STORAGE_ENDPOINT and its keys, and see that they may put, get, list and delete."
    return "Set STORAGE_DIR to a folder that this user may write to, on a volume that all machines share."
