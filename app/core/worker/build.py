"""From a workload's spec to its worker: our runtime, and the settings class for ARQ's own command line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from arq.connections import ArqRedis
from arq.worker import func

from app import __version__
from app.core.config import Settings, WorkerSettings, load_settings
from app.core.exit import exit_when_misconfigured
from app.core.preflight import check_redis, open_database
from app.core.worker.errands import open_errands
from app.core.worker.host import HostRedis
from app.core.worker.probe import Vitals, probe
from app.engine.diagnostics import KINDS, whoami
from app.engine.events import EventLog
from app.engine.inflight import Runnable
from app.engine.runtime import Runtime, RuntimeOptions
from app.engine.workload import Registry, Workload, resolve
from app.kit import json
from app.kit.db import Database
from app.kit.errors import ConfigurationError
from app.kit.logging import configure_logging
from app.kit.metrics import Meter
from app.kit.redis import arq_settings, connect, disconnect
from app.tenancy.tenants import Policies
from app.workloads import WORKLOADS

# A stock ARQ worker only hosts our runtime and must not read the queue itself, so it watches a name nobody writes to.
HOST_QUEUE = "homeroom:arq-host"
LEAST_BEAT_LIMIT = 30.0  # seconds: a connection that hangs may cost the thread that keeps the lease a good part of them


@asynccontextmanager
async def open_runtime(name: str, settings: Settings) -> AsyncIterator[Runtime]:
    """The worker of one queue with everything that it needs, opened and checked."""
    registry = Registry(WORKLOADS, shared_kinds=KINDS if settings.app.diagnostics else ())
    if name not in registry.workloads:
        raise ConfigurationError(f"There is no queue {name!r}.", cure=f"Name one of {', '.join(registry.workloads)}.")
    workload, where = registry.workloads[name], settings.queues[name]
    async with AsyncExitStack() as stack:
        database = await open_database(settings, f"homeroom {name} worker")
        stack.push_async_callback(database.close)
        await check_redis([where.redis_url, settings.shared_redis_url], settings.app.startup_wait)
        redis, shared = connect(where.redis_url), connect(settings.shared_redis_url)
        stack.push_async_callback(disconnect, redis)
        stack.push_async_callback(disconnect, shared)
        events, meter = EventLog(shared), Meter(__version__)
        errands = open_errands(
            workload, registry, settings, database=database, shared=shared, events=events, stack=stack
        )
        runtime = Runtime(
            name,
            await _runnables(registry, workload, settings, database, stack, shared=shared, meter=meter),
            plain_functions(workload),
            database=database,
            redis=redis,
            events=events,
            shared=shared,
            policy=Policies(database),
            options=_options(name, settings),
            errands=errands,
            meter=meter,
        )
        if where.probe_port:
            await stack.enter_async_context(_probe(runtime, settings.worker, where.probe_port))
        yield runtime


def _probe(runtime: Runtime, worker: WorkerSettings, port: int) -> AbstractAsyncContextManager[int]:
    vitals = Vitals(
        beat_at=lambda: runtime.beat_at,
        serving=lambda: runtime.claiming,
        stall=worker.stall,
        beat_limit=max(LEAST_BEAT_LIMIT, 3 * worker.lease),
    )
    return probe(worker.probe_host, port, vitals, runtime.meter.render)


async def _runnables(
    registry: Registry,
    workload: Workload,
    settings: Settings,
    database: Database,
    stack: AsyncExitStack,
    *,
    shared: ArqRedis,
    meter: Meter,
) -> dict[str, Runnable]:
    """The queue's job functions; its own get the tools that it opens, the shared ones need none."""
    functions = {kind.name: resolve(kind.task) for kind in registry.kinds_of(workload.name).values()}
    if workload.tools is not None:
        from app.core.supplies import build_supplies  # noqa: PLC0415 - only queues with tools load what these need

        supplies = build_supplies(settings, database, shared, meter)
        tools = await stack.enter_async_context(resolve(workload.tools)(supplies))
        functions |= {kind.name: partial(functions[kind.name], tools=tools) for kind in workload.kinds}
    return {kind.name: Runnable(kind, functions[kind.name]) for kind in registry.kinds_of(workload.name).values()}


def _options(name: str, settings: Settings) -> RuntimeOptions:
    where = settings.queues[name]
    return RuntimeOptions(
        slots=where.concurrency,
        grace=where.grace,
        lease=settings.worker.lease,
        heartbeat=settings.worker.heartbeat,
        host=settings.worker.host,
        version=__version__,
        only_tenant=settings.worker.tenant_id,
        scan_on_start=settings.worker.scan_on_start,
    )


def plain_functions(workload: Workload) -> list[Any]:
    """The plain ARQ functions of a queue; every queue answers `whoami`."""
    return [func(whoami), *(func(resolve(path)) for path in workload.functions)]


def build(name: str) -> type:
    """The settings class that `arq app.core.worker.<name>.WorkerSettings` takes.

    ARQ reads a settings class by its own `__dict__` and builds a stock worker from it, so the class is built, never
    inherited, and the stock worker hosts our runtime: it keeps the process, the signals and the health check.
    """
    with exit_when_misconfigured():
        settings = load_settings()
    workload = next(each for each in WORKLOADS if each.name == name)
    where = settings.queues[name]
    hosting = _Hosting(name, settings)
    return type(
        "WorkerSettings",
        (),
        {
            "__doc__": f"ARQ settings of the {name} queue, built from its spec.",
            "functions": plain_functions(workload),
            "queue_name": HOST_QUEUE,
            "redis_settings": arq_settings(where.redis_url),  # for `arq --check`
            "redis_pool": HostRedis(where.redis_url),
            "job_serializer": json.dumps,
            "job_deserializer": json.loads,
            "max_jobs": where.concurrency,
            "health_check_interval": 30,
            "on_startup": hosting.start,
            "on_shutdown": hosting.stop,
        },
    )


class _Hosting:
    """Our runtime inside a stock worker's process."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        self._stack = AsyncExitStack()
        self._runtime: Runtime | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, _ctx: dict[str, Any]) -> None:
        configure_logging(level=self._settings.app.log_level, json_lines=self._settings.app.json_logs)
        with exit_when_misconfigured(at_once=True):
            self._runtime = await self._stack.enter_async_context(open_runtime(self._name, self._settings))
        self._serving = asyncio.create_task(self._runtime.main())
        self._serving.add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGTERM))

    async def stop(self, _ctx: dict[str, Any]) -> None:
        if self._runtime is not None and self._serving is not None:
            self._runtime.drain()
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
        await self._stack.aclose()
