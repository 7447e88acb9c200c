"""The invariants of docs/ARCHITECTURE.md, as questions to the ledger. Each answers with those who violate it.

Two kinds of question. About what is live, asked of the partial indexes on live rows: such a state may be on its way to
being healed, so a check has patience. About history, asked of a range of job ids: UUIDv7 sorts by the moment of
creation, so any ledger is walked in ranges of bounded cost, and each range is seen in one snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from app.engine.ledger.rows import LANE_HEAD
from app.kit.db import Connection

LIMIT = 1000  # violations that one question names


class Finding(NamedTuple):
    """One violation: of what, by whom (a job, an effect, a lease), and what is wrong with it. No tenant is named."""

    invariant: str
    name: str
    subject: UUID
    detail: str


class Check(NamedTuple):
    invariant: str
    name: str
    detail: str
    query: str  # selects the subjects; $1 is the patience in seconds, or $1 and $2 bound the job ids
    patience: float = 0.0


async def ask_live(connection: Connection, check: Check, patience: float) -> list[Finding]:
    return _findings(check, await connection.fetch(f"{check.query} limit {LIMIT}", patience))


async def ask_history(connection: Connection, check: Check, after: UUID, upto: UUID) -> list[Finding]:
    return _findings(check, await connection.fetch(f"{check.query} limit {LIMIT}", after, upto))


def _findings(check: Check, records: Sequence[tuple[UUID]]) -> list[Finding]:
    return [Finding(check.invariant, check.name, record[0], check.detail) for record in records]


# A queue whose workers could begin more: somebody is there, has nothing to do, and is not told to wait.
_IDLE = """
    exists (select 1 from workers w where w.queue = {queue} and w.lease_until > now() and w.load = 0)
    and not exists (select 1 from jobs busy where busy.queue = {queue} and busy.status = 'processing')
    and not exists (select 1 from queue_controls c where c.queue = {queue} and c.paused)"""

_NEVER_BEGUN = f"""
select j.job_id from jobs j
where j.status = 'queued' and j.queue = any(array(
        select distinct w.queue from workers w where {_IDLE.format(queue="w.queue")}))
  and greatest(j.created_at, j.run_at) < now() - make_interval(secs => $1)
  and j.updated_at < now() - make_interval(secs => $1) and {LANE_HEAD}"""

_NEVER_RESCUED = """
select j.job_id from jobs j left join workers w on w.worker_id = j.worker_id
where j.status = 'processing'
  and (w.worker_id is null or w.lease_until < now() - make_interval(secs => $1)
       or j.deadline_at < now() - make_interval(secs => $1))
  and j.begun_at < now() - make_interval(secs => $1)
  and exists (select 1 from workers alive where alive.queue = j.queue and alive.lease_until > now())"""

_TWO_HOLDERS = """
select j.job_id from jobs j
where j.status = 'processing' and j.lane_id is not null and $1::float8 >= 0 and exists (
    select 1 from jobs other
    where other.status = 'processing' and other.tenant_id = j.tenant_id and other.queue = j.queue
      and other.lane_id = j.lane_id and other.job_id <> j.job_id)"""

_UNDELIVERED = """
select effect_id from outbox
where delivered_at is null and created_at < now() - make_interval(secs => $1)"""

LIVE = (
    Check("I1", "never_begun", "ready for long, while workers of its queue are idle", _NEVER_BEGUN, 300.0),
    Check(
        "I1", "never_rescued", "its worker is gone or its deadline past, and nobody rescues it", _NEVER_RESCUED, 30.0
    ),
    Check("I2", "two_holders", "it and another job of its lane are processing", _TWO_HOLDERS),
    Check("I9", "undelivered", "an effect that is not delivered yet", _UNDELIVERED, 600.0),
)

_ENDLESS = """
select job_id from jobs
where job_id > $1 and job_id <= $2 and status in ('done', 'failed', 'cancelled') and finished_at is null"""

# Begin sees the end of the one before, so a lane's deliveries follow each other; a transaction's `now()` may be a
# little earlier than what it sees.
_OVERLAP = """
with held as (
    select j.tenant_id, j.queue, j.lane_id, j.job_id, a.started_at, a.finished_at
    from jobs j join job_attempts a on a.job_id = j.job_id and a.tenant_id = j.tenant_id
    where j.job_id > $1 and j.job_id <= $2 and a.job_id > $1 and a.job_id <= $2 and j.lane_id is not null
    union all
    select tenant_id, queue, lane_id, job_id, begun_at, 'infinity' from jobs
    where job_id > $1 and job_id <= $2 and lane_id is not null and status = 'processing'
), ordered as (
    select job_id, started_at, max(finished_at) over (
        partition by tenant_id, queue, lane_id order by started_at, job_id
        rows between unbounded preceding and 1 preceding) as held_until
    from held
)
select distinct job_id from ordered where started_at < held_until - interval '50 milliseconds'"""

_OUT_OF_ORDER = """
with started as (
    select job_id, started_at, max(started_at) over (
        partition by tenant_id, queue, lane_id order by lane_seq
        rows between unbounded preceding and 1 preceding) as before
    from jobs
    where job_id > $1 and job_id <= $2 and lane_id is not null and started_at is not null and retries = 0
)
select job_id from started where started_at < before - interval '50 milliseconds'"""

_BEYOND_SEQUENCE = """
select j.job_id from jobs j
left join lanes l on l.tenant_id = j.tenant_id and l.queue = j.queue and l.lane_id = j.lane_id
where j.job_id > $1 and j.job_id <= $2 and j.lane_id is not null and j.status in ('queued', 'processing')
  and (l.next_seq is null or j.lane_seq >= l.next_seq)"""

_ATTEMPT_AHEAD = """
select distinct a.job_id from job_attempts a join jobs j on j.job_id = a.job_id and j.tenant_id = a.tenant_id
where a.job_id > $1 and a.job_id <= $2 and j.job_id > $1 and j.job_id <= $2 and a.attempt > j.attempt"""

_AFTER_THE_END = """
select distinct later.job_id
from job_attempts last join job_attempts later
  on later.job_id = last.job_id and later.tenant_id = last.tenant_id and later.attempt > last.attempt
