"""Accept jobs: one transaction decides idempotency, lane admission and the row. Rejections consume nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg

from app.engine.ledger.rows import JOB_COLUMNS, JobRow
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


@dataclass(frozen=True, slots=True)
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

    @property
    def lane(self) -> LaneKey:
        assert self.lane_id is not None
        return (self.tenant_id, self.queue, self.lane_id)


LaneKey: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job that answers a request: a new one, or the earlier one that the request turned out to mean."""

    job: JobRow
    fresh: bool = True
    debounced: bool = False
    dispatchable: bool = True  # False: it waits behind another job of its lane


Answer: TypeAlias = Accepted | Refusal


async def submit(connection: Connection, requests: Sequence[NewJob]) -> list[Answer]:
    """Decide all requests in one transaction; the n-th answer belongs to the n-th request.

    Joins the caller's transaction where one is open, so that a job can commit together with domain rows.
    """
    if not any(request.idempotency_key or request.lane_id for request in requests):
        rows = await _insert(connection, requests, {})  # one statement commits by itself
        return [Accepted(rows[request.job_id]) for request in requests]
    async with connection.transaction():
        return await _Admission(connection, requests).decide()


class _Admission:
    """One batch on its way in. Keys are taken first, then lanes, both in sorted order: no two batches can deadlock."""

    def __init__(self, connection: Connection, requests: Sequence[NewJob]) -> None:
        self._connection = connection
        self._requests = requests
        self._refused: dict[UUID, Refusal] = {}
        self._meant: dict[UUID, UUID] = {}  # request -> the earlier job that it means
        self._debounced: set[UUID] = set()
        self._lane_seqs: dict[UUID, int] = {}
        self._waiting: set[UUID] = set()  # behind another job of the lane

    async def decide(self) -> list[Answer]:
        await self._take_keys()
        await self._admit_to_lanes()
        fresh = [r for r in self._requests if r.job_id not in self._refused and r.job_id not in self._meant]
        rows = await _insert(self._connection, fresh, self._lane_seqs) if fresh else {}
        await self._settle_keys()
        earlier = {self._final(job_id) for job_id in self._meant} - rows.keys() - self._refused.keys()
        if earlier:
            found = await self._connection.fetch(_SELECT, list(earlier))
            rows |= {record["job_id"]: JobRow.of(record) for record in found}
        return [self._answer(request, rows) for request in self._requests]

    def _answer(self, request: NewJob, rows: dict[UUID, JobRow]) -> Answer:
        if (refusal := self._refused.get(request.job_id)) is not None:
            return refusal
        if request.job_id in self._meant:
            meant = self._final(request.job_id)
            if meant in self._refused:  # the first use of the key was itself refused, in this very batch
                return self._refused[meant]
            return Accepted(rows[meant], fresh=False, debounced=request.job_id in self._debounced)
        return Accepted(rows[request.job_id], dispatchable=request.job_id not in self._waiting)

    def _final(self, job_id: UUID) -> UUID:
        """Where a chain ends: a key may stand for a request of this batch that was itself debounced."""
        while job_id in self._meant:
            job_id = self._meant[job_id]
        return job_id

    async def _take_keys(self) -> None:
        keyed = sorted(
            (r for r in self._requests if r.idempotency_key), key=lambda r: (r.tenant_id, r.idempotency_key or "")
        )
        if not keyed:
            return
        columns = (
            [r.tenant_id for r in keyed],
            [r.idempotency_key for r in keyed],
            [r.fingerprint for r in keyed],
            [r.job_id for r in keyed],
        )
        taken = {record["job_id"] for record in await self._connection.fetch(_TAKE_KEYS, *columns)}
        lost = [r for r in keyed if r.job_id not in taken]
        if not lost:
            return
        found = await self._connection.fetch(_READ_KEYS, [r.tenant_id for r in lost], [r.idempotency_key for r in lost])
        holders = {(record["tenant_id"], record["key"]): record for record in found}
        for request in lost:
            holder = holders[(request.tenant_id, request.idempotency_key)]
            if holder["fingerprint"] != request.fingerprint:
                self._refused[request.job_id] = IdempotencyConflict(
                    "The key stands for an earlier request with another body.", job_id=str(holder["job_id"])
                )
            else:
                self._meant[request.job_id] = holder["job_id"]

    async def _admit_to_lanes(self) -> None:
        by_lane: dict[LaneKey, list[NewJob]] = defaultdict(list)
        for request in self._requests:
            if request.lane_id and request.job_id not in self._refused and request.job_id not in self._meant:
                by_lane[request.lane].append(request)
        if not by_lane:
            return
        lanes = sorted(by_lane)
        columns = [list(column) for column in zip(*lanes, strict=True)]
        await self._connection.execute(_OPEN_LANES, *columns)
        await self._connection.execute(_LOCK_LANES, *columns)
        for lane in await self._connection.fetch(_READ_LANES, *columns):
            key = (lane["tenant_id"], lane["queue"], lane["lane_id"])
            await self._admit(lane, by_lane[key])

    async def _admit(self, lane: asyncpg.Record, requests: list[NewJob]) -> None:
        live: int = lane["live"]
        next_seq: int = lane["next_seq"]
        last: tuple[bytes | None, UUID | None, float | None] = (
            lane["last_fingerprint"],
            lane["last_job_id"] if lane["last_live"] else None,
            lane["last_age_ms"],
        )
        for request in requests:
            fingerprint, job_id, age_ms = last
            recent = age_ms is not None and age_ms < request.debounce_ms
            if job_id is not None and recent and fingerprint == request.fingerprint:
                self._meant[request.job_id] = job_id
                self._debounced.add(request.job_id)
                continue
            if request.lane_capacity is not None and live >= request.lane_capacity:
                self._refused[request.job_id] = LaneFull(
                    f"{live} jobs of this lane are waiting or running; it holds {request.lane_capacity}.",
                    retry_after=2,
                    lane_queue_size=live,
                )
                continue
            if live:
                self._waiting.add(request.job_id)
            self._lane_seqs[request.job_id] = next_seq
            next_seq, live = next_seq + 1, live + 1
            last = (request.fingerprint, request.job_id, 0.0)
            await self._connection.execute(_ADVANCE_LANE, *request.lane, next_seq, request.fingerprint, request.job_id)

    async def _settle_keys(self) -> None:
        """A refused request gives its key back; a debounced one's key stands for the earlier job from now on."""
        for request in self._requests:
            if not request.idempotency_key:
                continue
            if request.job_id in self._refused:
                await self._connection.execute(_DROP_KEY, request.tenant_id, request.idempotency_key, request.job_id)
            elif request.job_id in self._debounced:
                await self._connection.execute(
                    _POINT_KEY,
                    request.tenant_id,
                    request.idempotency_key,
                    request.job_id,
                    self._meant[request.job_id],
                )


