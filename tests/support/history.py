"""A history, and what must be true of it: written by the jobs and by the client that submitted them, judged afterwards.

Nothing here asks the engine how it did. The lines come from the job functions and from the client, the facts from
Postgres' rows and Redis' keys, and the two have to agree.
"""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.kit import json

TERMINAL = ("done", "failed", "cancelled")
LOSSES_OF_POISON = 3
FAR = float("inf")


@dataclass(frozen=True, slots=True)
class Line:
    """What one run says: `start`, `effect` or `end`. Its place in the file is its place in time."""

    what: str
    job_id: str
    attempt: int
    token: str
    lane: str | None
    pid: int
    at: float  # by the wall's clock, which Postgres on this machine shares
    monotonic: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """A 202, as its client saw it."""

    key: str
    job_id: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a delivery ended, by its row."""

    attempt: int
    token: str
    status: str
    at: float


@dataclass(slots=True)
class Fact:
    """What the ledger and the domain's table hold of one job."""

    job_id: str
    status: str
    lane: str | None = None
    lane_seq: int = 0
    retries: int = 0
    error: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    rows: list[tuple[int, str]] = field(default_factory=list)  # of the domain: attempt and token


@dataclass(slots=True)
class Report:
    """What the history shows."""

    violations: list[str] = field(default_factory=list)
    jobs: int = 0
    runs: int = 0
    lost: int = 0  # deliveries whose worker was lost
    poisoned: int = 0
    taken_back: int = 0  # runs of a begin that a crash of Postgres took back
    zombies: int = 0  # runs that went on beside the next holder of their lane, after their own delivery was lost

    def __add__(self, other: Report) -> Report:
        counts = (name for name in self.__slots__ if name != "violations")
        summed = {name: getattr(self, name) + getattr(other, name) for name in counts}
        return Report(violations=self.violations + other.violations, **summed)


def append(path: Path, **fields: Any) -> None:
    """One line by one write: lines of processes that write at once do not mix, and a kill leaves no half."""
    line = json.dumps(fields | {"at": time.time(), "monotonic": time.monotonic()}) + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def read_lines(path: Path) -> list[Line]:
    return [Line(**each) for each in read(path)]


def check(
    accepted: Iterable[Accepted],
    lines: Iterable[Line],
    facts: Mapping[str, Fact],
    left: Mapping[str, int] | None = None,
) -> Report:
    """Judge the jobs that were accepted by the lines that they wrote and by what the stores hold of them."""
    accepted = list(accepted)
    jobs = {each.job_id for each in accepted}
    said = [line for line in lines if line.job_id in jobs]
    known = {job: facts[job] for job in jobs if job in facts}
    tokens = {attempt.token for fact in known.values() for attempt in fact.attempts}
    starts = [line for line in said if line.what == "start"]
    overlapping = {earlier.token for _, earlier, _ in _overlaps(said, known, owned=True)}
    return Report(
        violations=[
            *_every_job_ends(jobs, known),
            *_one_key_one_job(accepted),
            *_no_stale_write(known),
            *_one_completion(known, said),
            *_one_holder(said, known),
            *_in_order(starts, known),
            *(f"I8 {count} {what} left when all was idle" for what, count in (left or {}).items() if count),
        ],
        jobs=len(jobs),
        runs=len(starts),
        lost=sum(attempt.status == "lost" for fact in known.values() for attempt in fact.attempts),
        poisoned=sum(fact.error == "poisoned" for fact in known.values()),
        taken_back=sum(line.token not in tokens for line in starts),
        zombies=len({earlier.token for _, earlier, _ in _overlaps(said, known, owned=False)} - overlapping),
    )


def _every_job_ends(jobs: Collection[str], facts: Mapping[str, Fact]) -> Iterable[str]:
    for job in sorted(jobs):
        fact = facts.get(job)
        if fact is None:
            yield f"I1 {job} was accepted, and nothing knows it"
        elif fact.status not in TERMINAL:
            yield f"I1 {job} was accepted, and is {fact.status}"
        elif fact.status == "failed" and not _poisoned_fairly(fact):
            yield f"I1 {job} failed with {fact.error}, which no fault here is a reason for"


