"""J: one, two and four workers on one queue, and which process is the bound."""

from __future__ import annotations

from functools import partial

from bench.contestants import COMPUTING, LEDGERED, Contestant
from bench.cpu import Meter
from bench.ours.spec import QUEUE
from bench.parts.bench import Bench
from bench.parts.processes import start_ready_worker
from bench.parts.throughput import drained_in
from bench.stage import Turn
from bench.tape import ENDED, STARTED, WHERE, Tape

WORKERS = (1, 2, 4)
COMPUTED = 0.001  # seconds of processor time
WORK = ((LEDGERED, 120_000, 0.0), (COMPUTING, 12_000, COMPUTED))  # so many jobs, which take so long


def run(bench: Bench) -> None:
    for number in range(1, bench.runs + 1):
        for contestant, jobs, seconds in WORK:
            rates = bench.calmly(partial(_measure_all, bench, contestant, jobs, seconds))
            told = ", ".join(f"{workers}: {rate:,.0f}" for workers, rate in rates.items())
            gain = rates[2] / rates[1]
            print(f"J  run {number}  {contestant.name}: jobs/s by workers {told}; two to one {gain:.2f}", flush=True)


def _measure_all(bench: Bench, contestant: Contestant, jobs: int, seconds: float) -> dict[int, float]:
    rates = {
        workers: _measure(bench, contestant, bench.jobs(jobs, least=5_000), seconds, workers) for workers in WORKERS
    }
    bench.figures.add("J", contestant.name, "two workers to one", "", rates[2] / rates[1])
    return rates


def _measure(bench: Bench, contestant: Contestant, jobs: int, seconds: float, workers: int) -> float:
    name = f"{contestant.name}, {workers} worker{'s' if workers > 1 else ''}"
    with bench.turn(contestant, jobs) as turn:
        turn.produce("fill", jobs, seconds=seconds)
        meter = _start(bench, turn, workers)
        drained_in(bench, turn, jobs)
        cores = meter.read()
        rate = rate_together(turn.tape, workers)
    bench.figures.add("J", name, "rate", "jobs/s", rate)
    for process, used in cores.items():
        bench.figures.add("J", name, process, "cores", used)
    return rate


def _start(bench: Bench, turn: Turn, workers: int) -> Meter:
    """All workers, held back until the last one is ready; and a meter that runs from when all of them have begun."""
    bench.house.pause(QUEUE)
    pids = [start_ready_worker(turn).pid for _ in range(workers)]
    bench.house.pause(QUEUE, paused=False)

    def all_begun() -> bool:
        return len(set(turn.tape.column(WHERE)) - {0.0}) == workers

    turn.wait(all_begun, seconds=30, what="a job in every worker", look_every=0.02)
    postgres, server = bench.stage.postgres.pid, bench.stage.redis.pid
    assert postgres is not None
    assert server is not None
    return Meter({"workers": pids, "Postgres": [postgres], "Redis": [server]})


def rate_together(tape: Tape, workers: int) -> float:
    """Jobs by the second from the moment when the last worker has joined in."""
    first: dict[float, float] = {}
    started, where = tape.column(STARTED), tape.column(WHERE)
    for pid, began in sorted(zip(where, started, strict=True), key=lambda each: each[1]):
        first.setdefault(pid, began)
    joined = max(first.values())
    assert len(first) == workers
    return sum(began >= joined for began in started) / (max(tape.column(ENDED)) - joined)
