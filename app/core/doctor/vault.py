"""Do the master keys of this environment open what was locked?"""

from __future__ import annotations

from collections import Counter

from app.core.config import Settings
from app.core.doctor.findings import Findings, fail, ok, warn
from app.core.doctor.postgres import connected
from app.kit.db import Role
from app.tenancy.tenants import list_tenants
from app.tenancy.vault import Tampered, UnknownMasterKey, Vault, WrappedKey

MOST = 1000  # tenants that are looked at


async def check_vault(settings: Settings) -> Findings:
    """Every tenant's data key, opened and closed again; nothing is written."""
    vault = Vault(settings.master_key, settings.security.previous_master_keys)
    async with connected(settings, Role.ENGINE) as connection:
        tenants = [each.tenant_id for each in (await list_tenants(connection))[:MOST]]
    states: Counter[str] = Counter()
    async with connected(settings, Role.APP) as connection:
        for tenant_id in tenants:
            async with connection.transaction():
                await connection.execute("select set_config('app.tenant', $1, true)", tenant_id)
                row = await connection.fetchrow("select kek_id, wrapped from tenant_data_keys")
            if row is not None:
                states[_state(vault, tenant_id, WrappedKey(row["wrapped"], row["kek_id"]))] += 1
    if states["unknown"]:
        found = f"{states['unknown']} data keys were wrapped by a master key that is not configured"
        yield fail("master key", found, "Put that key into MASTER_KEY_PREVIOUS; without it their secrets are lost.")
    elif states["previous"]:
        found = f"{states['previous']} data keys are still under a previous master key"
        yield warn("master key", found, "Run `homeroom master-key rewrap`, then take the previous key away.")
    else:
        yield ok("master key", f"opens {states['current']} data keys of {len(tenants)} tenants")


def _state(vault: Vault, tenant_id: str, wrapped: WrappedKey) -> str:
    try:
        vault.rewrap(wrapped, tenant_id)
    except (UnknownMasterKey, Tampered):
        return "unknown"
    return "current" if vault.is_current(wrapped) else "previous"
