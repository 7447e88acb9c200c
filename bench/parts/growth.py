"""G: the same work while a thousand and while a million jobs are queued, and how soon FLUSHALL is mended."""

from __future__ import annotations

import asyncio
import http.client
import statistics
import time
from collections import defaultdict
from functools import partial
from itertools import pairwise

from app.engine.dispatch import Dispatcher
from app.kit.redis import connect, disconnect
from bench.contestants import LEDGERED
from bench.figures import quantile
from bench.ours.house import free_port
from bench.ours.spec import QUEUE, WORKLOAD
from bench.parts.bench import Bench
from bench.parts.pickup import WARM_UP, pickups
from bench.parts.processes import start_api, start_ready_worker
from bench.stage import BenchFailed, Turn
from bench.tape import STARTED, WHERE, Tape

DEPTHS = (1_000, 10_000, 100_000, 1_000_000)
WINDOW = 1_000  # begins over which one rate is taken
FEW = 100_000
DRAINED = 30_000  # jobs of each run, where there are so many
READS, PICKUPS = 200, 100
REBUILT_WITHIN = 300.0


def run(bench: Bench) -> None:
    for depth in dict.fromkeys(bench.jobs(each, least=DEPTHS[0]) for each in DEPTHS):
        bench.calmly(partial(_rates, bench, depth))
        bench.calmly(partial(_pickups, bench, depth))


def name_of(depth: int) -> str:
    return f"{depth:,} queued"


def _rates(bench: Bench, depth: int) -> None:
    """Routes that read, then how fast a worker takes what is queued."""
    smallest = depth == DEPTHS[0]
    jobs = depth * bench.runs if smallest else depth
    with bench.turn(LEDGERED, jobs, environment={"PORT": str(free_port())}) as turn:
        turn.produce("fill", depth)
        reads = _read(bench, turn)
        for number in range(bench.runs):
            begun = turn.tape.begun()
            worker = turn.start_worker()
            wanted = begun + (depth if smallest else min(DRAINED, depth // (2 * bench.runs + 2)))
            turn.wait(
                lambda: turn.tape.begun() >= wanted,  # noqa: B023 - it is asked within this round alone
                seconds=240,
                what=f"{wanted} jobs",
                look_every=0.5 if depth > FEW else 0.1,  # to look at a million rows takes a while itself
            )
            turn.stop(worker)
            if smallest and number + 1 < bench.runs:
                turn.produce("fill", depth, first=depth * (number + 1))
        rates = [statistics.median(rates) for rates in claim_rates(turn.tape)]
        if depth == bench.jobs(DEPTHS[-1], least=DEPTHS[0]):
            _rebuild(bench, turn, depth)
    bench.figures.add("G", name_of(depth), "claim rate", "jobs/s", *rates)
    for route, values in reads.items():
        bench.figures.add("G", name_of(depth), route, "ms", *values)
    told = ", ".join(f"{route} {min(values):.1f} ms" for route, values in reads.items())
    print(f"G  {name_of(depth)}: {min(rates):,.0f} to {max(rates):,.0f} jobs/s; {told}", flush=True)


def claim_rates(tape: Tape, window: int = WINDOW) -> list[list[float]]:
    """By worker process: begins by the second, over windows of so many begins."""
    by_worker: dict[float, list[float]] = defaultdict(list)
    for pid, began in zip(tape.column(WHERE), tape.column(STARTED), strict=True):
        if began:
            by_worker[pid].append(began)
    rates: list[list[float]] = []
    for begins in sorted((sorted(each) for each in by_worker.values()), key=lambda each: each[0]):
        step = min(window, len(begins) - 1)
        rates.append([step / (end - start) for start, end in pairwise(begins[::step])])
    return rates


def _read(bench: Bench, turn: Turn) -> dict[str, list[float]]:
    """Medians of the routes that read, in milliseconds, for each run."""
    port = start_api(turn)
    job_id = bench.house.value("select job_id from jobs limit 1")
    routes = {
        "GET /v1/jobs": "/v1/jobs?limit=50",
        "GET /v1/jobs?status&kind": f"/v1/jobs?limit=50&status=queued&kind={LEDGERED.environment['BENCH_KIND']}",
        "GET /v1/jobs/{id}": f"/v1/jobs/{job_id}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {turn.environment['BENCH_API_KEY']}"}

    def once(path: str) -> float:
        started = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise BenchFailed(f"GET {path} answered {answer.status}: {body.decode()}")
        return (time.perf_counter() - started) * 1000

    medians: dict[str, list[float]] = {route: [] for route in routes}
    try:
        for _ in range(bench.runs):
            for route, path in routes.items():
                medians[route].append(quantile([once(path) for _ in range(READS)], 0.5))
    finally:
        connection.close()
    return medians


def _pickups(bench: Bench, depth: int) -> None:
    """Jobs for now on an idle worker, while so many are queued for tomorrow."""
    soon = PICKUPS * bench.runs
    medians: list[float] = []
    with bench.turn(LEDGERED, soon + depth) as turn:
        turn.produce("fill", depth, environment={"BENCH_SHAPE": "tomorrow"}, first=soon)
        start_ready_worker(turn)
        for first in range(0, soon, PICKUPS):
            turn.produce("pickup", PICKUPS, first=first)
            medians.append(quantile(pickups(turn, first + WARM_UP, first + PICKUPS), 0.5))
    bench.figures.add("G", name_of(depth), "pickup, median", "ms", *medians)
    print(f"G  {name_of(depth)}: pickup {min(medians):.2f} to {max(medians):.2f} ms", flush=True)


def _rebuild(bench: Bench, turn: Turn, depth: int) -> None:
    """Redis forgets everything: when are the first jobs back in it, and when all? Paused, so that none goes."""
    bench.house.pause(QUEUE)
    start_ready_worker(turn)
    waiting = bench.house.value("select count(*) from jobs where status = 'queued'")
    forgot = time.monotonic()
    bench.stage.flush()
    seconds: dict[str, float] = {}
    for what, hints in (("first back after FLUSHALL", 1), ("all back after FLUSHALL", waiting)):
        turn.wait(lambda: _depth(bench) >= hints, seconds=REBUILT_WITHIN, what=what, look_every=0.05)  # noqa: B023
        seconds[what] = time.monotonic() - forgot
        bench.figures.add("G", name_of(depth), what, "s", seconds[what], note=f"{waiting:,} jobs")
    told = ", ".join(f"{what} {value:.1f} s" for what, value in seconds.items())
    print(f"G  {name_of(depth)}: {told} ({waiting:,} jobs)", flush=True)


def _depth(bench: Bench) -> int:
    """How many hints wait in the queue's Redis, by the engine's own count."""

    async def ask() -> int:
        redis = connect(bench.stage.redis.url(WORKLOAD.redis_db))
        try:
            return (await Dispatcher(redis).depth())[0]
        finally:
            await disconnect(redis)

    return asyncio.run(ask())
