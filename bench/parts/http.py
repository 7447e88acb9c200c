"""F: submits over HTTP with keys and limits, beside a bare FastAPI route that checks the same body."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.contestants import HTTP
from bench.ours.house import free_port
from bench.parts.bench import Bench
from bench.parts.processes import start_api
from bench.stage import BenchFailed, Turn

SCRIPT = Path(__file__).resolve().parents[1] / "submit.lua"
SECONDS, CLIENTS, BULK = 5, 50, 1000
BARE, SUBMIT = "bare FastAPI route", "POST /v1/jobs"
BULK_ROUTE = f"POST /v1/jobs/bulk of {BULK:,}"


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw."""

    requests: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def run(bench: Bench) -> None:
    for number in range(1, bench.runs + 1):
        told = bench.calmly(partial(_beside_the_bare_route, bench))
        bulks = [bench.calmly(partial(_in_bulk, bench, clients)) for clients in (1, 4)]
        print(f"F  run {number}  {told}; in bulk {' and '.join(bulks)} jobs/s with 1 and 4 clients", flush=True)


def _beside_the_bare_route(bench: Bench) -> str:
    bare = _measure(bench, BARE, "bench.ours.bare", CLIENTS)
    ours = _measure(bench, SUBMIT, "bench.ours.api", CLIENTS)
    bench.figures.add("F", SUBMIT, "share of the bare route", "", ours.rate / bare.rate)
    return f"{ours.rate:,.0f} of {bare.rate:,.0f} requests/s ({ours.rate / bare.rate:.2f})"


def _in_bulk(bench: Bench, clients: int) -> str:
    name = f"{BULK_ROUTE}, {clients} client{'s' if clients > 1 else ''}"
    return f"{_measure(bench, name, 'bench.ours.api', clients, jobs=BULK).rate * BULK:,.0f}"


def _measure(bench: Bench, name: str, module: str, clients: int, jobs: int = 1) -> Load:
    with bench.turn(HTTP, 1, environment={"PORT": str(free_port())}) as turn:
        port = start_api(turn, module)
        load(turn, port, clients, 1, jobs)  # warm up
        seen = load(turn, port, clients, SECONDS if bench.scale >= 1 else 1, jobs)
        if seen.errors:
            raise BenchFailed(f"{name}: {seen.errors} of {seen.requests} requests failed")
        if name is not BARE and (there := bench.house.value("select count(*) from jobs")) < seen.requests * jobs:
            raise BenchFailed(f"{name}: {seen.requests * jobs} jobs were accepted, {there} are in the ledger")
    unit = "requests/s" if jobs == 1 else "jobs/s"
    bench.figures.add("F", name, "rate", unit, seen.rate * jobs)
    bench.figures.add("F", name, "p50", "ms", seen.p50_ms)
    bench.figures.add("F", name, "p99", "ms", seen.p99_ms)
    return seen


def load(turn: Turn, port: int, clients: int, seconds: int, jobs: int) -> Load:
    command = ["wrk", "--threads", "1", "--connections", str(clients), "--duration", str(seconds)]
    script = ["--timeout", "10s", "--script", str(SCRIPT), f"http://127.0.0.1:{port}"]
    arguments = ["--", turn.environment["BENCH_API_KEY"], str(jobs)]
    done = subprocess.run([*command, *script, *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchFailed(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return Load(**json.loads(done.stdout.splitlines()[-1]))
