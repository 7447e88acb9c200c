"""Admission to lanes: capacity, debounce and the number in the lane are decided under the lane row's lock.

Somebody waits for each of these statements, one after the other: holding the lanes, reading them, and writing the jobs
together with what the lanes remember of them are one statement each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from app.engine.ledger.insert import insert_in_lanes
from app.engine.ledger.keys import conflict, earlier_answers, give_back, point, take_keys
from app.engine.ledger.newjob import Accepted, Answer, LaneFull, LaneKey, NewJob
from app.engine.ledger.rows import JOB_COLUMNS, JobRow, LanePlace
from app.kit.db import Connection
from app.kit.errors import Refusal, Unavailable

KEY_TRIES = 3
LANE_RETRY_SECONDS = 2


class Admission:
    """One batch on its way in. Keys are taken first, then lanes, both in sorted order: no two batches can deadlock."""

    def __init__(self, connection: Connection, requests: Sequence[NewJob]) -> None:
        self._connection = connection
        self._requests = requests
        self._earlier: dict[UUID, Answer] = {}  # requests whose key an earlier job has
        self._refused: dict[UUID, Refusal] = {}
        self._meant: dict[UUID, UUID] = {}  # request -> the job that it means, of this batch or before
        self._debounced: set[UUID] = set()
        self._lane_seqs: dict[UUID, int] = {}
        self._places: dict[UUID, LanePlace] = {}
        self._newest: dict[LaneKey, NewJob] = {}  # the last one of each lane that got in

    async def decide(self) -> list[Answer]:
        await self._take_keys()
        await self._admit_to_lanes()
        fresh = [r for r in self._requests if self._is_new(r)]
        rows = await self._write(fresh) if fresh else {}
        await self._settle_keys()
        before = {self._final(job_id) for job_id in self._meant} - rows.keys() - self._refused.keys()
        if before:
            found = await self._connection.fetch(_SELECT, list(before))
            rows |= {record["job_id"]: JobRow.of(record) for record in found}
        return [self._answer(request, rows) for request in self._requests]

    def _is_new(self, request: NewJob) -> bool:
        known = (self._earlier, self._refused, self._meant)
        return not any(request.job_id in each for each in known)

    def _answer(self, request: NewJob, rows: dict[UUID, JobRow]) -> Answer:
        if request.job_id in self._earlier:
            return self._earlier[request.job_id]
        if request.job_id in self._refused:
            return self._refused[request.job_id]
        if request.job_id in self._meant:
            meant = self._final(request.job_id)
            if meant in self._refused:  # the first use of the key was itself refused, in this very batch
                return self._refused[meant]
            return Accepted(rows[meant], fresh=False, debounced=request.job_id in self._debounced)
        place = self._places.get(request.job_id)  # none outside lanes
        return Accepted(rows[request.job_id], place=place, permits=request.permits)

    def _final(self, job_id: UUID) -> UUID:
        """Where a chain ends: a key may stand for a request of this batch that was itself debounced."""
        while job_id in self._meant:
            job_id = self._meant[job_id]
        return job_id

    async def _take_keys(self) -> None:
        left = [request for request in self._requests if request.idempotency_key]
        holders: dict[tuple[str, str | None], NewJob] = {}
        for _ in range(KEY_TRIES):
            if not left:
                return
            taken = await take_keys(self._connection, left)
            holders |= {(r.tenant_id, r.idempotency_key): r for r in left if r.job_id in taken}
            late = [r for r in left if r.job_id not in taken and not self._means_another_of(holders, r)]
            if late:
                self._earlier |= await earlier_answers(self._connection, late)
            left = [r for r in late if r.job_id not in self._earlier]  # their keys were removed in the meantime
        if left:
            raise Unavailable("What an idempotency key stands for is being removed at this moment.")

    def _means_another_of(self, holders: dict[tuple[str, str | None], NewJob], request: NewJob) -> bool:
        """Whether the key went to a request of this very batch."""
        holder = holders.get((request.tenant_id, request.idempotency_key))
        if holder is None:
            return False
        if holder.fingerprint == request.fingerprint:
            self._meant[request.job_id] = holder.job_id
        else:
            self._refused[request.job_id] = conflict(holder.job_id)
        return True

    async def _admit_to_lanes(self) -> None:
        by_lane: dict[LaneKey, list[NewJob]] = defaultdict(list)
        for request in self._requests:
            if request.lane_id and self._is_new(request):
                by_lane[request.lane].append(request)
        if not by_lane:
            return
        lanes = sorted(by_lane)
        columns = [list(column) for column in zip(*lanes, strict=True)]
        await self._connection.execute(_HOLD_LANES, *columns)
        for lane in await self._connection.fetch(_READ_LANES, *columns):
            self._admit(lane, by_lane[lane["tenant_id"], lane["queue"], lane["lane_id"]])

    def _admit(self, lane: asyncpg.Record, requests: list[NewJob]) -> None:
        """Decide a lane's requests in their order."""
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
                    retry_after=LANE_RETRY_SECONDS,
                    lane_queue_size=live,
                )
                continue
            self._newest[request.lane] = request
            self._lane_seqs[request.job_id] = next_seq
            self._places[request.job_id] = LanePlace.of_newcomer(live)
            next_seq, live = next_seq + 1, live + 1
            last = (request.fingerprint, request.job_id, 0.0)

    async def _write(self, fresh: Sequence[NewJob]) -> dict[UUID, JobRow]:
        newest = list(self._newest.values())
        lanes: list[Sequence[Any]] = [
            *([key[column] for key in self._newest] for column in range(3)),  # none, where only others got in
            [self._lane_seqs[each.job_id] + 1 for each in newest],
            [each.fingerprint for each in newest],
            [each.job_id for each in newest],
        ]
        return await insert_in_lanes(self._connection, fresh, self._lane_seqs, lanes)

    async def _settle_keys(self) -> None:
        """A refused request gives its key back; a debounced one's key stands for the earlier job from now on."""
        keyed = [request for request in self._requests if request.idempotency_key]
        await give_back(self._connection, [r for r in keyed if r.job_id in self._refused])
        await point(self._connection, [r for r in keyed if r.job_id in self._debounced], self._meant)


_SELECT = f"select {JOB_COLUMNS} from jobs where job_id = any($1::uuid[])"

# Opens the lanes that are new and locks those that are there: a row whose update is refused is locked all the same. One
# that retention removes meanwhile is opened anew.
_HOLD_LANES = """
insert into lanes (tenant_id, queue, lane_id)
select * from unnest($1::text[], $2::text[], $3::text[]) order by 1, 2, 3
on conflict (tenant_id, queue, lane_id) do update set next_seq = lanes.next_seq where false
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
