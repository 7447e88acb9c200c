"""What `homeroom tenant` and `homeroom key` do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from app.core.config import Settings, load_settings
from app.core.preflight import open_database
from app.kit.db import Database
from app.kit.errors import ConfigurationError, Refusal
from app.tenancy import tenants
from app.tenancy.keys import Pepper, issue_key
from app.tenancy.models import Tenant

DEFAULT_SCOPES = ("jobs:read", "jobs:write")


async def create_tenant(tenant_id: str) -> bool:
    async with _database() as (_, database):
        try:
            return await tenants.create_tenant(database, tenant_id)
        except Refusal as refusal:
            raise ConfigurationError(refusal.detail, cure=refusal.cure) from None


async def create_key(tenant_id: str, *, name: str, scopes: Sequence[str] | None) -> str:
    async with _database() as (settings, database), database.session(tenant_id) as session:
        if await session.get(Tenant, tenant_id) is None:
            raise ConfigurationError(
                f"There is no tenant {tenant_id!r}.", cure=f"Register it: homeroom tenant {tenant_id}"
            )
        try:
            pepper = Pepper(settings.master_key)
            return await issue_key(session, pepper, tenant_id, name=name, scopes=scopes or DEFAULT_SCOPES)
        except ValueError as error:
            raise ConfigurationError(str(error), cure="Repeat --scope with one of them each.") from None


@asynccontextmanager
async def _database() -> AsyncIterator[tuple[Settings, Database]]:
    settings = load_settings()
    database = await open_database(settings, "homeroom cli")
    try:
        yield settings, database
    finally:
        await database.close()
