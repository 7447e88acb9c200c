"""A and B: a queue that is full before the worker comes, from the first job's begin to the last one's end."""

from __future__ import annotations

from functools import partial

from bench.contestants import EFFECTS, LEDGERED, PLAIN, TRANSACTION, Contestant
from bench.parts.bench import Bench
from bench.stage import BenchFailed, Turn
from bench.tape import ENDED, STARTED

NAP = 0.05

_ENDED_ONCE = """
select count(*) filter (where status = 'done' and attempt = 1) as done, count(*) as jobs,
       extract(epoch from max(finished_at))::float8 as last,
       (select count(*) from job_attempts where status = 'success') as successes
from jobs
"""


def run_a(bench: Bench) -> None:
    contestants = [PLAIN, LEDGERED, TRANSACTION, EFFECTS, *bench.peers]
    bench.in_turns("A", contestants, partial(_measure, bench, "A", 0.0))


def run_b(bench: Bench) -> None:
    contestants = [PLAIN, LEDGERED, *(each for each in bench.peers if each.naps)]
    bench.in_turns("B", contestants, partial(_measure, bench, "B", NAP))


def _measure(bench: Bench, part: str, seconds: float, contestant: Contestant) -> str:
    jobs = bench.jobs(contestant.naps if seconds else contestant.noops)
    with bench.turn(contestant, jobs) as turn:
        turn.produce("fill", jobs, seconds=seconds)
        turn.start_worker()
        rate = jobs / drained_in(bench, turn, jobs)
    bench.figures.add(part, contestant.name, "rate", "jobs/s", rate, note=f"{jobs:,} jobs a run")
    return f"{rate:>9,.0f} jobs/s"


def drained_in(bench: Bench, turn: Turn, jobs: int) -> float:
    """Seconds from the first begin to the last end; every job must have run, and none twice."""
    turn.wait_for_jobs(jobs)
    last = max(turn.tape.column(ENDED))
    if turn.contestant.ours and turn.contestant is not PLAIN:
        last = max(last, _last_commit(bench, turn, jobs))
    if twice := turn.ran_twice():
        raise BenchFailed(f"{turn.contestant.name}: {twice} jobs ran twice")
    return last - min(turn.tape.column(STARTED))


def _last_commit(bench: Bench, turn: Turn, jobs: int) -> float:
    """When the ledger finished its last job: that is the end of a ledgered run, not the last function's return."""

    def settled() -> bool:
        return bool(bench.house.value("select count(*) = $1 from jobs where status = 'done'", jobs))

    turn.wait(settled, seconds=30, what="the ledger's last ends")
    (row,) = bench.house.fetch(_ENDED_ONCE)
    if (row["done"], row["jobs"], row["successes"]) != (jobs, jobs, jobs):
        raise BenchFailed(f"{turn.contestant.name}: of {jobs} jobs the ledger says {dict(row)}")
    return float(row["last"])
