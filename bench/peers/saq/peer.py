"""saq, on its Redis queue."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from saq import Queue, Worker

from bench.tape import tape_of_environment, work

SERVER = os.environ["BENCH_SERVER"]


@asynccontextmanager
async def producer() -> AsyncIterator[Any]:
    queue = Queue.from_url(SERVER)
    await queue.connect()
    try:
        yield lambda job, seconds: queue.enqueue("run", job=job, seconds=seconds)
    finally:
        await queue.disconnect()


async def serve() -> None:
    tape = tape_of_environment()

    async def run(_ctx: Any, *, job: int, seconds: float) -> None:
        await work(tape, job, seconds)

    await Worker(Queue.from_url(SERVER), [("run", run)], concurrency=100).start()


if __name__ == "__main__":
    uvloop.run(serve())
