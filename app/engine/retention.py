"""Retention: what a tenant has kept for its `retention_days` is removed, in small batches that nobody has to wait for.

A job takes its attempts and its idempotency keys along, so a key stands for its job for exactly as long as there is
one. What others keep about the job (a folder of files, say) goes first, by `on_expire`: were it second, a crash in
between would leave it behind for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from app.engine.ledger.retention import (
    BEGINNING,
    Expired,
    Group,
    forget_tombstones,
    hold_expired,
    old_groups,
    remove,
    remove_dead_workers,
    remove_delivered,
    remove_idle_lanes,
)
from app.kit.db import CONNECTION_LOST, Connection, Database
from app.kit.errors import HomeroomError
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger

BATCH = 200

OnExpire: TypeAlias = Callable[[Sequence[Expired]], Awaitable[None]]

log = get_logger(__name__)


class Retention:
    """One sweep after another. Several at once share the work: each batch is locked by the one that removes it."""

    def __init__(self, database: Database, *, on_expire: Sequence[OnExpire] = (), batch: int = BATCH) -> None:
        self._database = database
        self._on_expire = on_expire  # called with jobs of one tenant before their rows go; must bear being repeated
        self._batch = batch

    async def sweep(self, days_of: Mapping[str, int]) -> int:
        """Remove what is past these tenants' days; how many jobs went. One tenant's trouble is not another's."""
        removed = 0
        for tenant_id, days in days_of.items():
            try:
                removed += await self._sweep_tenant(tenant_id, days)
            except CONNECTION_LOST:
                raise
            except Exception:
                log.exception("retention failed for a tenant; the next sweep tries again", tenant_id=tenant_id)
        await self._repeat(lambda connection: remove_delivered(connection, self._batch))
        async with self._database.ledger.acquire() as connection:
            await remove_dead_workers(connection)
        if removed:
            log.info("jobs past retention were removed", jobs=removed)
        return removed

    async def _sweep_tenant(self, tenant_id: str, days: int) -> int:
        async with self._database.ledger.acquire() as connection:
            groups = await old_groups(connection, tenant_id, days)
        removed = 0
        for group in groups:
            removed += await self._sweep_group(group, days)
        await self._repeat(lambda connection: remove_idle_lanes(connection, tenant_id, days, self._batch))
        await self._repeat(lambda connection: forget_tombstones(connection, tenant_id, days, self._batch))
        return removed

    async def _sweep_group(self, group: Group, days: int) -> int:
        removed, after = 0, BEGINNING
        while True:
            started = time.monotonic()
            async with self._database.ledger.acquire() as connection, connection.transaction():
                expired = await hold_expired(connection, group, days, after=after, limit=self._batch)
                if expired:
                    await self._expire(connection, expired)
            removed += len(expired)
            if len(expired) < self._batch:
                return removed
            after = (expired[-1].created_at, expired[-1].job_id)
            await asyncio.sleep(time.monotonic() - started)  # at most half of one connection's time

    async def _expire(self, connection: Connection, expired: Sequence[Expired]) -> None:
        try:
            for hook in self._on_expire:
                await hook(expired)
        except Exception as error:  # whatever it is, it is not Postgres that is away
            raise HomeroomError("what is kept about jobs past retention could not be removed") from error
        failpoint("retention.held")
        await remove(connection, expired[0].tenant_id, [each.job_id for each in expired])

    async def _repeat(self, step: Callable[[Connection], Awaitable[int]]) -> None:
        """Batch after batch, until one is not full."""
        while True:
            started = time.monotonic()
            async with self._database.ledger.acquire() as connection:
                removed = await step(connection)
            if removed < self._batch:
                return
            await asyncio.sleep(time.monotonic() - started)
