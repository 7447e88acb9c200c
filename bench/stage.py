"""The servers of a run, and one contestant's turn on them: everything emptied before, every process ended after."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from bench.contestants import Contestant
from bench.environments import ROOT, WORKSHOP, python_of
from bench.tape import RUNS, Tape

STOPPED_WITHIN = 10.0
FIRST_PEER_DATABASE = 20  # below are ours


class BenchFailed(Exception):
    """A contestant did not do what it was asked to; says which one, and where its log is."""


class Stage:
    """One Redis server for all contestants, one Postgres server for ours."""

    def __init__(self, *, durable_redis: bool = False) -> None:
        self.folder = WORKSHOP / "run"
        self._durable_redis = durable_redis
        self._numbers = itertools.count(1)
        self.master_key, self.admin_key = secrets.token_urlsafe(48), secrets.token_urlsafe(48)

    def __enter__(self) -> Stage:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "logs").mkdir(parents=True)
        self.postgres = EmbeddedPostgres(self.folder / "postgres")
        self.redis = EmbeddedRedis(self.folder / "redis", durable=self._durable_redis)
        self.postgres.start()
        self.redis.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.redis.stop()
        self.postgres.stop()

    def number(self) -> int:
        return next(self._numbers)

    def flush(self) -> None:
        with redis.Redis.from_url(self.redis.url(0)) as client:
            client.flushall()

    @contextmanager
    def turn(
        self, contestant: Contestant, jobs: int, *, environment: Mapping[str, str] | None = None, slot: int = 0
    ) -> Iterator[Turn]:
        """A contestant's turn, with a tape for so many jobs; `slot` keeps turns apart that run at the same time."""
        name = f"{self.number():04d}-{contestant.library}"
        tape = self.folder / f"{name}.tape"
        variables = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "BENCH_TAPE": str(tape),  # none of these names is one of ours for the queue `bench`, as BENCH_REDIS_URL is
            "BENCH_SERVER": self.redis.url(FIRST_PEER_DATABASE + slot),
        }
        turn = Turn(
            contestant,
            Tape.create(tape, jobs),
            variables | dict(contestant.environment) | dict(environment or {}),
            self.folder / "logs" / name,
        )
        try:
            yield turn
        finally:
            turn.end()
            tape.unlink()


class Turn:
    """One contestant's processes and their tape."""

    def __init__(self, contestant: Contestant, tape: Tape, environment: dict[str, str], log: Path) -> None:
        self.contestant = contestant
        self.tape = tape
        self.environment = environment
        self._log = log
        self._children: list[subprocess.Popen[bytes]] = []

    def produce(self, verb: str, jobs: int, *, environment: Mapping[str, str] | None = None, **options: float) -> float:
        """Let the producer do its part; the seconds that it took by its own clock."""
        words = [word for name, value in options.items() for word in (f"--{name}", f"{value}")]
        command = [self.python, "-m", "bench.produce", self.contestant.producer, verb, "--jobs", str(jobs), *words]
        log = self._log.with_suffix(".producer.log")
        with log.open("ab") as errors:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=self.environment | dict(environment or {}),
                stdout=subprocess.PIPE,
                stderr=errors,
                check=False,
            )
        if done.returncode != 0:
            raise BenchFailed(f"{self.contestant.name}: its producer failed; see {log.relative_to(ROOT)}")
        answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return answer["seconds"]

    def start_worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """A worker in a process group of its own."""
        return self.start([self.python, *self.contestant.worker], "worker", **environment)

    def start(self, command: list[str], role: str, **environment: str) -> subprocess.Popen[bytes]:
        with self._log.with_suffix(f".{role}.log").open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children.append(child)
        return child

    @property
    def newest(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        return self._children[-1]

    def wait(self, reached: Callable[[], Any], *, seconds: float, what: str, look_every: float = 0.1) -> None:
        """Until it is so; a worker that ended, or time that ran out, fails the turn."""
        deadline = time.monotonic() + seconds
        while not reached():
            dead = [child for child in self._children if child.poll() not in (None, -signal.SIGKILL)]
            if dead or time.monotonic() > deadline:
                why = f"a process ended with {dead[0].returncode}" if dead else f"not within {seconds:g} s"
                raise BenchFailed(f"{self.contestant.name}: {what}: {why}; logs: {self._log.relative_to(ROOT)}.*")
            time.sleep(look_every)

    def wait_for_jobs(self, jobs: int, *, seconds: float = 240.0) -> None:
        self.wait(lambda: self.tape.ended() >= jobs, seconds=seconds, what=f"{jobs} jobs", look_every=0.2)

    def ran_twice(self) -> int:
        return sum(1 for runs in self.tape.column(RUNS) if runs > 1)

    def kill(self, child: subprocess.Popen[bytes]) -> float:
        """As when the machine dies: it and all its children, at once and without a word. When that was."""
        parent = psutil.Process(child.pid)
        family = [parent, *parent.children(recursive=True)]
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        died = time.time()
        child.wait()
        return died

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGTERM)
            try:
                child.wait(STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill(child)
        with contextlib.suppress(ProcessLookupError):  # what it left behind
            os.killpg(child.pid, signal.SIGKILL)
        self._children.remove(child)

    def end(self) -> None:
        for child in list(self._children):
            self.stop(child)

    @property
    def python(self) -> str:
        return str(python_of(self.contestant.library))
