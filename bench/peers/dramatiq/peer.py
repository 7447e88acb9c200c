"""dramatiq with asynchronous actors: its threads hand them to one event loop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware.asyncio import AsyncIO

from bench.tape import tape_of_environment, work

broker = RedisBroker(url=os.environ["BENCH_SERVER"])
broker.add_middleware(AsyncIO())
dramatiq.set_broker(broker)
TAPE = tape_of_environment()


@dramatiq.actor
async def run(job: int, seconds: float) -> None:
    await work(TAPE, job, seconds)


@contextmanager
def producer() -> Iterator[Any]:
    yield run.send
