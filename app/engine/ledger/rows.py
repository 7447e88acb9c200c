"""What the ledger gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

import asyncpg

from app.kit import json

TERMINAL = frozenset({"done", "failed", "cancelled"})


class Hint(NamedTuple):
    """What Redis holds of a ledgered job: which delivery of which job is due."""

    job_id: UUID
    attempt: int


class Due(NamedTuple):
    """A hint that is to be dispatched, with what orders it."""

    hint: Hint
    tenant_id: str
    bulk: bool
    priority: int
    run_at: datetime | None  # None: now
    permits: tuple[str, ...] = ()  # that it begins with, by name, where that is known


class LanePlace(NamedTuple):
    """Where a live job stands in its lane, in the seeds' words: 0 is the holder, the size leaves the holder out."""

    position: int
    size: int
    active: bool

    @classmethod
    def of_newcomer(cls, live: int) -> Self:
        """Behind all who wait or run there."""
        return cls(position=live, size=live, active=True)


@dataclass(slots=True)  # and never changed; to freeze it would cost ten times as much
class JobRow:
    """A job as its document shows it."""

    job_id: UUID
    tenant_id: str
    queue: str
    kind: str
    status: str
    step: str | None
    progress: int
    attempt: int
    max_attempts: int
    priority: int
    bulk: bool
    error: str | None
    error_detail: str | None
    result: Any
    request_id: str | None
    session_id: str | None
    lane_id: str | None
    lane_seq: int | None
    created_at: datetime
    updated_at: datetime
    run_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, record: asyncpg.Record | dict[str, Any]) -> Self:
        fields = dict(record)
        if fields["result"] is not None:
            fields["result"] = json.loads(fields["result"])
        return cls(**fields)

    @property
    def live(self) -> bool:
        return self.status not in TERMINAL

    def due(self) -> Due:
        """The hint for this job's next delivery."""
        return Due(Hint(self.job_id, self.attempt + 1), self.tenant_id, self.bulk, self.priority, self.run_at)


# The columns of a JobRow, for `select` and `returning`. JSON crosses as text, so that every connection reads it alike.
JOB_COLUMNS = (
    "job_id, tenant_id, queue, kind, status, step, progress, attempt, max_attempts, priority, bulk, error, "
    "error_detail, result::text as result, request_id, session_id, lane_id, lane_seq, created_at, updated_at, run_at, "
    "started_at, finished_at"
)

# True where no live job of the same lane stands before `j`: only the head of a lane may be dispatched or begun.
LANE_HEAD = """(j.lane_id is null or not exists (
    select 1 from jobs earlier
    where earlier.tenant_id = j.tenant_id and earlier.queue = j.queue and earlier.lane_id = j.lane_id
      and earlier.lane_seq < j.lane_seq and earlier.status in ('queued', 'processing')))"""

# 0: Redis was not told of `j`; 1: it was. As jobs_waiting has it: no function that row level security distrusts.
HINTED = "(case when j.dispatched_at is null then 0 else 1 end)"