where last.job_id > $1 and last.job_id <= $2 and last.status in ('success', 'cancelled')"""

_REUSED_FENCE = """
select job_id from job_attempts
where job_id > $1 and job_id <= $2 and claim_token is not null
group by job_id, tenant_id, claim_token having count(*) > 1"""

_TWO_SUCCESSES = """
select job_id from job_attempts
where job_id > $1 and job_id <= $2 and status = 'success'
group by job_id having count(*) > 1"""

_DONE_WITHOUT_SUCCESS = """
select j.job_id from jobs j
where j.job_id > $1 and j.job_id <= $2 and j.status = 'done' and not exists (
    select 1 from job_attempts a
    where a.job_id = j.job_id and a.tenant_id = j.tenant_id and a.attempt = j.attempt and a.status = 'success'
      and a.claim_token = j.claim_token)"""

_SUCCESS_WITHOUT_DONE = """
select j.job_id from job_attempts a join jobs j on j.job_id = a.job_id and j.tenant_id = a.tenant_id
where a.job_id > $1 and a.job_id <= $2 and j.job_id > $1 and j.job_id <= $2
  and a.status = 'success' and j.status <> 'done'"""

_KEY_OF_MANY = """
select k.job_id from idempotency_keys k
where k.job_id > $1 and k.job_id <= $2 and exists (
    select 1 from idempotency_keys other
    where other.tenant_id = k.tenant_id and other.key = k.key and other.job_id <> k.job_id)"""

_KEY_OF_NONE = """
select distinct k.job_id from idempotency_keys k
where k.job_id > $1 and k.job_id <= $2 and not exists (select 1 from jobs j where j.job_id = k.job_id)"""

_STRANGE_ATTEMPT = """
select distinct a.job_id from job_attempts a
where a.job_id > $1 and a.job_id <= $2
  and not exists (select 1 from jobs j where j.job_id = a.job_id and j.tenant_id = a.tenant_id)"""

_STRANGE_KEY = """
select distinct k.job_id from idempotency_keys k join jobs j on j.job_id = k.job_id
where k.job_id > $1 and k.job_id <= $2 and j.tenant_id <> k.tenant_id"""

_ONE_ID_TWO_TENANTS = """
select job_id from jobs where job_id > $1 and job_id <= $2 group by job_id having count(*) > 1"""

_STRANGE_LANE = """
select distinct j.job_id from jobs j
join lanes l on l.tenant_id = j.tenant_id and l.queue = j.queue and l.lane_id = j.lane_id
join jobs last on last.job_id = l.last_job_id
where j.job_id > $1 and j.job_id <= $2 and j.lane_id is not null and last.tenant_id <> l.tenant_id"""

# A delivered effect stays for a day, and no tenant keeps jobs, and their keys with them, for less.
_EFFECT_WITHOUT_JOB = """
select o.effect_id from outbox o
where o.effect_id > $1 and o.effect_id <= $2 and o.topic = 'job.submit' and o.delivered_at is not null
  and not exists (
      select 1 from idempotency_keys k where k.tenant_id = o.tenant_id and k.key = 'outbox:' || o.effect_id)"""

HISTORY = (
    Check("I1", "endless", "it has ended, at no moment", _ENDLESS),
    Check("I2", "overlap", "it ran while another delivery of its lane did", _OVERLAP),
    Check("I3", "out_of_order", "it started before an earlier job of its lane", _OUT_OF_ORDER),
    Check("I3", "beyond_sequence", "its place in its lane was never given out", _BEYOND_SEQUENCE),
    Check("I4", "attempt_ahead", "an attempt was written that the job has not begun", _ATTEMPT_AHEAD),
    Check("I4", "after_the_end", "an attempt was written after the one that ended the job", _AFTER_THE_END),
    Check("I4", "reused_fence", "two attempts were written under one token", _REUSED_FENCE),
    Check("I5", "two_successes", "it succeeded more than once", _TWO_SUCCESSES),
    Check("I5", "done_without_success", "it is done, and its last attempt did not succeed", _DONE_WITHOUT_SUCCESS),
    Check("I5", "success_without_done", "an attempt succeeded, and it is not done", _SUCCESS_WITHOUT_DONE),
    Check("I6", "key_of_many", "its idempotency key stands for another job too", _KEY_OF_MANY),
    Check("I6", "key_of_none", "an idempotency key stands for it, and there is no such job", _KEY_OF_NONE),
    Check("I7", "strange_attempt", "an attempt of it is another tenant's, or nobody's", _STRANGE_ATTEMPT),
    Check("I7", "strange_key", "an idempotency key of another tenant stands for it", _STRANGE_KEY),
    Check("I7", "one_id_two_tenants", "two tenants have a job of this id", _ONE_ID_TWO_TENANTS),
    Check("I7", "strange_lane", "its lane's last job is another tenant's", _STRANGE_LANE),
    Check("I9", "effect_without_job", "it is delivered, and its job was never submitted", _EFFECT_WITHOUT_JOB),
)
