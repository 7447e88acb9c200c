"""Stock arq, with its default poll or another one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker, func

from bench.tape import tape_of_environment, work

SERVER = RedisSettings.from_dsn(os.environ["BENCH_SERVER"])


@asynccontextmanager
async def producer() -> AsyncIterator[Any]:
    pool = await create_pool(SERVER)
    try:
        yield lambda job, seconds: pool.enqueue_job("run", job, seconds)
    finally:
        await pool.aclose()


async def serve() -> None:
    tape = tape_of_environment()

    async def run(_ctx: dict[str, Any], job: int, seconds: float) -> None:
        await work(tape, job, seconds)

    options = {"poll_delay": float(delay)} if (delay := os.environ.get("BENCH_POLL_DELAY")) else {}
    await Worker([func(run, name="run")], redis_settings=SERVER, max_jobs=100, **options).main()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.set_event_loop(loop := uvloop.new_event_loop())
    loop.run_until_complete(serve())
