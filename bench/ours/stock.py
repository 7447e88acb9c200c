"""A stock arq worker with the client libraries that a worker of ours needs: what an idle one is compared with."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import asyncpg  # noqa: F401 - these are what is measured
import orjson  # noqa: F401
import pydantic_settings  # noqa: F401
import redis.asyncio  # noqa: F401
import sqlalchemy.dialects.postgresql.asyncpg
import sqlalchemy.ext.asyncio  # noqa: F401
import structlog  # noqa: F401
import uvloop
from arq.connections import RedisSettings
from arq.worker import Worker, func


async def nothing(_ctx: dict[str, Any]) -> None:
    """A worker must have a function."""


async def serve() -> None:
    server = RedisSettings.from_dsn(os.environ["BENCH_SERVER"])
    await Worker([func("bench.ours.stock.nothing")], redis_settings=server, max_jobs=100).main()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.set_event_loop(loop := uvloop.new_event_loop())
    loop.run_until_complete(serve())
