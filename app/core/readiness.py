"""Can this API process do its work at the moment?

Without Postgres, or on an older schema, it cannot. Without Redis it still accepts jobs (the sweep dispatches them), so
it stays ready, degraded: were it taken down, nobody could submit at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from arq.connections import ArqRedis

from app.core.migrate import require_schema
from app.kit.db import CONNECTION_LOST, Database
from app.kit.errors import ConfigurationError
from app.kit.redis import REDIS_AWAY

PATIENCE = 2.0


async def readiness(database: Database, pools: Mapping[str, ArqRedis]) -> dict[str, Any]:
    """The verdict and what it rests on."""
    names = list(pools)
    postgres, *redis = await asyncio.gather(_postgres(database), *(_redis(pools[name]) for name in names))
    checks = {"postgres": postgres} | {f"redis:{name}": state for name, state in zip(names, redis, strict=True)}
    return {"status": _verdict(postgres, redis), "checks": checks}


def _verdict(postgres: str, redis: list[str]) -> str:
    if postgres != "ok":
        return "unavailable"
    return "ready" if all(state == "ok" for state in redis) else "degraded"


async def _postgres(database: Database) -> str:
    try:
        async with asyncio.timeout(PATIENCE), database.ledger.acquire() as connection:
            await require_schema(connection)
    except ConfigurationError:
        return "schema is behind the code"
    except CONNECTION_LOST:
        return "unreachable"
    return "ok"


async def _redis(pool: ArqRedis) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await pool.ping()
    except REDIS_AWAY:
        return "unreachable"
    return "ok"
