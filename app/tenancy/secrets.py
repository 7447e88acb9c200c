"""A tenant's secrets at rest: encrypted under the tenant's own data key, which the master key wraps."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.tenancy.models import TenantDataKey
from app.tenancy.vault import Vault, WrappedKey


async def seal(session: AsyncSession, vault: Vault, tenant_id: str, field: str, plaintext: bytes) -> bytes:
    """Encrypt a value of this field; the tenant gets its data key with its first secret."""
    await rewrap(session, vault, tenant_id)  # nothing new is put under a master key that is on its way out
    return vault.encrypt(await _data_key(session, vault, tenant_id), tenant_id, field, plaintext)


async def unseal(session: AsyncSession, vault: Vault, tenant_id: str, field: str, sealed: bytes) -> bytes:
    """The value again; Tampered where it is not this tenant's value of this field."""
    return vault.decrypt(await _data_key(session, vault, tenant_id), tenant_id, field, sealed)


async def rewrap(session: AsyncSession, vault: Vault, tenant_id: str) -> bool:
    """Wrap the tenant's data key by the current master key; False where it is, or there is none. Secrets stay as they
    are, so processes with the old and the new master key read them side by side."""
    row = await session.scalar(select(TenantDataKey).where(TenantDataKey.tenant_id == tenant_id).with_for_update())
    if row is None or vault.is_current(_wrapped(row)):
        return False
    wrapped = vault.rewrap(_wrapped(row), tenant_id)
    row.wrapped, row.kek_id, row.updated_at = wrapped.sealed, wrapped.kek_id, func.now()
    await session.flush()
    return True


async def _data_key(session: AsyncSession, vault: Vault, tenant_id: str) -> WrappedKey:
    row = await session.get(TenantDataKey, tenant_id)
    if row is None:
        fresh = vault.new_data_key(tenant_id)
        # Two first secrets at once: one of the two keys is kept, and both use that one.
        await session.execute(
            insert(TenantDataKey)
            .values(tenant_id=tenant_id, kek_id=fresh.kek_id, wrapped=fresh.sealed)
            .on_conflict_do_nothing()
        )
        row = await session.get_one(TenantDataKey, tenant_id)
    return _wrapped(row)


def _wrapped(row: TenantDataKey) -> WrappedKey:
    return WrappedKey(row.wrapped, row.kek_id)
