"""Give back the jobs of workers that died, by compare-and-swap against a worker that may yet finish."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from app.engine.ledger.losses import COMMON, Tolerance, is_suspect
from app.kit.db import Connection


class Rescued(NamedTuple):
    job_id: UUID
    tenant_id: str
    attempt: int
    status: str
    lane_id: str | None


async def rescue(
    connection: Connection,
    queue: str,
    *,
    only_tenant: str | None = None,
    limit: int = 500,
    tolerance: Tolerance = COMMON,
) -> list[Rescued]:
    """Requeue every delivery whose worker's lease, or whose own deadline, has ended. It costs the job no failure."""
    records = await connection.fetch(_RESCUE, queue, only_tenant, limit, tolerance.kinds, tolerance.losses)
    return [Rescued(*record) for record in records]


# Found first and locked second: a row that its worker adopted in between, or ended and began anew, has another owner or
# token by then, whom a join with
# `workers` under the lock would still look for in the statement's old snapshot, in vain.
_RESCUE = f"""
with found as materialized (
    select j.job_id, j.tenant_id, j.worker_id, j.claim_token
    from jobs j left join workers w on w.worker_id = j.worker_id
    where j.queue = $1 and j.status = 'processing' and ($2::text is null or j.tenant_id = $2)
      and (w.worker_id is null or w.lease_until < clock_timestamp() or j.deadline_at < clock_timestamp())
    order by j.job_id
    limit $3
), lost as materialized (
    select j.job_id, j.tenant_id, j.attempt, j.claim_token, {is_suspect("$4", "$5")} as poison
    from found join jobs j on j.job_id = found.job_id and j.tenant_id = found.tenant_id
         and j.worker_id is not distinct from found.worker_id
         and j.claim_token is not distinct from found.claim_token and j.status is not distinct from 'processing'
    for update of j skip locked
), rescued as (
    update jobs j
    set status = case
            when j.cancel_requested_at is not null then 'cancelled'
            when lost.poison then 'failed'
            else 'queued' end,
        losses = j.losses + 1,
        error = case when j.cancel_requested_at is null and lost.poison then 'poisoned' end,
        error_detail = case when j.cancel_requested_at is null and lost.poison
            then 'Workers died under this job ' || (j.losses + 1) || ' times, the last time while it ran alone.' end,
        finished_at = case when j.cancel_requested_at is not null or lost.poison then now() end,
        dispatched_at = null, deadline_at = null, updated_at = now()
    from lost
    where j.job_id = lost.job_id and j.attempt = lost.attempt and j.claim_token = lost.claim_token
      and j.status is not distinct from 'processing'
    returning j.job_id, j.tenant_id, j.attempt, j.claim_token, j.worker_id, j.begun_at, j.status, j.lane_id
), recorded as (
    insert into job_attempts (job_id, attempt, tenant_id, worker_id, claim_token, status, started_at, duration_ms,
                              error, error_detail)
    select job_id, attempt, tenant_id, worker_id, claim_token, 'lost', begun_at,
           extract(epoch from now() - begun_at)::float8 * 1000, 'worker_lost',
           'The worker''s lease or the deadline ended.'
    from rescued
)
select job_id, tenant_id, attempt, status, lane_id from rescued
"""