async def _insert(connection: Connection, requests: Sequence[NewJob], lane_seqs: dict[UUID, int]) -> dict[UUID, JobRow]:
    records = await connection.fetch(
        _INSERT,
        [r.job_id for r in requests],
        [r.tenant_id for r in requests],
        [r.queue for r in requests],
        [r.kind for r in requests],
        [r.input for r in requests],
        [r.max_attempts for r in requests],
        [r.timeout for r in requests],
        [r.priority for r in requests],
        [r.bulk for r in requests],
        [r.lane_id for r in requests],
        [lane_seqs.get(r.job_id) for r in requests],
        [r.run_at for r in requests],
        [r.request_id for r in requests],
        [r.session_id for r in requests],
    )
    return {record["job_id"]: JobRow.of(record) for record in records}


_INSERT = f"""
insert into jobs (job_id, tenant_id, queue, kind, input, max_attempts, timeout_seconds, priority, bulk, lane_id, lane_seq,
                  run_at, request_id, session_id)
select job_id, tenant_id, queue, kind, input::jsonb, max_attempts, timeout_seconds, priority, bulk, lane_id, lane_seq,
       run_at, request_id, session_id
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::float8[], $8::int2[],
            $9::boolean[], $10::text[], $11::bigint[], $12::timestamptz[], $13::text[], $14::text[])
  as new (job_id, tenant_id, queue, kind, input, max_attempts, timeout_seconds, priority, bulk, lane_id, lane_seq,
          run_at, request_id, session_id)
returning {JOB_COLUMNS}
"""

_SELECT = f"select {JOB_COLUMNS} from jobs where job_id = any($1::uuid[])"

_TAKE_KEYS = """
insert into idempotency_keys (tenant_id, key, fingerprint, job_id)
select * from unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[])
on conflict do nothing
returning job_id
"""

_READ_KEYS = """
select held.tenant_id, held.key, held.fingerprint, held.job_id
from idempotency_keys held join unnest($1::text[], $2::text[]) as asked (tenant_id, key) using (tenant_id, key)
"""

_DROP_KEY = "delete from idempotency_keys where tenant_id = $1 and key = $2 and job_id = $3"
_POINT_KEY = "update idempotency_keys set job_id = $4 where tenant_id = $1 and key = $2 and job_id = $3"

_OPEN_LANES = """
insert into lanes (tenant_id, queue, lane_id) select * from unnest($1::text[], $2::text[], $3::text[])
on conflict do nothing
"""

_LOCK_LANES = """
select 1 from lanes join unnest($1::text[], $2::text[], $3::text[]) as asked (tenant_id, queue, lane_id)
     using (tenant_id, queue, lane_id)
order by tenant_id, queue, lane_id
for update of lanes
"""

# A statement of its own, after the lock: its snapshot sees what the lock's last holder committed.
_READ_LANES = """
select lanes.*, extract(epoch from clock_timestamp() - last_at)::float8 * 1000 as last_age_ms,
       exists (select 1 from jobs where jobs.job_id = lanes.last_job_id and jobs.tenant_id = lanes.tenant_id
                                    and status in ('queued', 'processing')) as last_live,
       (select count(*) from jobs where jobs.tenant_id = lanes.tenant_id and jobs.queue = lanes.queue
                                    and jobs.lane_id = lanes.lane_id and status in ('queued', 'processing')) as live
from lanes join unnest($1::text[], $2::text[], $3::text[]) as asked (tenant_id, queue, lane_id)
     using (tenant_id, queue, lane_id)
"""

_ADVANCE_LANE = """
update lanes set next_seq = $4, last_fingerprint = $5, last_job_id = $6, last_at = clock_timestamp()
where tenant_id = $1 and queue = $2 and lane_id = $3
"""
