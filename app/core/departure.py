"""What `homeroom tenant export` and `erase` do: hand a tenant all that is kept of it, and let it be gone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from app.core.administration import BY, at_shell
from app.core.storage import build_storage
from app.kit.errors import ConfigurationError
from app.storage.port import Storage
from app.tenancy import erasure
from app.tenancy.tenants import Policies

ROWS = "rows.ndjson"
FILES = "files"


class Exported(NamedTuple):
    rows: int
    files: int


class Erased(NamedTuple):
    rows: Mapping[str, int]  # by table
    files: int


async def export_tenant(tenant_id: str, folder: Path) -> Exported:
    """Every row as a line of JSON, and every uploaded file as it came, into a folder that is not there yet."""
    async with at_shell() as (settings, database):
        async with database.session(tenant_id) as session:
            await erasure.record_export(session, tenant_id, BY)
        _make(folder)
        rows = 0
        with (folder / ROWS).open("wb") as file:
            async for lines in erasure.export_rows(database, tenant_id):
                file.write(lines)
                rows += lines.count(b"\n")
        storage = build_storage(settings.storage, Policies(database))
        return Exported(rows, await _copy(storage, tenant_id, folder / FILES))


async def erase_tenant(tenant_id: str, confirm: str) -> Erased:
    """The rows in one transaction, then the files: were it broken off in between, repeating it ends it."""
    async with at_shell() as (settings, database):
        storage = build_storage(settings.storage, Policies(database))
        async with database.session(tenant_id) as session:
            _, rows = await erasure.erase_tenant(session, tenant_id, confirm, BY)
        return Erased(rows, await storage.remove_tenant(tenant_id))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {folder} cannot be made: {error.strerror}.",
            cure="Name one that is not there yet, in a place that you may write to.",
        ) from None


async def _copy(storage: Storage, tenant_id: str, target: Path) -> int:
    from app.workloads.assignment.upload import ASSIGNMENTS  # noqa: PLC0415 - forms and drafts, only needed here
    from app.workloads.exam.upload import EXAMS  # noqa: PLC0415

    copied = 0
    for kind in (EXAMS, ASSIGNMENTS):
        for stored in await storage.files(tenant_id, kind.path):
            with _place(target, stored.key).open("wb") as file:
                async for part in storage.read(tenant_id, stored.key):
                    file.write(part)
            copied += 1
    return copied


def _place(target: Path, key: str) -> Path:
    path = target / key
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
