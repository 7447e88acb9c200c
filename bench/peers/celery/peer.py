"""celery with its pool of threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery

from bench.tape import tape_of_environment, work_blocking

app = Celery("bench", broker=os.environ["BENCH_SERVER"])
TAPE = tape_of_environment()


@app.task
def run(job: int, seconds: float) -> None:
    work_blocking(TAPE, job, seconds)


@contextmanager
def producer() -> Iterator[Any]:
    yield run.delay
