"""The registry of tenants: who is served, within which limits, from which folders. Changes are live within a second."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import json
from app.kit.db import Connection, Database
from app.kit.errors import Refusal
from app.kit.tenant import TENANT_ID
from app.tenancy.limits import TenantLimits
from app.tenancy.models import Tenant

POLICY_SECONDS = 1.0  # how old a remembered policy may be


class InvalidTenant(Refusal):
    status = 422
    code = "invalid_tenant"
    title = "This cannot be a tenant"
    cure = "Ids: 1 to 64 letters, digits, `_` and `-`, the first a letter or digit. Folders: absolute paths."


class TenantNotFound(Refusal):
    status = 404
    code = "tenant_not_found"
    title = "There is no such tenant"
    cure = "GET /admin/tenants lists them; PUT /admin/tenants/{id} registers one."


@dataclass(frozen=True, slots=True)
class TenantRecord:
    """A tenant as the registry knows it."""

    tenant_id: str
    enabled: bool
    data_dir: str | None
    uploads_dir: str | None
    limits: TenantLimits
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None


async def create_tenant(database: Database, tenant_id: str) -> bool:
    """Register a tenant with every default; False where it was registered already."""
    check_id(tenant_id)
    async with database.session(tenant_id) as session:
        made = await session.scalar(
            insert(Tenant).values(tenant_id=tenant_id).on_conflict_do_nothing().returning(Tenant.tenant_id)
        )
        return made is not None


async def put_tenant(
    session: AsyncSession,
    tenant_id: str,
    *,
    enabled: bool,
    data_dir: str | None,
    uploads_dir: str | None,
    limits: TenantLimits,
) -> bool:
    """Register or change a tenant; True where it is new."""
    check_id(tenant_id)
    values = {
        "enabled": enabled,
        "data_dir": _folder(data_dir),
        "uploads_dir": _folder(uploads_dir),
        "limits": limits.model_dump(exclude_defaults=True),
    }
    was = await session.get(Tenant, tenant_id)
    statement = insert(Tenant).values(tenant_id=tenant_id, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id"], set_=values | {"updated_at": func.now()})
    )
    if was is not None:
        await session.refresh(was)
    return was is None


async def get_tenant(session: AsyncSession, tenant_id: str) -> TenantRecord:
    tenant = await session.scalar(select(Tenant).where(Tenant.tenant_id == tenant_id))
    if tenant is None:
        raise TenantNotFound(f"{tenant_id!r} is not registered.")
    return TenantRecord(
        tenant.tenant_id,
        tenant.enabled,
        tenant.data_dir,
        tenant.uploads_dir,
        TenantLimits.model_validate(tenant.limits),
        tenant.created_at,
        tenant.updated_at,
        tenant.erased_at,
    )


async def disable_tenant(session: AsyncSession, tenant_id: str) -> TenantRecord:
    """Serve it no more; nothing of it is erased."""
    await get_tenant(session, tenant_id)
    tenant = await session.get_one(Tenant, tenant_id)
    tenant.enabled = False
    tenant.updated_at = func.now()
    await session.flush()
    await session.refresh(tenant)
    return await get_tenant(session, tenant_id)


async def list_tenants(ledger: Connection) -> Sequence[TenantRecord]:
    """All of them, by id: for operators, through the engine's role, which may read the registry across tenants."""
    records = await ledger.fetch(
        "select tenant_id, enabled, data_dir, uploads_dir, limits::text as limits, created_at, updated_at, erased_at "
        "from tenants order by tenant_id"
    )
    return [
        TenantRecord(**(dict(record) | {"limits": TenantLimits.model_validate(json.loads(record["limits"]))}))
        for record in records
    ]


class Policies:
    """What a tenant may do, remembered for a moment so that not every request asks for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, TenantRecord]] = {}

    async def of(self, tenant_id: str) -> TenantRecord:
        known = self._known.get(tenant_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        async with self._database.session(tenant_id) as session:
            record = await get_tenant(session, tenant_id)
        self._known[tenant_id] = (time.monotonic() + POLICY_SECONDS, record)
        return record


def check_id(tenant_id: str) -> None:
    if TENANT_ID.fullmatch(tenant_id) is None:
        raise InvalidTenant(f"{tenant_id!r} is no tenant id.")


def _folder(path: str | None) -> str | None:
    """A folder that a tenant may be given: absolute, and going nowhere else by `..`."""
    if path is None:
        return None
    parts = PurePosixPath(path)
    if not parts.is_absolute() or ".." in parts.parts or "\x00" in path or parts == PurePosixPath("/"):
        raise InvalidTenant(f"{path!r} is no absolute path of a folder.")
    return str(parts)
