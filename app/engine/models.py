"""The ledger's tables.

Hot rows are narrow in meaning: a job row says where the job stands now, an attempt row says how one delivery ended and
is written once, when it ends. The delivery that is running is the job row itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import TIMESTAMP as PG_TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db import Base

Timestamp = PG_TIMESTAMP(timezone=True)
NOW = func.now()

LIVE = "status in ('queued', 'processing')"


class Job(Base):
    """One accepted job. It exists when this row is committed; everything in Redis is a hint about it.

    Fill factor and autovacuum of this hot table stand in its migration: SQLAlchemy has no words for them.
    """

    __tablename__ = "jobs"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    queue: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="queued")
    step: Mapped[str | None] = mapped_column(Text)
    progress: Mapped[int] = mapped_column(SmallInteger, server_default="0")

    attempt: Mapped[int] = mapped_column(server_default="0")  # deliveries begun: the fence
    failures: Mapped[int] = mapped_column(server_default="0")  # of them failed, counted against max_attempts
    losses: Mapped[int] = mapped_column(server_default="0")  # workers that died under it
    retries: Mapped[int] = mapped_column(server_default="0")  # times a person or a client retried it
    max_attempts: Mapped[int]
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    bulk: Mapped[bool] = mapped_column(server_default=text("false"))  # waits in its tenant's bulk flow

    lane_id: Mapped[str | None] = mapped_column(Text)
    lane_seq: Mapped[int | None] = mapped_column(BigInteger)

    input: Mapped[Any] = mapped_column(JSONB)
    result: Mapped[Any | None] = mapped_column(JSONB)
    error: Mapped[str | None] = mapped_column(Text)
    error_detail: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    session_id: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(Text)  # of the request that made it (kit/trace.py)

    worker_id: Mapped[UUID | None]
    claim_token: Mapped[UUID | None]  # with `attempt`, proves that a delivery is still the owner
    timeout_seconds: Mapped[float]
    deadline_at: Mapped[datetime | None] = mapped_column(Timestamp)  # a delivery may be rescued after this moment
    cancel_requested_at: Mapped[datetime | None] = mapped_column(Timestamp)
    dispatched_at: Mapped[datetime | None] = mapped_column(Timestamp)  # null: Redis holds no hint, sweep it
    run_at: Mapped[datetime | None] = mapped_column(Timestamp)  # not before
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    started_at: Mapped[datetime | None] = mapped_column(Timestamp)  # first delivery
    begun_at: Mapped[datetime | None] = mapped_column(Timestamp)  # this delivery
    finished_at: Mapped[datetime | None] = mapped_column(Timestamp)

    __table_args__ = (
        CheckConstraint("status in ('queued', 'processing', 'done', 'failed', 'cancelled')", name="jobs_status"),
        CheckConstraint("(lane_id is null) = (lane_seq is null)", name="jobs_lane_has_seq"),
        CheckConstraint("status <> 'processing' or claim_token is not null", name="jobs_processing_is_owned"),
        Index(
            "jobs_by_group",
            "tenant_id",
            "queue",
            "kind",
            "status",
            text("created_at desc"),
            text("job_id desc"),
            postgresql_where=text("status <> 'processing'"),
        ),
        Index(
            "jobs_waiting",
            "queue",
            # As Postgres shows it, or it could not be compared with the migration's.
            text("(\ncase\n when dispatched_at is null then 0\n else 1\nend)"),
            text("greatest(created_at, run_at)"),
            postgresql_where=text("status = 'queued' and lane_id is null"),
        ),
        Index(
            "jobs_by_lane",
            "tenant_id",
            "lane_id",
            text("created_at desc"),
            text("job_id desc"),
            postgresql_where=text("lane_id is not null and status in ('done', 'failed', 'cancelled')"),
        ),
        Index("jobs_ended", "queue", "status", "finished_at", postgresql_where=text("finished_at is not null")),
        Index("jobs_processing", "queue", "worker_id", postgresql_where=text("status = 'processing'")),
        # Two holders of a lane are impossible, whatever Redis or a worker believes.
        Index(
            "jobs_lane_holder",
            "tenant_id",
            "queue",
            "lane_id",
            unique=True,
            postgresql_where=text("status = 'processing' and lane_id is not null"),
        ),
        Index(
            "jobs_lane_live",
            "queue",
            "tenant_id",
            "lane_id",
            "lane_seq",
            unique=True,
            postgresql_where=text(f"{LIVE} and lane_id is not null"),
        ),
    )


class JobAttempt(Base):
    """How one delivery ended (the seeds' TaskExecution). No foreign key: it would lock the job row a second time."""

    __tablename__ = "job_attempts"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    worker_id: Mapped[UUID | None]
    claim_token: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Timestamp)
    finished_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    duration_ms: Mapped[int]
    exit_code: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    error_detail: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint(
            "status in ('success', 'failure', 'retry', 'lost', 'cancelled', 'released')", name="job_attempts_status"
        ),
    )


