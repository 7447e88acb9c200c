"""Count a tenant's live jobs."""

from __future__ import annotations

from app.kit.db import Connection


async def count_live(connection: Connection, tenant_id: str) -> int:
    """Its jobs that wait or run: a scan of `jobs_live`, which holds nothing else."""
    count: int = await connection.fetchval(_COUNT, tenant_id)
    return count


_COUNT = "select count(*) from jobs where tenant_id = $1 and finished_at is null"
