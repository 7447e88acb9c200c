"""streaq."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streaq import Worker

from bench.tape import tape_of_environment, work

worker = Worker(redis_url=os.environ["BENCH_SERVER"], concurrency=100, anyio_kwargs={"use_uvloop": True})
TAPE = tape_of_environment()


@worker.task
async def run(job: int, seconds: float) -> None:
    await work(TAPE, job, seconds)


@asynccontextmanager
async def producer() -> AsyncIterator[Any]:
    async def enqueue(job: int, seconds: float) -> None:
        await run.enqueue(job, seconds)

    async with worker:
        yield enqueue


if __name__ == "__main__":
    worker.run_sync()
