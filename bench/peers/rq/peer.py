"""rq: a fork for each job by default, or all of them in one process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis
from rq import Queue, SimpleWorker, Worker

from bench.tape import tape_of_environment, work_blocking

TAPE = tape_of_environment()


def run(job: int, seconds: float) -> None:
    work_blocking(TAPE, job, seconds)


def queue() -> Queue:
    return Queue(connection=Redis.from_url(os.environ["BENCH_SERVER"]))


@contextmanager
def producer() -> Iterator[Any]:
    waiting = queue()
    yield lambda job, seconds: waiting.enqueue("bench.peers.rq.peer.run", job, seconds)


if __name__ == "__main__":
    jobs = queue()
    kind = SimpleWorker if os.environ["BENCH_WORKER"] == "simple" else Worker
    kind([jobs], connection=jobs.connection).work(logging_level="WARNING")
