"""D: from asking for a job to its first line, on a worker that has nothing else to do."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from bench.contestants import HTTP, LEDGERED, PLAIN, Contestant
from bench.figures import quantile
from bench.ours.house import free_port
from bench.parts.bench import Bench
from bench.parts.processes import start_api
from bench.parts.stages import add_stages
from bench.stage import Turn
from bench.tape import ASKED

WARM_UP = 20


def run(bench: Bench) -> None:
    bench.in_turns("D", [PLAIN, LEDGERED, HTTP, *bench.peers], partial(_measure, bench))


def _measure(bench: Bench, contestant: Contestant) -> str:
    jobs = WARM_UP + bench.jobs(contestant.pickups)
    environment = {"PORT": str(free_port())} if contestant is HTTP else {}
    with ExitStack() as stack:
        turn = stack.enter_context(bench.turn(contestant, jobs, environment=environment))
        if contestant is HTTP:
            start_api(turn)
        turn.start_worker()
        turn.produce("pickup", jobs, gap=contestant.gap)
        waits = pickups(turn, WARM_UP, jobs)
        asked = turn.tape.column(ASKED)[WARM_UP:jobs]
    p50, p99 = quantile(waits, 0.5), quantile(waits, 0.99)
    bench.figures.add("D", contestant.name, "p50", "ms", p50)
    bench.figures.add("D", contestant.name, "p99", "ms", p99, note=f"{len(waits)} jobs a run")
    if contestant in (LEDGERED, HTTP):
        add_stages(bench, "D", contestant.name, contestant.environment["BENCH_KIND"], asked, first=WARM_UP)
    return f"p50 {p50:>8.2f} ms, p99 {p99:>8.2f} ms"


def pickups(turn: Turn, first: int, end: int) -> list[float]:
    """Milliseconds from asking to beginning."""
    return [(turn.tape.started(job) - turn.tape.asked(job)) * 1000 for job in range(first, end)]
