"""What a folder adds: disks get full, links lead astray, machines crash, and tenants have places of their own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from app.core.config import StorageSettings
from app.core.storage import build_storage, roots
from app.kit.db import Database
from app.kit.errors import ConfigurationError, HomeroomError
from app.storage.local import LocalStorage
from app.storage.port import StorageFull, read_all
from app.tenancy.audit import SYSTEM
from app.tenancy.tenants import Policies, TenantWish, put_tenant
from tests.support.disks import SMALL, bounded_files, small_disk
from tests.support.files import everything_in, pieces
from tests.support.files import local_storage as local

FULL: dict[str, Callable[[Path], AbstractContextManager[None]]] = {
    "a small disk": small_disk,
    "a bound on files": lambda _: bounded_files(),
}


@pytest.mark.parametrize("full", FULL.values(), ids=FULL.keys())
async def test_a_full_disk_is_a_refusal_and_keeps_nothing(
    tmp_path: Path, full: Callable[[Path], AbstractContextManager[None]]
) -> None:
    storage = local(tmp_path)
    with full(tmp_path):
        for content in (b"x" * 2 * SMALL, pieces(b"x" * 20 * SMALL)):
            with pytest.raises(StorageFull) as refused:
                await storage.put("demo", "exams/1/a.pdf", content)
            assert (refused.value.status, refused.value.code) == (507, "storage_full")
        assert everything_in(tmp_path) == []
        await storage.put("demo", "exams/1/a.pdf", b"x" * (SMALL // 4))
        assert everything_in(tmp_path) == ["demo/exams/1/a.pdf"]


async def test_a_put_that_is_cancelled_keeps_nothing(tmp_path: Path) -> None:
    storage, reached = local(tmp_path), asyncio.Event()

    async def endless() -> Any:
        yield b"x" * 3_000_000
        reached.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(storage.put("demo", "exams/1/a.pdf", endless()))
    await reached.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert everything_in(tmp_path) == []


async def test_file_and_folders_are_flushed_before_a_put_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()).removeprefix(str(tmp_path)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    await local(tmp_path).put("demo", "exams/1/a.pdf", b"abc")
    *folders, file, last = flushed
    assert folders == ["", "/demo", "/demo/exams"]  # each new folder, in the one above it
    assert file.startswith("/demo/exams/1/.part-")  # the content, before it has its name
    assert last == "/demo/exams/1"  # its name


async def test_what_a_crash_left_unfinished_is_no_file(tmp_path: Path) -> None:
    storage = local(tmp_path)
    await storage.put("demo", "exams/1/a.pdf", b"abc")
    (tmp_path / "demo/exams/1/.part-0123").write_bytes(b"half")
    assert [each.key for each in await storage.files("demo", "exams")] == ["exams/1/a.pdf"]
    await storage.remove("demo", "exams/1")
    assert not (tmp_path / "demo/exams/1").exists()


async def test_a_link_in_the_folder_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    storage = local(tmp_path / "files")
    await storage.put("demo", "exams/1/a.pdf", b"abc")
    (tmp_path / "files/demo/exams/2").symlink_to(outside)
    (tmp_path / "files/demo/exams/1/b.pdf").symlink_to(outside / "secret")
    for key in ("exams/2/secret", "exams/1/b.pdf"):
        for deed in (read_all(storage, "demo", key), storage.put("demo", key, b"x"), storage.remove("demo", key)):
            with pytest.raises(HomeroomError, match="a link leads"):
                await deed
    assert await storage.folders("demo", "exams") == ["1"]
    await storage.remove_tenant("demo")
    assert (outside / "secret").read_bytes() == b"secret"


async def test_two_who_remove_the_same_do_not_disturb_each_other(tmp_path: Path) -> None:
    storage = local(tmp_path)
    for number in range(100):
        await storage.put("demo", f"exams/1/{number}", b"x")
    await asyncio.gather(*(storage.remove("demo", "exams/1") for _ in range(4)))
    assert await storage.folders("demo", "exams") == []


async def test_there_is_room_for_what_the_disk_has(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small"):
        free = await local(tmp_path / "small" / "not" / "there").free("demo")
    assert free is not None
    assert free > 0


async def test_a_tenant_s_files_are_where_its_registration_says(
    database: Database, tenant: str, tmp_path: Path
) -> None:
    expected = {
        tmp_path / "all" / tenant: TenantWish(),
        tmp_path / "data" / "uploads" / tenant: TenantWish(data_dir=f"{tmp_path}/data"),
        tmp_path / "own" / tenant: TenantWish(data_dir=f"{tmp_path}/data", uploads_dir=f"{tmp_path}/own"),
    }
    assert await roots(tmp_path / "all", Policies(database))(tenant) == tmp_path / "all" / tenant  # not registered
    for folder, wish in expected.items():
        async with database.session(tenant) as session:
            await put_tenant(session, tenant, wish, SYSTEM)
        settings = StorageSettings(STORAGE_DIR=str(tmp_path / "all"))
        await build_storage(settings, Policies(database)).put(tenant, "exams/1/a.pdf", b"abc")
        assert (folder / "exams/1/a.pdf").read_bytes() == b"abc"


def test_the_extra_for_s3_is_asked_for_by_its_name(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "app.storage.s3", None)
    with pytest.raises(ConfigurationError, match="Install the extra `s3`"):
        build_storage(StorageSettings(STORAGE_URL="s3://files"), Policies(database))


def test_a_local_storage_is_what_there_is_without_settings(database: Database) -> None:
    assert isinstance(build_storage(StorageSettings(), Policies(database)), LocalStorage)
