"""What `homeroom tenant`, `homeroom key` and `homeroom audit` do; the audit log names `cli` as who did it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.core.config import Settings, load_settings
from app.core.preflight import open_database
from app.kit.db import Database
from app.kit.errors import ConfigurationError, Refusal
from app.tenancy import audit, keys, secrets, tenants
from app.tenancy.keys import KeyWish, Pepper
from app.tenancy.models import ApiKey
from app.tenancy.tenants import TenantNotFound, TenantRecord
from app.tenancy.vault import Vault

DEFAULT_SCOPES = ("jobs:read", "jobs:write")
BY = audit.Hand("cli")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one audit log stands."""

    tenant_id: str
    entries: int
    first_broken: int | None


async def create_tenant(tenant_id: str) -> bool:
    async with at_shell() as (_, database):
        return await tenants.create_tenant(database, tenant_id, BY)


async def list_tenants() -> Sequence[TenantRecord]:
    async with at_shell() as (_, database), database.ledger.acquire() as connection:
        return await tenants.list_tenants(connection)


async def disable_tenant(tenant_id: str) -> TenantRecord:
    async with at_shell() as (_, database), database.session(tenant_id) as session:
        return await tenants.disable_tenant(session, tenant_id, BY)


async def create_key(tenant_id: str, *, name: str, scopes: Sequence[str] | None, expires_in: float | None) -> str:
    expires_at = _in_days(expires_in)
    async with at_shell() as (settings, database), database.session(tenant_id) as session:
        pepper = Pepper(settings.master_key, settings.security.previous_master_keys)
        wish = KeyWish(name, frozenset(scopes or DEFAULT_SCOPES), expires_at)
        return (await keys.make_key(session, pepper, tenant_id, wish, BY)).text


async def list_keys(tenant_id: str) -> Sequence[ApiKey]:
    async with at_shell() as (_, database), database.session(tenant_id) as session:
        await tenants.get_tenant(session, tenant_id)
        return await keys.list_keys(session, tenant_id)


async def revoke_key(tenant_id: str, key_id: str) -> None:
    async with at_shell() as (_, database), database.session(tenant_id) as session:
        await tenants.get_tenant(session, tenant_id)
        await keys.revoke_key(session, tenant_id, key_id, BY)


async def rewrap_data_keys() -> int:
    """Put every tenant's data key under the current master key; how many were under an earlier one."""
    async with at_shell() as (settings, database):
        vault = Vault(settings.master_key, settings.security.previous_master_keys)
        async with database.ledger.acquire() as connection:
            registered = await tenants.list_tenants(connection)
        rewrapped = 0
        for each in registered:
            async with database.session(each.tenant_id) as session:
                if await secrets.rewrap(session, vault, each.tenant_id):
                    await audit.record(session, each.tenant_id, BY.deed("data_key.rewrap", each.tenant_id))
                    rewrapped += 1
        return rewrapped


async def verify_audit(tenant_id: str | None) -> Sequence[Verdict]:
    """The log of one tenant; without one, the deployment's own and every tenant's."""
    async with at_shell() as (_, database):
        if tenant_id is not None:
            return [await _verify(database, tenant_id)]
        async with database.ledger.acquire() as connection:
            registered = await tenants.list_tenants(connection)
        return [await _verify(database, each) for each in (audit.PLATFORM, *(each.tenant_id for each in registered))]


async def _verify(database: Database, tenant_id: str) -> Verdict:
    async with database.session(tenant_id) as session:
        if tenant_id != audit.PLATFORM:
            await tenants.get_tenant(session, tenant_id)
        entries = await audit.count_entries(session, tenant_id)
        return Verdict(tenant_id, entries, await audit.first_broken(session, tenant_id))


def _in_days(days: float | None) -> datetime | None:
    try:
        return datetime.now(UTC) + timedelta(days=days) if days is not None else None
    except (OverflowError, ValueError):
        raise ConfigurationError(f"{days:g} days are beyond the calendar.", cure="Give fewer.") from None


@asynccontextmanager
async def at_shell() -> AsyncIterator[tuple[Settings, Database]]:
    """An open database; a refusal of what is done with it is told as a person at a shell can use it."""
    settings = load_settings()
    database = await open_database(settings, "homeroom cli")
    try:
        yield settings, database
    except TenantNotFound as refusal:
        cure = "`homeroom tenant list` shows them; `homeroom tenant create ID` registers one."
        raise ConfigurationError(refusal.detail, cure=cure) from None
    except Refusal as refusal:
        raise ConfigurationError(refusal.detail, cure=refusal.cure) from None
    finally:
        await database.close()
