"""Read jobs. Callers come through a tenant's session, so row level security has the last word."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.engine.ledger.pages import JobFilter, page_of
from app.engine.ledger.rows import JOB_COLUMNS, JobRow, LanePlace
from app.kit.db import Connection


async def read_job(connection: Connection, tenant_id: str, job_id: UUID) -> JobRow | None:
    record = await connection.fetchrow(_READ, tenant_id, job_id)
    return JobRow.of(record) if record else None


async def read_job_in_lane(
    connection: Connection, tenant_id: str, job_id: UUID
) -> tuple[JobRow, LanePlace | None] | None:
    """The job with where it stands, in one look; a place only while it is live in a lane."""
    record = await connection.fetchrow(_READ_IN_LANE, tenant_id, job_id)
    if record is None:
        return None
    fields = dict(record)
    ahead, live = fields.pop("ahead"), fields.pop("live")
    return JobRow.of(fields), LanePlace(ahead, live - 1, True) if live else None


async def list_jobs(connection: Connection, tenant_id: str, wanted: JobFilter) -> list[JobRow]:
    """Newest first; one row more than the limit tells that there is a next page."""
    return [JobRow.of(record) for record in await page_of(connection, tenant_id, wanted, JOB_COLUMNS)]


async def read_attempts(connection: Connection, tenant_id: str, job_id: UUID) -> list[dict[str, Any]]:
    """Every delivery in order; the one that is running is told by the job row itself."""
    return [dict(record) for record in await connection.fetch(_ATTEMPTS, tenant_id, job_id)]


async def lane_places(connection: Connection, jobs: list[JobRow]) -> dict[UUID, LanePlace]:
    """The places of those jobs that are live in a lane; one statement for a page of jobs."""
    asked = [job for job in jobs if job.lane_id is not None and job.live]
    if not asked:
        return {}
    records = await connection.fetch(_PLACES, asked[0].tenant_id, [job.job_id for job in asked])
    return {record["job_id"]: LanePlace(record["ahead"], record["live"] - 1, True) for record in records}


_READ = f"select {JOB_COLUMNS} from jobs where tenant_id = $1 and job_id = $2"

# Who is in no lane, or has ended, has no peers: what compares with null finds none.
_READ_IN_LANE = f"""
select {JOB_COLUMNS}, peers.*
from jobs j cross join lateral (
    select count(*) filter (where peer.lane_seq < j.lane_seq) as ahead, count(*) as live
    from jobs peer
    where peer.tenant_id = j.tenant_id and peer.queue = j.queue and peer.lane_id = j.lane_id
      and peer.status in ('queued', 'processing') and j.status in ('queued', 'processing')
) peers
where j.tenant_id = $1 and j.job_id = $2
"""

_ATTEMPTS = """
select attempt, worker_id, status, started_at, finished_at, duration_ms, exit_code, error, error_detail
from job_attempts where tenant_id = $1 and job_id = $2
union all
select attempt, worker_id, 'running', begun_at, null, null, null, null, null
from jobs where tenant_id = $1 and job_id = $2 and status = 'processing'
order by attempt
"""

_PLACES = """
select j.job_id,
       count(*) filter (where peer.lane_seq < j.lane_seq) as ahead,
       count(*) as live
from jobs j join jobs peer on peer.tenant_id = j.tenant_id and peer.queue = j.queue and peer.lane_id = j.lane_id
     and peer.status in ('queued', 'processing')
where j.tenant_id = $1 and j.job_id = any($2::uuid[]) and j.status in ('queued', 'processing')
group by j.job_id
"""
