"""Where the time goes: processor time for a job by process, and the way of a job from stage to stage."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from bench.calm import stolen_seconds
from bench.contestants import HTTP, LEDGERED, TRANSACTION, Contestant
from bench.cpu import Meter
from bench.figures import Figures
from bench.ours.house import free_port
from bench.ours.shapes import JOBS_A_LANE, LANES
from bench.ours.spec import QUEUE
from bench.parts import http
from bench.parts.bench import Bench
from bench.parts.processes import start_api, start_ready_worker
from bench.parts.throughput import drained_in
from bench.tape import Tape

MICRO = 1_000_000


def run(bench: Bench) -> None:
    for number in range(1, bench.runs + 1):
        for measure in _measurements(bench):
            bench.calmly(measure)
        print(f"profile  run {number}", flush=True)


def _measurements(bench: Bench) -> Sequence[Callable[[], None]]:
    lanes = LANES * (JOBS_A_LANE if bench.scale >= 1 else 3)
    return (
        partial(_measure_drain, bench, LEDGERED.name, LEDGERED, bench.jobs(40_000), {}),
        partial(_measure_drain, bench, TRANSACTION.name, TRANSACTION, bench.jobs(6_000), {}),
        partial(_measure_drain, bench, f"{LANES} lanes", LEDGERED, lanes, {"BENCH_SHAPE": "lanes"}),
        partial(_measure_submits, bench, http.SUBMIT, http.CLIENTS, 1),
        partial(_measure_submits, bench, f"{http.BULK_ROUTE}, 4 clients", 4, http.BULK),
    )


def _measure_drain(bench: Bench, name: str, contestant: Contestant, jobs: int, environment: Mapping[str, str]) -> None:
    """A full queue, by one worker; from its first job's begin to the ledger's last end."""
    with bench.turn(contestant, jobs, environment=environment) as turn:
        turn.produce("fill", jobs)
        bench.house.pause(QUEUE)
        worker = start_ready_worker(turn)
        bench.house.pause(QUEUE, paused=False)
        turn.wait(lambda: turn.tape.begun() > 0, seconds=30, what="the first job", look_every=0.01)
        with _metered(bench, name, worker.pid, _ended_since(turn.tape)):
            drained_in(bench, turn, jobs)


def _ended_since(tape: Tape) -> Callable[[], int]:
    before = tape.ended()
    return lambda: tape.ended() - before


def _measure_submits(bench: Bench, name: str, clients: int, jobs: int) -> None:
    with bench.turn(HTTP, 1, environment={"PORT": str(free_port())}) as turn:
        port = start_api(turn)
        http.load(turn, port, clients, 1, jobs)  # warm up
        requests: list[int] = []
        with _metered(bench, name, turn.newest.pid, lambda: sum(requests) * jobs):
            requests.append(http.load(turn, port, clients, http.SECONDS if bench.scale >= 1 else 1, jobs).requests)


@contextmanager
def _metered(bench: Bench, name: str, ours: int, jobs: Callable[[], int]) -> Iterator[None]:
    """What the block costs for each job: of the worker or the API, of the servers, and of a load generator that ends
    within it. What all of it together lets the cores do is the most that any code of the same cost could reach."""
    postgres, server = bench.stage.postgres.pid, bench.stage.redis.pid
    assert postgres is not None
    assert server is not None
    meter = Meter({"ours": [ours], "Postgres": [postgres], "Redis": [server]})
    children, taken, began = _children_seconds(), stolen_seconds(), time.monotonic()
    yield
    elapsed, done = time.monotonic() - began, jobs()
    spent = {process: cores * elapsed for process, cores in meter.read().items()}
    spent["client"] = _children_seconds() - children
    _add(bench.figures, name, {each: seconds / done * MICRO for each, seconds in spent.items()})
    together = sum(spent.values())
    bench.figures.add("profile", name, "if no core ever rested", "jobs/s", (os.cpu_count() or 1) * done / together)
    bench.figures.add("profile", name, "measured", "jobs/s", done / elapsed)
    bench.figures.add("profile", name, "taken by the host", "cores", (stolen_seconds() - taken) / elapsed)


def _add(figures: Figures, name: str, micros: Mapping[str, float]) -> None:
    figures.add("profile", name, "worker or API", "µs", micros["ours"])
    figures.add("profile", name, "Postgres", "µs", micros["Postgres"])
    figures.add("profile", name, "Redis", "µs", micros["Redis"])
    figures.add("profile", name, "client", "µs", micros["client"])


def _children_seconds() -> float:
    """Of processes that were started here and have ended: a load generator."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
