"""H: many lanes, each strictly in order and one job at a time."""

from __future__ import annotations

from functools import partial

from bench.contestants import LEDGERED
from bench.ours.shapes import JOBS_A_LANE, LANES
from bench.parts.bench import Bench
from bench.parts.throughput import drained_in
from bench.stage import BenchFailed
from bench.tape import ENDED, STARTED, Tape


def run(bench: Bench) -> None:
    for number in range(1, bench.runs + 1):
        rate = bench.calmly(partial(_measure, bench))
        print(f"H  run {number}  {rate:,.0f} jobs/s in {LANES} lanes, every one in order", flush=True)


def _measure(bench: Bench) -> float:
    jobs = LANES * (JOBS_A_LANE if bench.scale >= 1 else 3)
    with bench.turn(LEDGERED, jobs, environment={"BENCH_SHAPE": "lanes"}) as turn:
        turn.produce("fill", jobs)
        turn.start_worker()
        rate = jobs / drained_in(bench, turn, jobs)
        if out_of_order := breaches(turn.tape):
            raise BenchFailed(f"lanes: {out_of_order} jobs began before the one ahead of them had ended")
    bench.figures.add("H", LEDGERED.name, "rate", "jobs/s", rate, note=f"{LANES} lanes, {jobs // LANES} jobs each")
    return rate


def breaches(tape: Tape, lanes: int = LANES) -> int:
    """How many jobs began before their lane's earlier job had ended."""
    started, ended = tape.column(STARTED), tape.column(ENDED)
    return sum(began < before for before, began in zip(ended[:-lanes], started[lanes:], strict=True))
