"""The producer's side of every contestant, run in the contestant's own environment.

    python -m bench.produce MODULE VERB --jobs N [--first F] [--seconds S] [--clients C] [--gap G]

MODULE has `producer()`, a context manager over a function `enqueue(job, seconds)`; both may be asynchronous. Verbs:
`fill` asks for all jobs as fast as the library can (by the module's own `fill`, where it has one), `each` for one after
the other, `together` with so many at once, `pickup` for one at a time, each when the last one has begun and a random
moment has passed. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import json
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.tape import Tape, tape_of_environment

PATIENCE = 30.0  # seconds; a job that has not begun by then never will
LOOK_EVERY = 0.0005


async def produce_async(producer: Any, options: argparse.Namespace) -> float:
    async with producer as enqueue:
        if options.verb == "pickup":
            return await _pick_up(enqueue, options)
        started = time.perf_counter()
        if options.verb == "each":
            for job in options.numbers:
                await enqueue(job, options.seconds)
        else:
            jobs = iter(options.numbers)

            async def client() -> None:
                for job in jobs:
                    await enqueue(job, options.seconds)

            await asyncio.gather(*(client() for _ in range(options.clients)))
        return time.perf_counter() - started


async def _pick_up(enqueue: Callable[[int, float], Awaitable[Any]], options: argparse.Namespace) -> float:
    tape = tape_of_environment()
    began = time.perf_counter()
    for job in options.numbers:
        tape.ask(job)
        await enqueue(job, 0.0)
        deadline = time.monotonic() + PATIENCE
        while not _has_begun(tape, job, deadline):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(LOOK_EVERY)
        await asyncio.sleep(random.uniform(options.gap / 4, options.gap))
    return time.perf_counter() - began


def produce_blocking(producer: Any, options: argparse.Namespace) -> float:
    with producer as enqueue:
        if options.verb == "pickup":
            return _pick_up_blocking(enqueue, options)
        started = time.perf_counter()
        if options.verb == "each":
            for job in options.numbers:
                enqueue(job, options.seconds)
        else:
            with ThreadPoolExecutor(options.clients) as threads:
                for outcome in threads.map(lambda job: enqueue(job, options.seconds), options.numbers):
                    del outcome  # a failed one raises here
        return time.perf_counter() - started


def _pick_up_blocking(enqueue: Callable[[int, float], Any], options: argparse.Namespace) -> float:
    tape = tape_of_environment()
    began = time.perf_counter()
    for job in options.numbers:
        tape.ask(job)
        enqueue(job, 0.0)
        deadline = time.monotonic() + PATIENCE
        while not _has_begun(tape, job, deadline):
            time.sleep(LOOK_EVERY)
        time.sleep(random.uniform(options.gap / 4, options.gap))
    return time.perf_counter() - began


def _has_begun(tape: Tape, job: int, deadline: float) -> bool:
    if time.monotonic() > deadline:
        raise SystemExit(f"job {job} has not begun within {PATIENCE:g} s")
    return tape.runs(job) > 0


def _run(coroutine: Any) -> Any:
    """On uvloop wherever the contestant's environment has it."""
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415

        return uvloop.run(coroutine)
    return asyncio.run(coroutine)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("verb", choices=("fill", "each", "together", "pickup"))
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--gap", type=float, default=0.015)
    parser.add_argument("--first", type=int, default=0, help="the number of the first job")
    options = parser.parse_args()
    options.numbers = range(options.first, options.first + options.jobs)
    module = importlib.import_module(options.module)
    if options.verb == "fill" and hasattr(module, "fill"):
        seconds = _run(module.fill(options.numbers, options.seconds))
    elif hasattr(producer := module.producer(), "__aenter__"):
        seconds = _run(produce_async(producer, options))
    else:
        seconds = produce_blocking(producer, options)
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
