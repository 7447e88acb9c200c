"""A stage whose tenants have so many permits of each name, in a Redis that has been there for long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from arq.connections import ArqRedis

from app.engine.permits import SINCE_KEY
from app.kit.db import Database
from tests.support.deployment import Deployment
from tests.support.stage import Stage, open_stage

PLENTY = 1_000_000


class Limits:
    """The same policy for every tenant."""

    def __init__(self, permits: Mapping[str, int]) -> None:
        self._permits = permits

    async def jobs_per_minute(self, _tenant_id: str) -> int:
        return PLENTY

    async def max_queued(self, _tenant_id: str) -> int:
        return PLENTY

    async def weight(self, _tenant_id: str) -> float:
        return 1.0

    async def permits(self, _tenant_id: str, name: str) -> int:
        return self._permits[name]

    async def lane_capacity(self, _tenant_id: str) -> int:
        return 100


@asynccontextmanager
async def limited_stage(deployment: Deployment, database: Database, limits: Limits) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        opened.policy = limits
        await redis_of(opened).flushall()
        await redis_of(opened).set(SINCE_KEY, 1)  # it forgot nobody's permits
        yield opened


def redis_of(stage: Stage) -> ArqRedis:
    assert stage.shared is not None
    return stage.shared
