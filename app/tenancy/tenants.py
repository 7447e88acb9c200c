"""The registry of tenants."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert

from app.kit.db import Database
from app.kit.errors import Refusal
from app.kit.tenant import TENANT_ID
from app.tenancy.models import Tenant


class InvalidTenantId(Refusal):
    status = 422
    code = "invalid_tenant_id"
    title = "This cannot be a tenant's id"
    cure = "Use 1 to 64 letters, digits, `_` and `-`, beginning with a letter or digit."


async def create_tenant(database: Database, tenant_id: str) -> bool:
    """Register a tenant; False where it was registered already."""
    if TENANT_ID.fullmatch(tenant_id) is None:
        raise InvalidTenantId(f"{tenant_id!r} is no tenant id.")
    async with database.session(tenant_id) as session:
        made = await session.scalar(
            insert(Tenant).values(tenant_id=tenant_id).on_conflict_do_nothing().returning(Tenant.tenant_id)
        )
        return made is not None
