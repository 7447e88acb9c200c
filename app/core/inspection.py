"""What `homeroom audit` does: every invariant, over the whole ledger and every queue's Redis, now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

from app.core.config import load_settings
from app.core.preflight import open_database
from app.engine.cron import Upkeep
from app.engine.ledger.audit_invariants import Finding
from app.kit.redis import connect, disconnect
from app.workloads.base.service import make_auditor

INVARIANTS = {
    "I1": "every accepted job reaches an end",
    "I2": "a lane never has two live holders",
    "I3": "first starts in a lane follow its sequence",
    "I4": "a stale attempt writes nothing",
    "I5": "one effective completion",
    "I6": "the same idempotency key is the same job",
    "I7": "no byte crosses tenants",
    "I8": "slots, leases and lanes return to zero",
    "I9": "every outbox effect is delivered",
}


async def audit_ledger() -> Sequence[Finding]:
    settings = load_settings()
    async with AsyncExitStack() as stack:
        database = await open_database(settings, "homeroom audit")
        stack.push_async_callback(database.close)
        pools = {name: connect(where.redis_url) for name, where in settings.queues.items()}
        shared = connect(settings.shared_redis_url)
        for pool in (*pools.values(), shared):
            stack.push_async_callback(disconnect, pool)
        return await make_auditor(Upkeep(database, pools, shared, settings.worker.lease)).audit()
