"""I: what tenants get of a worker that all of them want, and how long a quiet one waits behind a loud one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from bench.contestants import LEDGERED
from bench.ours.shapes import LOUD, QUIET, TENANTS, TENANTS_JOBS, zipf_counts, zipf_tenant
from bench.parts.bench import Bench
from bench.parts.pickup import pickups
from bench.stage import BenchFailed
from bench.tape import STARTED

LOUD_JOBS, NAP = 10_000, 0.05
QUIET_JOBS = 10


def run(bench: Bench) -> None:
    for number in range(1, bench.runs + 1):
        print(f"I  run {number}  {bench.calmly(partial(_measure, bench))}", flush=True)


def _measure(bench: Bench) -> str:
    jain = _share(bench)
    waits = _behind_a_loud_one(bench)
    bench.figures.add("I", LEDGERED.name, "Jain index", "", jain)
    bench.figures.add("I", LEDGERED.name, "quiet job, median", "ms", sorted(waits)[len(waits) // 2])
    bench.figures.add("I", LEDGERED.name, "quiet job, longest", "ms", max(waits))
    return f"Jain index {jain:.4f}; a quiet job waits {max(waits):.0f} ms at most"


def _share(bench: Bench) -> float:
    """Fifty tenants, Zipf, the loudest first: who was served until the first of them had no more jobs waiting?"""
    with bench.turn(LEDGERED, TENANTS_JOBS, environment={"BENCH_SHAPE": "zipf"}) as turn:
        bench.house.add_tenants({zipf_tenant(job) for job in range(TENANTS_JOBS)})
        turn.produce("fill", TENANTS_JOBS)
        turn.start_worker()
        turn.wait_for_jobs(TENANTS_JOBS)
        started = turn.tape.column(STARTED)
    order = sorted(range(TENANTS_JOBS), key=started.__getitem__)
    return jain_index(served_while_all_wait([zipf_tenant(job) for job in order], min(zipf_counts())))


def served_while_all_wait(order: Sequence[str], smallest: int) -> list[int]:
    """How many jobs each tenant had begun when the first of them began its last."""
    served: Counter[str] = Counter()
    for tenant in order:
        served[tenant] += 1
        if served[tenant] == smallest:
            break
    return [*served.values(), *([0] * (TENANTS - len(served)))]


def jain_index(shares: Sequence[float]) -> float:
    """1 where all have the same, 1/n where one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def _behind_a_loud_one(bench: Bench) -> list[float]:
    with bench.turn(LEDGERED, LOUD_JOBS + QUIET_JOBS) as turn:
        bench.house.add_tenants({LOUD, QUIET})
        turn.produce("fill", LOUD_JOBS, environment={"BENCH_SHAPE": "loud"}, seconds=NAP)
        turn.start_worker()
        turn.wait(lambda: turn.tape.begun() > 0, seconds=60, what="a loud job", look_every=0.02)
        turn.produce("pickup", QUIET_JOBS, environment={"BENCH_SHAPE": "quiet"}, first=LOUD_JOBS, gap=0.1)
        waits = pickups(turn, LOUD_JOBS, LOUD_JOBS + QUIET_JOBS)
        if turn.tape.begun() == LOUD_JOBS + QUIET_JOBS and max(waits) < 2000 * NAP:
            raise BenchFailed("fairness: the loud tenant's queue was empty before the quiet one's last job")
    return waits
