"""taskiq on Redis: a list, which loses what a dead worker held, or a stream, which does not."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from taskiq_redis import ListQueueBroker, RedisStreamBroker

from bench.tape import tape_of_environment, work

SERVER = os.environ["BENCH_SERVER"]
# A stream's group begins at its end by default; here jobs wait before the worker comes.
broker = (
    RedisStreamBroker(SERVER, consumer_id="0") if os.environ["BENCH_BROKER"] == "stream" else ListQueueBroker(SERVER)
)
TAPE = tape_of_environment()


@broker.task
async def run(job: int, seconds: float) -> None:
    await work(TAPE, job, seconds)


@asynccontextmanager
async def producer() -> AsyncIterator[Any]:
    await broker.startup()
    try:
        yield run.kiq
    finally:
        await broker.shutdown()
