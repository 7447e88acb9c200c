"""A producer of ledgered jobs: the API's own way in without HTTP. Checked, counted, committed, told of, hinted at."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import bench.ours.register  # noqa: F401 - before anything reads the registry
from app.core.config import load_settings
from app.core.preflight import open_database
from app.engine.policy import Quota
from app.engine.requests import Wish, accept
from app.engine.submit import Submitter
from app.engine.workload import Registry
from app.kit.gcra import RateLimiter
from app.kit.redis import connect, disconnect
from app.tenancy.tenants import Policies
from app.workloads import WORKLOADS
from bench.ours.shapes import SHAPES, TENANT, Shape

BULK = 1000
BULKS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Door:
    """What accepts jobs of the bench's kind."""

    submitter: Submitter
    registry: Registry
    kind: str
    shape: Shape

    def wish(self, job: int, seconds: float) -> Wish:
        given: dict[str, Any] = {"tenant_id": TENANT, "kind": self.kind, "input": {"job": job, "seconds": seconds}}
        return Wish(**given | self.shape(job))

    async def submit(self, job: int, seconds: float) -> None:
        await self.submitter.submit(accept(self.registry, self.wish(job, seconds)))

    async def submit_all(self, jobs: range, seconds: float) -> None:
        """In bulk: several at once, or one after the other where the jobs' numbers are to be their order in a lane."""
        bulks = iter([jobs[start : start + BULK] for start in range(0, len(jobs), BULK)])

        async def client() -> None:
            for bulk in bulks:
                await self.submitter.submit_many([accept(self.registry, self.wish(job, seconds)) for job in bulk])

        await asyncio.gather(*(client() for _ in range(1 if self.shape is SHAPES["lanes"] else BULKS_AT_ONCE)))


@asynccontextmanager
async def door() -> AsyncIterator[Door]:
    settings = load_settings()
    async with AsyncExitStack() as stack:
        database = await open_database(settings, "homeroom bench")
        stack.push_async_callback(database.close)
        urls = {name: each.redis_url for name, each in settings.queues.items()} | {"shared": settings.shared_redis_url}
        pools = {name: connect(url) for name, url in urls.items()}
        for pool in pools.values():
            stack.push_async_callback(disconnect, pool)
        quota = Quota(Policies(database), RateLimiter(pools["shared"]))
        submitter = Submitter(database, pools.__getitem__, quota=quota)
        stack.push_async_callback(submitter.drain)
        shape = SHAPES[os.environ.get("BENCH_SHAPE", "alike")]
        yield Door(submitter, Registry(WORKLOADS), os.environ["BENCH_KIND"], shape)


@asynccontextmanager
async def producer() -> AsyncIterator[Callable[[int, float], Any]]:
    async with door() as opened:
        yield opened.submit


async def fill(jobs: range, seconds: float) -> float:
    async with door() as opened:
        started = time.perf_counter()
        await opened.submit_all(jobs, seconds)
        return time.perf_counter() - started
