"""Lanes in memory, for tests of what is built on them: the rules of the ledger, without a server.

What stands here is told a second time in Python, on purpose: the twin is the model that the real lanes are compared
with, step by step (tests/integration/test_lane_stateful.py). Nothing here outlives its process, so nothing of it starts
outside tests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from app.engine.ledger.begin import Begun, Delivery, Verdict
from app.engine.ledger.finish import End, Ended, Ending
from app.engine.ledger.lanes import LANE_RETRY_SECONDS
from app.engine.ledger.losses import COMMON
from app.engine.ledger.newjob import Accepted, Answer, LaneFull, LaneKey, NewJob
from app.engine.ledger.rows import TERMINAL, Due, Hint, JobRow, LanePlace
from app.kit import json
from app.kit.errors import ConfigurationError
from app.kit.ids import uuid7

Clock = Callable[[], datetime]


def only_in_tests(what: str, environment: str) -> None:
    if environment != "test":
        raise ConfigurationError(
            f"{what} forgets every job with its process, and this environment is {environment!r}.",
            cure="Use Postgres and Redis (`make up` starts both); in tests, set APP_ENV=test.",
        )


@dataclass(slots=True)
class _Job:
    new: NewJob
    row: JobRow
    failures: int = 0
    losses: int = 0
    token: UUID | None = None
    worker_id: UUID | None = None
    cancel_requested: bool = False
    ends: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Lane:
    next_seq: int = 1
    last: tuple[bytes, UUID, datetime] | None = None  # fingerprint, job and moment of whoever came last


class MemoryLanes:
    """The twin of `LedgerLanes`. Jobs without a lane are their own heads, as in the ledger."""

    def __init__(self, *, environment: str, clock: Clock = lambda: datetime.now(UTC)) -> None:
        only_in_tests("MemoryLanes", environment)
        self._now = clock
        self._jobs: dict[UUID, _Job] = {}
        self._lanes: dict[LaneKey, _Lane] = defaultdict(_Lane)
        self._workers: dict[UUID, datetime] = {}

    async def join(self, lease: float) -> UUID:
        worker_id = uuid7()
        self._workers[worker_id] = self._now() + timedelta(seconds=lease)
        return worker_id

    async def lose(self, worker_id: UUID) -> None:
        self._workers.pop(worker_id, None)
        for job in self._jobs.values():
            if job.row.status == "processing" and job.worker_id == worker_id:
                self._give_back(job)

    async def enter(self, requests: Sequence[NewJob]) -> list[Answer]:
        return [self._enter(request) for request in requests]

    async def head(self, lane: LaneKey) -> Due | None:
        live = self._live(lane)
        return live[0].row.due() if live and live[0].row.status == "queued" else None

    async def begin(self, hint: Hint, worker_id: UUID, *, token: UUID | None = None, alone: bool = False) -> Begun:
        token = token or uuid4()
        job = self._jobs.get(hint.job_id)
        if job is None:
            return Begun(Verdict.DROP, hint)
        row = job.row
        if (row.status, row.attempt, job.token, job.worker_id) == ("processing", hint.attempt, token, worker_id):
            return Begun(Verdict.RUN, hint, _delivery(job))  # asked again, after a lost reply
        if row.status != "queued" or row.attempt != hint.attempt - 1:
            return Begun(Verdict.DROP, hint)
        early = (row.run_at - self._now()).total_seconds() if row.run_at is not None else 0.0
        waits = early > 0 or not self._is_head(job)
        if COMMON.suspects(row.kind, job.losses) and not alone and not waits:
            return Begun(Verdict.ALONE, hint, due=row.due())
        if waits or self._workers.get(worker_id, self._now()) <= self._now():
            return Begun(Verdict.LATER, hint, due=row.due(), wait=max(1.0, early))
        job.token, job.worker_id = token, worker_id
        self._change(job, "processing", attempt=hint.attempt, progress=0, step=None, error=None, error_detail=None)
        row.started_at = row.started_at or self._now()
        return Begun(Verdict.RUN, hint, _delivery(job))

    async def end(self, ending: Ending) -> Ended | None:
        delivery = ending.delivery
        job = self._jobs.get(delivery.job_id)
        if job is None or (job.row.status, job.row.attempt, job.token) != (
            "processing",
            delivery.attempt,
            delivery.token,
        ):
            return None
        job.ends.append(ending.end.value)
        job.failures += ending.end in (End.FAILED, End.RETRY)
        row = job.row
        if ending.delay > 0:
            row.run_at = self._now() + timedelta(seconds=ending.delay)
        if ending.end is End.DONE:
            row.progress, row.step = 100, "done"
        row.result = json.loads(ending.result) if ending.result is not None else None
        self._change(job, _status_after(ending.end, job), error=ending.error, error_detail=ending.error_detail)
        return Ended(row.job_id, row.attempt, row.status, row.lane_id, row.bulk, row.priority, row.run_at)

    async def cancel(self, tenant_id: str, job_id: UUID) -> JobRow | None:
        job = self._find(tenant_id, job_id)
        if job is None or not job.row.live:
            return None
        job.cancel_requested = True
        if job.row.status == "queued":
            self._change(job, "cancelled")
        return replace(job.row)

    async def retry(self, tenant_id: str, job_id: UUID) -> JobRow | None:
        job = self._find(tenant_id, job_id)
        if job is None or job.row.status != "failed":
            return None
        job.failures = job.losses = 0
        job.cancel_requested = False
        if job.row.lane_id is not None:
            lane = self._lanes[job.new.lane]
            job.row.lane_seq, lane.next_seq = lane.next_seq, lane.next_seq + 1
        self._change(job, "queued", progress=0, step=None, error=None, error_detail=None, run_at=None, result=None)
        return replace(job.row)

    async def read(self, tenant_id: str, job_id: UUID) -> JobRow | None:
        job = self._find(tenant_id, job_id)
        return replace(job.row) if job is not None else None

    async def live(self, lane: LaneKey) -> list[JobRow]:
        return [replace(job.row) for job in self._live(lane)]

    async def attempts(self, tenant_id: str, job_id: UUID) -> list[str]:
        job = self._find(tenant_id, job_id)
        if job is None:
            return []
        return job.ends + (["running"] if job.row.status == "processing" else [])

    def _enter(self, new: NewJob) -> Answer:
        if new.lane_id is None:
            return Accepted(replace(self._add(new, None).row))
        lane, live = self._lanes[new.lane], len(self._live(new.lane))
        if (meant := self._debounced(lane, new)) is not None:
            return Accepted(replace(meant.row), fresh=False, debounced=True)
        if new.lane_capacity is not None and live >= new.lane_capacity:
            return LaneFull(
                f"{live} jobs of this lane are waiting or running; it holds {new.lane_capacity}.",
                retry_after=LANE_RETRY_SECONDS,
                lane_queue_size=live,
            )
        job = self._add(new, lane.next_seq)
        lane.next_seq += 1
        lane.last = (new.fingerprint, new.job_id, self._now())
        return Accepted(replace(job.row), place=LanePlace.of_newcomer(live))

    def _debounced(self, lane: _Lane, new: NewJob) -> _Job | None:
        """The job that came last, where this is the same request once more, and soon enough."""
        if lane.last is None:
            return None
        fingerprint, job_id, moment = lane.last
        recent = self._now() - moment < timedelta(milliseconds=new.debounce_ms)
        job = self._jobs[job_id]
        return job if recent and fingerprint == new.fingerprint and job.row.live else None

    def _add(self, new: NewJob, lane_seq: int | None) -> _Job:
        now = self._now()
        given: dict[str, Any] = {
            name: getattr(new, name) for name in ("job_id", "tenant_id", "queue", "kind", "max_attempts", "priority")
        }
        given |= {name: getattr(new, name) for name in ("bulk", "request_id", "session_id", "lane_id", "run_at")}
        blank: dict[str, Any] = dict.fromkeys(("step", "error", "error_detail", "result", "started_at", "finished_at"))
        row = JobRow(
            **given, **blank, status="queued", progress=0, attempt=0, lane_seq=lane_seq, created_at=now, updated_at=now
        )
        job = self._jobs[new.job_id] = _Job(new, row)
        return job

    def _give_back(self, job: _Job) -> None:
        """As rescue does: it costs the job no failure, and two losses make it a suspect."""
        job.ends.append("lost")
        poisoned = COMMON.suspects(job.row.kind, job.losses)
        job.losses += 1
        if job.cancel_requested:
            self._change(job, "cancelled", error=None, error_detail=None)
        elif poisoned:
            times = f"Workers died under this job {job.losses} times, the last time while it ran alone."
            self._change(job, "failed", error="poisoned", error_detail=times)
        else:
            self._change(job, "queued", error=None, error_detail=None)

    def _change(self, job: _Job, status: str, **fields: Any) -> None:
        now = self._now()
        for name, value in fields.items():
            setattr(job.row, name, value)
        job.row.status, job.row.updated_at = status, now
        job.row.finished_at = now if status in TERMINAL else None

    def _find(self, tenant_id: str, job_id: UUID) -> _Job | None:
        job = self._jobs.get(job_id)
        return job if job is not None and job.row.tenant_id == tenant_id else None

    def _live(self, lane: LaneKey) -> list[_Job]:
        found = [job for job in self._jobs.values() if job.new.lane_id and job.new.lane == lane and job.row.live]
        return sorted(found, key=lambda job: job.row.lane_seq or 0)

    def _is_head(self, job: _Job) -> bool:
        return job.new.lane_id is None or self._live(job.new.lane)[0] is job


def _status_after(end: End, job: _Job) -> str:
    if end is End.DONE:
        return "done"
    if end is End.FAILED:
        return "failed"
    return "cancelled" if end is End.CANCELLED or job.cancel_requested else "queued"


def _delivery(job: _Job) -> Delivery:
    row, new = job.row, job.new
    assert job.token is not None
    return Delivery(
        row.job_id,
        row.attempt,
        job.token,
        row.tenant_id,
        row.queue,
        row.kind,
        json.loads(new.input),
        job.failures,
        job.losses,
        row.max_attempts,
        new.timeout,
        row.lane_id,
        row.request_id,
        row.session_id,
        row.priority,
        row.bulk,
        suspect=COMMON.suspects(row.kind, job.losses),
    )
