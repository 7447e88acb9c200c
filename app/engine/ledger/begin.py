"""Begin deliveries: one statement for all hints that were claimed together, with a verdict for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from app.engine.ledger.losses import COMMON, Tolerance, is_suspect
from app.engine.ledger.rows import LANE_HEAD, Due, Hint
from app.kit import json
from app.kit.db import Connection


class Verdict(StrEnum):
    RUN = "run"
    DROP = "drop"  # terminal, cancelled or stale: the hint is worthless
    LATER = "later"  # paused, not due, behind in its lane, another tenant's: its hint goes back
    PERMIT = "permit"  # it may begin as soon as its permits are taken
    ALONE = "alone"  # a suspect: begin it again when nothing else runs in this process


@dataclass(slots=True, eq=False)  # not frozen: that would double what it costs to make one
class Delivery:
    """One delivery of one job: what the worker runs, and the fence that it writes with. Equal only to itself."""

    job_id: UUID
    attempt: int
    token: UUID
    tenant_id: str
    queue: str
    kind: str
    input: Any
    failures: int
    losses: int
    max_attempts: int
    timeout: float
    lane_id: str | None
    request_id: str | None
    session_id: str | None
    priority: int = 0
    bulk: bool = False
    traceparent: str | None = None
    suspect: bool = False  # it has its process to itself: workers have died under it
    worker_id: UUID | None = None  # as whom it was begun, or adopted
    waited: float = 0.0  # seconds since it was created, or since the moment that it was to wait for

    @property
    def hint(self) -> Hint:
        return Hint(self.job_id, self.attempt)

    @property
    def due(self) -> Due:
        """Its hint, to be dispatched again."""
        return Due(self.hint, self.tenant_id, self.bulk, self.priority, None)


class Begun(NamedTuple):
    verdict: Verdict
    hint: Hint
    delivery: Delivery | None = None
    due: Due | None = None  # of a hint that is to be dispatched again
    kind: str = ""  # of a job that waits for permits, and the input that names them
    input: Any = None
    wait: float = 1.0  # seconds until it is worth another look


async def begin(
    connection: Connection,
    hints: Sequence[Hint],
    tokens: Sequence[UUID],
    *,
    queue: str,
    worker_id: UUID,
    deadline_grace: float,
    alone: bool = False,
    only_tenant: str | None = None,
    gated: Sequence[str] = (),
    tolerance: Tolerance = COMMON,
) -> list[Begun]:
    """Compare-and-swap `queued` to `processing`. Repeating it with the same tokens after a lost reply is safe:
    `processing` under my token is success. A worker whose own lease has ended begins nothing: it could keep nothing.
    Kinds that are `gated` do not begin either: their permits are to be taken first."""
    records = await connection.fetch(
        _BEGIN,
        [hint.job_id for hint in hints],
        [hint.attempt for hint in hints],
        list(tokens),
        worker_id,
        deadline_grace,
        alone,
        only_tenant,
        queue,
        list(gated),
        tolerance.kinds,
        tolerance.losses,
    )
    verdicts = {record["token"]: _read(record, gated, tolerance, alone=alone) for record in records}
    running = set()
    for begun in verdicts.values():
        if begun.delivery is not None:
            begun.delivery.worker_id = worker_id
            running.add(begun.hint)
    # Redis may hand a hint over twice: one of them runs, and the other is then worthless.
    return [
        Begun(Verdict.DROP, hint) if hint in running and verdicts[token].verdict is not Verdict.RUN else verdicts[token]
        for hint, token in zip(hints, tokens, strict=True)
    ]


def _read(record: Any, gated: Sequence[str], tolerance: Tolerance, *, alone: bool) -> Begun:
    hint = Hint(record["job_id"], record["hinted"])
    if record["mine"]:
        return Begun(Verdict.RUN, hint, _delivery(record, tolerance))
    if record["status"] != "queued" or record["attempt"] != hint.attempt - 1:
        return Begun(Verdict.DROP, hint)
    due = Due(hint, record["tenant_id"], record["bulk"], record["priority"], None)
    if not alone and not record["waits"] and tolerance.suspects(record["kind"], record["losses"]):
        return Begun(Verdict.ALONE, hint, due=due)
    if record["kind"] in gated and not record["waits"]:
        return Begun(Verdict.PERMIT, hint, due=due, kind=record["kind"], input=json.loads(record["input"]))
    return Begun(Verdict.LATER, hint, due=due, wait=max(1.0, record["early"]))


def _delivery(record: Any, tolerance: Tolerance) -> Delivery:
    return Delivery(
        job_id=record["job_id"],
        attempt=record["hinted"],
        token=record["token"],
        tenant_id=record["tenant_id"],
        queue=record["queue"],
        kind=record["kind"],
        input=json.loads(record["input"]),
        failures=record["failures"],
        losses=record["losses"],
        max_attempts=record["max_attempts"],
        timeout=record["timeout_seconds"],
        lane_id=record["lane_id"],
        request_id=record["request_id"],
        session_id=record["session_id"],
        priority=record["priority"],
        bulk=record["bulk"],
        traceparent=record["traceparent"],
        suspect=tolerance.suspects(record["kind"], record["losses"]),
        waited=record["waited"],
    )


# Why a queued job must not begin now, whoever asks.
_WAITS = f"""(
    coalesce(j.run_at > now(), false)
    or coalesce((select bool_or(paused) from queue_controls control where control.queue = $8), false)
    or coalesce(j.tenant_id <> $7::text, false)
    or not {LANE_HEAD})"""

# Begins need no flush of their own: what a crash of Postgres takes back begins again, and the token fences the delivery
# that it took back. Only a lane's holder must be known for certain. (Set by the statement for its own transaction.)
_RELAX = """(
    select set_config('synchronous_commit', case when count(lane_id) > 0 then 'on' else 'off' end, true) from begun)"""

_COLUMNS = """j.tenant_id, j.queue, j.kind, j.status, j.attempt, j.input::text as input, j.failures, j.losses,
    j.max_attempts, j.timeout_seconds, j.lane_id, j.request_id, j.session_id, j.priority, j.bulk, j.traceparent,
    extract(epoch from now() - greatest(j.created_at, j.run_at))::float8 as waited"""

# `is not distinct from`, here and in the other verbs, hides the status from the planner: as `=` it invites the partial
# indexes on live rows, and the batch would be compared with every row that waits.
# The second half looks at what did not begin: as a rule at nothing.
_BEGIN = f"""
with asked as materialized (
    select * from unnest($1::uuid[], $2::int[], $3::uuid[]) as asked (job_id, hinted, token)
), begun as (
    update jobs j
    set status = 'processing', attempt = asked.hinted, claim_token = asked.token, worker_id = $4,
        begun_at = now(), started_at = coalesce(j.started_at, now()), updated_at = now(),
        deadline_at = now() + make_interval(secs => j.timeout_seconds + $5),
        progress = 0, step = null, error = null, error_detail = null
    from asked
    where j.job_id = asked.job_id and j.status is not distinct from 'queued' and j.attempt = asked.hinted - 1
      and ($6::boolean or not {is_suspect("$10", "$11")}) and j.kind <> all($9::text[])
      and exists (select 1 from workers w where w.worker_id = $4 and w.lease_until > clock_timestamp())
      and not {_WAITS}
    returning j.job_id, asked.hinted, asked.token, {_COLUMNS}
)
select job_id, hinted, token, tenant_id, queue, kind, status, attempt, input, failures, losses, max_attempts,
       timeout_seconds, lane_id, request_id, session_id, priority, bulk, traceparent, waited,
       {_RELAX} is not null as mine, false as waits, 0::float8 as early
from begun
union all
select asked.job_id, asked.hinted, asked.token, {_COLUMNS},
       coalesce(j.status = 'processing' and j.claim_token = asked.token and j.worker_id = $4, false),
       {_WAITS}, coalesce(extract(epoch from j.run_at - now())::float8, 0)
from asked left join jobs j on j.job_id = asked.job_id
where asked.token <> all(array(select begun.token from begun))
"""
