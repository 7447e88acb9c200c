"""The registry of tenants: who is served, within which limits, from which folders. Changes are live within a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath

import asyncpg
from sqlalchemy import func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import json
from app.kit.db import Connection, Database
from app.kit.errors import Refusal
from app.kit.remember import Remembered
from app.kit.tenant import TENANT_ID
from app.tenancy.audit import SYSTEM, Hand, record
from app.tenancy.limits import PERMITS, TenantLimits
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


@dataclass(frozen=True, slots=True)
class TenantWish:
    """How a tenant shall be."""

    enabled: bool = True
    data_dir: str | None = None
    uploads_dir: str | None = None
    limits: TenantLimits = field(default_factory=TenantLimits)


async def create_tenant(database: Database, tenant_id: str, by: Hand = SYSTEM) -> bool:
    """Register a tenant with every default; False where it was registered already."""
    check_id(tenant_id)
    async with database.session(tenant_id) as session:
        made = await session.scalar(
            insert(Tenant).values(tenant_id=tenant_id).on_conflict_do_nothing().returning(Tenant.tenant_id)
        )
        if made is not None:
            await record(session, tenant_id, by.deed("tenant.put", tenant_id, created=True))
        return made is not None


async def put_tenant(session: AsyncSession, tenant_id: str, wish: TenantWish, by: Hand) -> tuple[TenantRecord, bool]:
    """Register or change a tenant; the record, and whether it is new."""
    check_id(tenant_id)
    values = {
        "enabled": wish.enabled,
        "data_dir": _folder(wish.data_dir),
        "uploads_dir": _folder(wish.uploads_dir),
        "limits": wish.limits.model_dump(exclude_unset=True),  # a default that is asked for stays, whatever the default
    }
    # xmax names the transaction that replaced a row; of a row that was just inserted it is 0.
    created: bool = (
        await session.execute(
            insert(Tenant)
            .values(tenant_id=tenant_id, **values)
            .on_conflict_do_update(index_elements=["tenant_id"], set_=values | {"updated_at": func.now()})
            .returning(literal_column("xmax = 0"))
        )
    ).scalar_one()
    await record(session, tenant_id, by.deed("tenant.put", tenant_id, created=created, **values))
    return await get_tenant(session, tenant_id), created


async def get_tenant(session: AsyncSession, tenant_id: str) -> TenantRecord:
    # The row as it stands, not as this session may remember it from before a change.
    query = select(Tenant).where(Tenant.tenant_id == tenant_id).execution_options(populate_existing=True)
    tenant = await session.scalar(query)
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


async def disable_tenant(session: AsyncSession, tenant_id: str, by: Hand) -> TenantRecord:
    """Serve it no more; nothing of it is erased. To repeat it changes nothing, and is recorded all the same."""
    await get_tenant(session, tenant_id)
    disabled = await session.scalar(
        update(Tenant)
        .where(Tenant.tenant_id == tenant_id, Tenant.enabled)
        .values(enabled=False, updated_at=func.now())
        .returning(Tenant.tenant_id)
        .execution_options(synchronize_session=False)
    )
    await record(session, tenant_id, by.deed("tenant.disable", tenant_id, changed=disabled is not None))
    return await get_tenant(session, tenant_id)


async def list_tenants(ledger: Connection, *, after: str = "", limit: int | None = None) -> Sequence[TenantRecord]:
    """Tenants by id, those after `after`: for operators, through the engine's role, which may read all of them."""
    return [_read(row) for row in await ledger.fetch(_LIST, after, limit)]


async def find_tenant(ledger: Connection, tenant_id: str) -> TenantRecord:
    """One of them, in one round trip: for those who ask every second."""
    row = await ledger.fetchrow(_FIND, tenant_id)
    if row is None:
        raise TenantNotFound(f"{tenant_id!r} is not registered.")
    return _read(row)


async def uncommon_weights(ledger: Connection) -> dict[str, float]:
    """The weights of tenants that have one of their own, through the engine's role; all others have the default."""
    return {record["tenant_id"]: record["weight"] for record in await ledger.fetch(_WEIGHTS)}


class Policies:
    """What a tenant may do, remembered for a moment so that not every request asks for it.

    The engine asks by its own words (`TenantPolicy`), in API processes and in workers alike. Jobs may outlive their
    tenant's registration; for those the defaults hold.
    """

    def __init__(
        self, database: Database, *, lane_capacity: int = TenantLimits.model_fields["lane_max_queue"].default
    ) -> None:
        self._database = database
        self._lane_capacity = lane_capacity  # the deployment's, for tenants without one of their own
        self._known: Remembered[str, TenantRecord] = Remembered(ahead=POLICY_SECONDS / 2)

    async def of(self, tenant_id: str) -> TenantRecord:
        return await self._known.get(tenant_id, partial(self._ask, tenant_id))

    async def jobs_per_minute(self, tenant_id: str) -> int:
        return (await self._limits(tenant_id)).jobs_per_minute

    async def max_queued(self, tenant_id: str) -> int:
        return (await self._limits(tenant_id)).max_queued

    async def weight(self, tenant_id: str) -> float:
        return (await self._limits(tenant_id)).weight

    async def permits(self, tenant_id: str, name: str) -> int:
        if name not in PERMITS:
            raise LookupError(f"{name!r} is no permit; there are {', '.join(sorted(PERMITS))}")
        count: int = getattr(await self._limits(tenant_id), name)
        return count

    async def lane_capacity(self, tenant_id: str) -> int:
        limits = await self._limits(tenant_id)
        return limits.lane_max_queue if "lane_max_queue" in limits.model_fields_set else self._lane_capacity

    def forget(self, tenant_id: str) -> None:
        """The tenant was changed here: the next request asks anew."""
        self._known.forget(lambda record: record.tenant_id == tenant_id)

    async def _limits(self, tenant_id: str) -> TenantLimits:
        try:
            return (await self.of(tenant_id)).limits
        except TenantNotFound:
            return TenantLimits()

    async def _ask(self, tenant_id: str) -> tuple[TenantRecord, float]:
        async with self._database.ledger.acquire() as ledger:
            return await find_tenant(ledger, tenant_id), POLICY_SECONDS


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


def _read(row: asyncpg.Record) -> TenantRecord:
    return TenantRecord(**(dict(row) | {"limits": TenantLimits.model_validate(json.loads(row["limits"]))}))


_FIND = """
select tenant_id, enabled, data_dir, uploads_dir, limits::text as limits, created_at, updated_at, erased_at
from tenants where tenant_id = $1
"""

# By the bytes of the ids: the same order under every collation of a database.
_LIST = """
select tenant_id, enabled, data_dir, uploads_dir, limits::text as limits, created_at, updated_at, erased_at
from tenants where tenant_id collate "C" > $1 order by tenant_id collate "C" limit $2
"""

_WEIGHTS = "select tenant_id, (limits->>'weight')::float8 as weight from tenants where limits ? 'weight'"
