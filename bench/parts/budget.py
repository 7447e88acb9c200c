"""How many SQL statements and Redis calls a hundred no-op jobs take, as the servers themselves saw them."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bench.contestants import LEDGERED, PLAIN, Contestant
from bench.parts.bench import Bench
from bench.parts.throughput import drained_in
from bench.stage import Stage

JOBS = 20_000
_STATEMENT = re.compile(rb"^bench> homeroom bench worker LOG:  (?:statement|execute)", re.MULTILINE)


def run(bench: Bench) -> None:
    for number in range(1, bench.runs + 1):
        told = [_measure(bench, contestant) for contestant in (PLAIN, LEDGERED)]
        print(f"budget  run {number}  {'; '.join(told)}", flush=True)


def _measure(bench: Bench, contestant: Contestant) -> str:
    jobs = bench.jobs(JOBS, least=5_000)
    with bench.turn(contestant, jobs) as turn:
        turn.produce("fill", jobs)
        with _statements(bench) as statements, redis_calls(bench.stage) as calls:
            turn.start_worker()
            drained_in(bench, turn, jobs)
    per_hundred = {"SQL statements": statements, "Redis calls": calls}
    for what, counted in per_hundred.items():
        bench.figures.add("budget", contestant.name, f"{what} for 100 jobs", "", counted[0] * 100 / jobs)
    told = ", ".join(f"{counted[0] * 100 / jobs:.2f} {what}" for what, counted in per_hundred.items())
    return f"{contestant.name}: {told} for 100 jobs"


@contextmanager
def _statements(bench: Bench) -> Iterator[list[int]]:
    """Every statement of the worker's sessions, BEGIN and COMMIT too, by the server's log."""
    log = bench.stage.postgres.log_file
    admin = bench.stage.postgres.url("postgres")
    for setting in ("log_statement = 'all'", "log_line_prefix = 'bench> %a '"):
        bench.house.execute(f"alter system set {setting}", url=admin)
    bench.house.execute("select pg_reload_conf()", url=admin)
    start, counted = log.stat().st_size, [0]
    try:
        yield counted
    finally:
        with log.open("rb") as file:
            file.seek(start)
            counted[0] = len(_STATEMENT.findall(file.read()))
        for setting in ("log_statement", "log_line_prefix"):
            bench.house.execute(f"alter system reset {setting}", url=admin)
        bench.house.execute("select pg_reload_conf()", url=admin)


@contextmanager
def redis_calls(stage: Stage) -> Iterator[list[int]]:
    """Every command that a client sent, by MONITOR; what a script calls inside the server is not one."""
    counted, chunks = [0], list[bytes]()
    with socket.create_connection(("127.0.0.1", stage.redis.port)) as wire:
        wire.sendall(f"AUTH {stage.redis.password}\r\nMONITOR\r\n".encode())

        def listen() -> None:
            while chunk := wire.recv(65536):
                chunks.append(chunk)

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield counted
        finally:
            wire.shutdown(socket.SHUT_RDWR)
            listener.join()
            counted[0] = count_calls(b"".join(chunks))


def count_calls(told: bytes) -> int:
    """Lines such as `+1700000000.1 [3 127.0.0.1:5000] "EVALSHA" ...`, but not those of `[3 lua]`."""
    return len(re.findall(rb"^\+[0-9.]+ \[\d+ (?!lua\])", told, re.MULTILINE))
