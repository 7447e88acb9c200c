"""What a worker does beside its jobs: relay the outbox, sample the queues, and heed its queue's schedules."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeAlias

from arq.connections import ArqRedis

from app.core.config import Settings
from app.core.storage import build_storage
from app.engine.cron import Cron, Upkeep
from app.engine.events import EventLog
from app.engine.outbox import Relay
from app.engine.samples import Sampler
from app.engine.submit import Submitter
from app.engine.workload import Registry, Workload, resolve
from app.kit.db import Connection, Database
from app.kit.redis import connect, disconnect
from app.tenancy.tenants import Policies, list_tenants
from app.workloads import WORKLOADS

Errand: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


def open_errands(
    workload: Workload,
    registry: Registry,
    settings: Settings,
    *,
    database: Database,
    shared: ArqRedis,
    events: EventLog,
    stack: AsyncExitStack,
) -> list[Errand]:
    """The errands of this queue's workers; most have none, and open nothing for it."""
    keeps_time = bool(workload.schedules) and settings.worker.tenant_id is None  # what is due concerns every tenant
    if not workload.relays_outbox and not keeps_time:
        return []
    pools = _open_pools(settings, stack)
    submitter = Submitter(database, pools.__getitem__, weigh=Policies(database).weight)
    stack.push_async_callback(submitter.drain)
    errands: list[Errand] = []
    if workload.relays_outbox:
        errands.append(Relay(database, registry, submitter).run)
        errands.append(Sampler(database, list(registry.workloads)).run)
    if keeps_time:
        storage = build_storage(settings.storage, Policies(database))
        upkeep = Upkeep(
            database,
            pools,
            shared,
            settings.worker.lease,
            on_expire=tuple(resolve(each.on_expire)(database, storage) for each in WORKLOADS if each.on_expire),
            on_tidy=tuple(resolve(each.on_tidy)(database, storage) for each in WORKLOADS if each.on_tidy),
        )
        cron = Cron(
            workload.name,
            workload.schedules,
            registry=registry,
            submitter=submitter,
            upkeep=upkeep,
            tenants=enabled_tenants,
        )
        errands.append(cron.run)
    return errands


async def enabled_tenants(ledger: Connection) -> Sequence[str]:
    return [each.tenant_id for each in await list_tenants(ledger) if each.enabled]


def _open_pools(settings: Settings, stack: AsyncExitStack) -> dict[str, ArqRedis]:
    """A pool per queue: errands submit to all of them."""
    pools: dict[str, ArqRedis] = {}
    for name, where in settings.queues.items():
        pools[name] = connect(where.redis_url)
        stack.push_async_callback(disconnect, pools[name])
    return pools