class IdempotencyKey(Base):
    """Which job a client's key stands for. A second request with it gets that job, or 409 for another body."""

    __tablename__ = "idempotency_keys"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    job_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)

    __table_args__ = (Index("idempotency_keys_by_job", "job_id"),)  # a job takes its keys along when it expires


class ExpiredJob(Base):
    """A job that was: what is left once retention has removed it, for as long again as the job was kept."""

    __tablename__ = "expired_jobs"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    expired_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)


class Lane(Base):
    """The row whose lock orders a lane: sequence numbers are taken under it, so commits follow them."""

    __tablename__ = "lanes"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    queue: Mapped[str] = mapped_column(Text, primary_key=True)
    lane_id: Mapped[str] = mapped_column(Text, primary_key=True)
    next_seq: Mapped[int] = mapped_column(BigInteger, server_default="1")
    last_fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    last_job_id: Mapped[UUID | None]
    last_at: Mapped[datetime | None] = mapped_column(Timestamp)


class OutboxEffect(Base):
    """An effect that crosses a workload, committed with the change that it tells of; the base worker relays it."""

    __tablename__ = "outbox"

    effect_id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    topic: Mapped[str] = mapped_column(Text)
    payload: Mapped[Any] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    tries: Mapped[int] = mapped_column(server_default="0")
    next_try_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    delivered_at: Mapped[datetime | None] = mapped_column(Timestamp)
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("outbox_pending", "next_try_at", postgresql_where=text("delivered_at is null")),)


class Worker(Base):
    """One running worker process. It owns its jobs while `lease_until` lies ahead; Postgres' clock decides."""

    __tablename__ = "workers"

    worker_id: Mapped[UUID] = mapped_column(primary_key=True)
    queue: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int]
    version: Mapped[str] = mapped_column(Text)
    slots: Mapped[int]
    load: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    lease_until: Mapped[datetime] = mapped_column(Timestamp)


class QueueControl(Base):
    """What operators decided about a queue, and which of its workers reconciles it at the moment."""

    __tablename__ = "queue_controls"

    queue: Mapped[str] = mapped_column(Text, primary_key=True)
    paused: Mapped[bool] = mapped_column(server_default=text("false"))
    paused_by: Mapped[str | None] = mapped_column(Text)
    draining: Mapped[bool] = mapped_column(server_default=text("false"))  # paused until nothing runs any more
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    epoch: Mapped[str | None] = mapped_column(Text)  # of Redis' content: a note about a hint of another one is void
    reconciler_id: Mapped[UUID | None]
    reconciler_until: Mapped[datetime | None] = mapped_column(Timestamp)


class QueueSample(Base):
    """How a queue stood at a moment, and what ended in the ten seconds before it; kept for two hours."""

    __tablename__ = "queue_samples"

    queue: Mapped[str] = mapped_column(Text, primary_key=True)
    sampled_at: Mapped[datetime] = mapped_column(Timestamp, primary_key=True)
    queued: Mapped[int]
    ready: Mapped[int]  # of them, those that only a free slot is missing for
    scheduled: Mapped[int]  # those whose moment has not come
    blocked: Mapped[int]  # those that wait behind another of their lane
    processing: Mapped[int]
    oldest_ready_seconds: Mapped[float | None]
    done: Mapped[int]
    failed: Mapped[int]
    latency_p50: Mapped[float | None]  # seconds from when a job could have begun to when it was done
    latency_p95: Mapped[float | None]


class ScheduleRow(Base):
    """When a schedule falls due next, and which process is at it."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    queue: Mapped[str] = mapped_column(Text)
    timing: Mapped[str] = mapped_column(Text)  # as the spec had it when `due_at` was reckoned
    due_at: Mapped[datetime] = mapped_column(Timestamp)
    runner_id: Mapped[UUID | None]
    runner_until: Mapped[datetime | None] = mapped_column(Timestamp)
    started_at: Mapped[datetime | None] = mapped_column(Timestamp)
    finished_at: Mapped[datetime | None] = mapped_column(Timestamp)
    error: Mapped[str | None] = mapped_column(Text)


class AuditFinding(Base):
    """An invariant that was found violated, by which job, effect or worker; it goes once it is found healed."""

    __tablename__ = "audit_findings"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[UUID] = mapped_column(primary_key=True)
    invariant: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    first_seen_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    last_seen_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)


class AuditProgress(Base):
    """How far the auditor has come on its way through the ledger, which it walks in rounds."""

    __tablename__ = "audit_progress"

    auditor: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[UUID]
    finished_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
