"""E: a worker is killed in the middle of a job. When does the job run again, with another worker there to take it?"""

from __future__ import annotations

import random
import time
from contextlib import ExitStack

from bench.contestants import LEDGERED
from bench.parts.bench import Bench
from bench.parts.processes import start_ready_worker
from bench.stage import BenchFailed, Turn
from bench.tape import STARTED

TRIALS, VICTIMS = 50, 10
HELD_SECONDS = 600.0  # our victims' jobs outlast the trial
PEER_SECONDS, PEERS_PATIENCE = 3.0, 90.0
LEASES = {"10": TRIALS, "3": VICTIMS}  # the default, and a shorter one


def run(bench: Bench) -> None:
    for lease, trials in LEASES.items():
        for _ in range(max(1, bench.jobs(trials, least=VICTIMS) // VICTIMS)):
            waits = _kill_ours(bench, lease)
            bench.figures.add("E", f"{LEDGERED.name}, lease {lease} s", "back after", "s", *waits)
            told = f"{min(waits):.1f} to {max(waits):.1f} s after {VICTIMS} kills"
            print(f"E  {LEDGERED.name}, lease {lease} s: {told}", flush=True)
    if bench.peers:
        _kill_peers(bench)


def _kill_ours(bench: Bench, lease: str) -> list[float]:
    """So many workers with one job each, killed at moments of their own; one that survives."""
    environment = {"LEASE_SECONDS": lease, "HEARTBEAT_SECONDS": f"{float(lease) / 5:g}"}
    with bench.turn(LEDGERED, VICTIMS, environment=environment) as turn:
        victims = [turn.start_worker(BENCH_CONCURRENCY="1") for _ in range(VICTIMS)]
        turn.produce("fill", VICTIMS, seconds=HELD_SECONDS)
        turn.wait(lambda: turn.tape.begun() == VICTIMS, seconds=60, what="a job in every victim")
        start_ready_worker(turn)
        jobs = {turn.tape.process(job): job for job in range(VICTIMS)}
        died: dict[int, float] = {}
        for victim in random.sample(victims, len(victims)):
            time.sleep(random.uniform(0.0, 0.5))
            died[jobs[victim.pid]] = turn.kill(victim)
        back = [*range(VICTIMS)]
        turn.wait(lambda: all(turn.tape.runs(job) > 1 for job in back), seconds=float(lease) + 60, what="all back")
        return [turn.tape.started(job, 1) - died[job] for job in back]


def _kill_peers(bench: Bench) -> None:
    """One trial each, all at the same time: nearly all of it is waiting."""
    patience = bench.jobs(int(PEERS_PATIENCE), least=15)
    bench.stage.flush()
    killed: dict[str, tuple[Turn, float]] = {}
    with ExitStack() as stack:
        for slot, peer in enumerate((each for each in bench.peers if each.kills), start=1):
            turn = stack.enter_context(bench.turn(peer, 1, slot=slot))
            try:
                killed[peer.name] = turn, _kill_peer(turn)
            except BenchFailed as failure:
                bench.fail("E", failure)
        deadline = time.time() + patience
        while time.time() < deadline and any(turn.tape.runs(0) == 1 for turn, _ in killed.values()):
            time.sleep(0.5)
        for name, (turn, died) in killed.items():
            again = turn.tape.runs(0) > 1
            wait = turn.tape.started(0, 1) - died if again else time.time() - died
            note = "" if again else f"not within {wait:.0f} s"
            bench.figures.add("E", name, "back after", "s", wait, note=note)
            print(f"E  {name:<30} {note or f'{wait:.1f} s'}", flush=True)


def _kill_peer(turn: Turn) -> float:
    victim = turn.start_worker()
    turn.produce("fill", 1, seconds=PEER_SECONDS)
    turn.wait(lambda: turn.tape.column(STARTED)[0] > 0, seconds=60, what="its job", look_every=0.02)
    time.sleep(1.0)
    died = turn.kill(victim)
    turn.start_worker()
    return died
