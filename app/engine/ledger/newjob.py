"""What the ledger is asked for, and how it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from app.engine.ledger.rows import Due, JobRow, LanePlace
from app.kit.db import Connection
from app.kit.errors import Refusal
from app.kit.ids import uuid7


class IdempotencyConflict(Refusal):
    status = 409
    code = "idempotency_conflict"
    title = "This idempotency key was used with another body"
    cure = "Send the body that the key was first used with, or use a new key."


class LaneFull(Refusal):
    status = 429
    code = "lane_full"
    title = "The lane has no room for another job"
    cure = "Wait until earlier jobs of the lane have ended; `Retry-After` says when to ask again."


# Writes in the transaction that accepts the job, under the tenant's row level security; raises a Refusal to undo all.
Alongside: TypeAlias = "Callable[[Connection, NewJob], Awaitable[None]]"


@dataclass(slots=True)  # and never changed; to freeze it would cost ten times as much, and a batch makes hundreds
class NewJob:
    """A validated request for one job."""

    tenant_id: str
    queue: str
    kind: str
    input: str  # JSON
    max_attempts: int
    timeout: float
    priority: int = 0
    bulk: bool = False  # waits in its tenant's bulk flow, not before its interactive jobs
    lane_id: str | None = None
    lane_capacity: int | None = None
    debounce_ms: int = 0
    run_at: datetime | None = None
    request_id: str | None = None
    session_id: str | None = None
    idempotency_key: str | None = None
    fingerprint: bytes = b""
    job_id: UUID = field(default_factory=uuid7)
    lane_bounded: bool = False  # by the tenant's own `lane_max_queue`
    alongside: Alongside | None = None  # rows of the tenant's that commit with the job
    traceparent: str | None = None
    permits: tuple[str, ...] = ()  # that it begins with, by name

    @property
    def lane(self) -> LaneKey:
        assert self.lane_id is not None
        return (self.tenant_id, self.queue, self.lane_id)


LaneKey: TypeAlias = tuple[str, str, str]


@dataclass(slots=True)
class Accepted:
    """The job that answers a request: a new one, or the earlier one that the request turned out to mean."""

    job: JobRow
    fresh: bool = True
    debounced: bool = False
    place: LanePlace | None = None  # of a new one in a lane, as it got in
    permits: tuple[str, ...] = ()  # of a new one

    @property
    def dispatchable(self) -> bool:
        """False where it waits behind another job of its lane."""
        return self.place is None or self.place.position == 0

    @property
    def due(self) -> Due:
        """The hint for its next delivery."""
        return self.job.due()._replace(permits=self.permits) if self.permits else self.job.due()


Answer: TypeAlias = Accepted | Refusal
