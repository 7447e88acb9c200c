"""A producer of plain ARQ jobs, as any program with our pool is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import bench.ours.register  # noqa: F401 - before anything reads the registry
from app.core.config import load_settings
from app.kit.redis import connect, disconnect
from bench.ours.spec import QUEUE


@asynccontextmanager
async def producer() -> AsyncIterator[Any]:
    pool = connect(load_settings().queues[QUEUE].redis_url)
    try:
        yield lambda job, seconds: pool.enqueue_job("plain_work", job, seconds)
    finally:
        await disconnect(pool)