def _poisoned_fairly(fact: Fact) -> bool:
    lost = sum(attempt.status == "lost" for attempt in fact.attempts)
    return fact.error == "poisoned" and lost >= LOSSES_OF_POISON


def _one_key_one_job(accepted: Iterable[Accepted]) -> Iterable[str]:
    jobs: dict[str, set[str]] = defaultdict(set)
    for each in accepted:
        jobs[each.key].add(each.job_id)
    return (f"I6 key {key} was answered with {len(each)} jobs" for key, each in jobs.items() if len(each) > 1)


def _no_stale_write(facts: Mapping[str, Fact]) -> Iterable[str]:
    for job, fact in facts.items():
        winners = {attempt.token for attempt in fact.attempts if attempt.status == "success"}
        if any(token not in winners for _, token in fact.rows):
            yield f"I4 {job} has a row of a run that did not win"
        if any(count > 1 for count in Counter(attempt.token for attempt in fact.attempts).values()):
            yield f"I4 {job} has two attempts under one token"
        won = min((attempt.attempt for attempt in fact.attempts if attempt.status == "success"), default=None)
        if won is not None and any(attempt.attempt > won for attempt in fact.attempts):
            yield f"I4 {job} has an attempt after the one that ended it"


def _one_completion(facts: Mapping[str, Fact], said: Iterable[Line]) -> Iterable[str]:
    ran = {line.token for line in said if line.what == "end"}
    for job, fact in facts.items():
        winners = [attempt for attempt in fact.attempts if attempt.status == "success"]
        expected = int(fact.status == "done")
        if len(winners) != expected:
            yield f"I5 {job} is {fact.status} with {len(winners)} successes"
        if len(fact.rows) != expected:
            yield f"I5 {job} is {fact.status} with {len(fact.rows)} rows"
        if any(winner.token not in ran for winner in winners):
            yield f"I5 {job} succeeded by a run that nobody saw end"


def _one_holder(said: Sequence[Line], facts: Mapping[str, Fact]) -> Iterable[str]:
    for lane, earlier, later in _overlaps(said, facts, owned=True):
        yield f"I2 lane {lane}: {later.job_id}/{later.attempt} started while {earlier.job_id}/{earlier.attempt} held it"


def _overlaps(said: Sequence[Line], facts: Mapping[str, Fact], *, owned: bool) -> Iterable[tuple[str, Line, Line]]:
    """Runs of a lane that started before an earlier one was over; `owned`: over by its right, not by its own word."""
    ends = {line.token: line.at for line in said if line.what == "end"}
    lost = {a.token: a.at for fact in facts.values() for a in fact.attempts if a.status == "lost"}
    lanes: dict[str, list[Line]] = defaultdict(list)
    for line in said:
        if line.what == "start" and line.lane is not None:
            lanes[line.lane].append(line)
    for lane, starts in lanes.items():
        for place, earlier in enumerate(starts):
            over = ends.get(earlier.token, lost.get(earlier.token, FAR))
            if owned:
                over = min(over, lost.get(earlier.token, FAR))
            for later in starts[place + 1 :]:
                if later.at < over:
                    yield lane, earlier, later


def _in_order(starts: Iterable[Line], facts: Mapping[str, Fact]) -> Iterable[str]:
    """By each job's first start alone; a person's retry has a new place."""
    first: dict[str, Line] = {}
    for line in starts:
        first.setdefault(line.job_id, line)
    reached: dict[str, int] = defaultdict(int)
    for line in first.values():
        fact = facts.get(line.job_id)
        if line.lane is None or fact is None or fact.retries:
            continue
        if fact.lane_seq < reached[line.lane]:
            yield f"I3 lane {line.lane}: {line.job_id} (place {fact.lane_seq}) started after place {reached[line.lane]}"
        reached[line.lane] = max(reached[line.lane], fact.lane_seq)
