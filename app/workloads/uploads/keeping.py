"""How long uploads are kept: as long as the job that read their files last. What was confirmed of them stays.

Two ways lead out. Retention asks before it removes jobs; and once a day each tenant's folders are held against its
rows, for a crash may leave a folder between the storing of its files and the commit of its row.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias
from uuid import UUID

from app.engine.ledger.retention import Expired
from app.engine.retention import OnExpire
from app.kit.db import Database
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger
from app.storage.port import Storage
from app.workloads.uploads.files import Place

UNCLAIMED_AFTER = timedelta(days=1)  # far longer than an upload may take
AT_ONCE = 500

OnTidy: TypeAlias = Callable[[str], Awaitable[int]]


class Kept(NamedTuple):
    """What of a kind of upload tells its files and rows from others; base workers load no more of it than this."""

    name: str
    path: str
    job_kind: str


log = get_logger(__name__)


def expiry_of(kind: Kept) -> Callable[[Database, Storage], OnExpire]:
    """For `on_expire` of the kind's workload."""

    def with_stores(database: Database, storage: Storage) -> OnExpire:
        async def expire(expired: Sequence[Expired]) -> None:
            jobs = [each.job_id for each in expired if each.kind == kind.job_kind]
            if jobs:
                await _expire(kind, database, storage, expired[0].tenant_id, jobs)

        return expire

    return with_stores


def tidying_of(kind: Kept) -> Callable[[Database, Storage], OnTidy]:
    """For `on_tidy` of the kind's workload."""

    def with_stores(database: Database, storage: Storage) -> OnTidy:
        async def tidy(tenant_id: str) -> int:
            return await _tidy(kind, database, storage, tenant_id)

        return tidy

    return with_stores


async def _expire(kind: Kept, database: Database, storage: Storage, tenant_id: str, jobs: list[UUID]) -> None:
    """The folders before the rows: what is done by halves is found by its rows, and done again by the next sweep."""
    async with database.tenant(tenant_id) as connection:
        found = await connection.fetch(_OF_JOBS, tenant_id, kind.name, jobs)
    gone = [each["job_id"] for each in found if each["expires"]]
    kept = {each["job_id"] for each in found if not each["expires"]}  # read anew since: their sources are still needed
    for job_id in {*jobs, *gone} - kept:
        await storage.remove(tenant_id, Place(kind.path, job_id).folder)
    failpoint("uploads.emptied")
    async with database.tenant(tenant_id) as connection:
        await connection.execute(_REMOVE, tenant_id, gone)


async def _tidy(kind: Kept, database: Database, storage: Storage, tenant_id: str) -> int:
    """Remove folders that no row knows; how many they were. Their ids tell when they were made."""
    before = datetime.now(UTC) - UNCLAIMED_AFTER
    old = [job_id for name in await storage.folders(tenant_id, kind.path) if _is_before(job_id := _id_of(name), before)]
    removed = 0
    for start in range(0, len(old), AT_ONCE):
        async with database.tenant(tenant_id) as connection:
            records = await connection.fetch(_UNCLAIMED, tenant_id, old[start : start + AT_ONCE])
        for record in records:
            await storage.remove(tenant_id, Place(kind.path, record["job_id"]).folder)
        removed += len(records)
    if removed:
        log.info("folders of uploads that never became a job were removed", tenant_id=tenant_id, folders=removed)
    return removed


def _id_of(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None  # nothing of ours


def _is_before(job_id: UUID | None, moment: datetime) -> bool:
    return job_id is not None and job_id.version == 7 and (job_id.int >> 80) / 1000 < moment.timestamp()  # noqa: PLR2004


_OF_JOBS = """
select job_id, parse_job_id = any($3::uuid[]) as expires from uploads
where tenant_id = $1 and kind = $2 and (job_id = any($3::uuid[]) or parse_job_id = any($3::uuid[]))
"""

_REMOVE = "delete from uploads where tenant_id = $1 and job_id = any($2::uuid[])"

_UNCLAIMED = """
select asked.job_id from unnest($2::uuid[]) as asked (job_id)
where not exists (select 1 from uploads where tenant_id = $1 and job_id = asked.job_id)
  and not exists (select 1 from uploads where tenant_id = $1 and parse_job_id = asked.job_id)
"""
