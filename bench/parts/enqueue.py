"""C: how fast one producer process enqueues, no worker running."""

from __future__ import annotations

from functools import partial

from bench.contestants import LEDGERED, PLAIN, Contestant
from bench.parts.bench import Bench

CLIENTS = 50


def run(bench: Bench) -> None:
    bench.in_turns("C", [PLAIN, LEDGERED, *bench.peers], partial(_measure, bench))


def _measure(bench: Bench, contestant: Contestant) -> str:
    jobs = bench.jobs(contestant.enqueues)
    rates: list[str] = []
    for verb, what in (("each", "awaiting each"), ("together", f"{CLIENTS} at once")):
        with bench.turn(contestant, jobs) as turn:
            rate = jobs / turn.produce(verb, jobs, clients=CLIENTS)
        bench.figures.add("C", contestant.name, what, "jobs/s", rate)
        rates.append(f"{rate:>9,.0f} jobs/s {what}")
    return ", ".join(rates)
