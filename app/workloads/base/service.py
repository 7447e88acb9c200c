"""The upkeep of the deployment: what retention and tidying remove, and what the auditor looks at."""

from __future__ import annotations

from app.engine.auditor import Auditor
from app.engine.cron import Upkeep
from app.engine.leftovers import HeldPermits, Leases
from app.engine.retention import Retention
from app.kit.logging import get_logger
from app.tenancy.tenants import list_tenants

log = get_logger(__name__)

MARGIN = 5.0  # seconds after the end of a lease in which what hung on it is put right


async def remove_expired(upkeep: Upkeep) -> int:
    """Remove what tenants have kept for their `retention_days`; disabled tenants' too. How many jobs went."""
    async with upkeep.database.ledger.acquire() as connection:
        tenants = await list_tenants(connection)
    retention = Retention(upkeep.database, on_expire=upkeep.on_expire)
    return await retention.sweep({each.tenant_id: each.limits.retention_days for each in tenants})


async def tidy(upkeep: Upkeep) -> int:
    """Remove what crashes left behind outside the ledger; how much. One tenant's trouble is not another's."""
    async with upkeep.database.ledger.acquire() as connection:
        tenants = await list_tenants(connection)
    removed = 0
    for tenant in tenants:
        for hook in upkeep.on_tidy:
            try:
                removed += await hook(tenant.tenant_id)
            except Exception:  # also a lost connection: an OSError may as well be the disk's
                log.exception("a tenant could not be tidied; the next day tries again", tenant_id=tenant.tenant_id)
    return removed


def make_auditor(upkeep: Upkeep) -> Auditor:
    """Of the ledger, every queue's leases, and the permits."""
    leases = [Leases(queue, redis, upkeep.database).look for queue, redis in upkeep.pools.items()]
    permits = HeldPermits(upkeep.shared, upkeep.database).look
    return Auditor(upkeep.database, [*leases, permits], confirm_after=upkeep.lease + MARGIN)
