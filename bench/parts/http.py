"""F: submits over HTTP with keys and limits, beside a bare FastAPI route that checks the same body."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

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
    """Both stand ready, and are asked for a second each in turn: what the machine does meanwhile meets both alike."""
    with bench.turn(HTTP, 1) as turn:
        ports = {
            BARE: start_api(turn, "bench.ours.bare", port=free_port()),
            SUBMIT: start_api(turn, port=free_port()),
        }
        for port in ports.values():
            load(turn, port, CLIENTS, 1, 1)  # warm up
        seen: dict[str, list[Load]] = {name: [] for name in ports}
        for _ in range(_seconds(bench)):
            for name, port in ports.items():
                seen[name].append(load(turn, port, CLIENTS, 1, 1))
        bare, ours = (_noted(bench, name, seen[name]) for name in (BARE, SUBMIT))
        _check_ledger(bench, SUBMIT, ours.requests)
    bench.figures.add("F", SUBMIT, "share of the bare route", "", ours.rate / bare.rate)
    return f"{ours.rate:,.0f} of {bare.rate:,.0f} requests/s ({ours.rate / bare.rate:.2f})"


def _in_bulk(bench: Bench, clients: int) -> str:
    name = f"{BULK_ROUTE}, {clients} client{'s' if clients > 1 else ''}"
    with bench.turn(HTTP, 1) as turn:
        port = start_api(turn, port=free_port())
        load(turn, port, clients, 1, BULK)  # warm up
        seen = _noted(bench, name, [load(turn, port, clients, _seconds(bench), BULK)], jobs=BULK)
        _check_ledger(bench, name, seen.requests * BULK)
    return f"{seen.rate * BULK:,.0f}"


def _noted(bench: Bench, name: str, loads: Sequence[Load], jobs: int = 1) -> Load:
    """All of them as one, among the figures."""
    requests, errors = sum(each.requests for each in loads), sum(each.errors for each in loads)
    if errors:
        raise BenchFailed(f"{name}: {errors} of {requests} requests failed")
    p50, p99 = (median(getattr(each, name) for each in loads) for name in ("p50_ms", "p99_ms"))
    seen = Load(requests, sum(each.seconds for each in loads), errors, p50, p99)
    bench.figures.add("F", name, "rate", "requests/s" if jobs == 1 else "jobs/s", seen.rate * jobs)
    bench.figures.add("F", name, "p50", "ms", seen.p50_ms)
    bench.figures.add("F", name, "p99", "ms", seen.p99_ms)
    return seen


def _check_ledger(bench: Bench, name: str, accepted: int) -> None:
    if (there := bench.house.value("select count(*) from jobs")) < accepted:
        raise BenchFailed(f"{name}: {accepted} jobs were accepted, {there} are in the ledger")


def load(turn: Turn, port: int, clients: int, seconds: int, jobs: int) -> Load:
    command = ["wrk", "--threads", "1", "--connections", str(clients), "--duration", str(seconds)]
    script = ["--timeout", "10s", "--script", str(SCRIPT), f"http://127.0.0.1:{port}"]
    arguments = ["--", turn.environment["BENCH_API_KEY"], str(jobs)]
    done = subprocess.run([*command, *script, *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchFailed(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return Load(**json.loads(done.stdout.splitlines()[-1]))


def _seconds(bench: Bench) -> int:
    return SECONDS if bench.scale >= 1 else 1
