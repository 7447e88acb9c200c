"""Uploads in Postgres. Callers come through a tenant's session, so row level security has the last word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, literal, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.engine.ledger.newjob import NewJob
from app.engine.models import Job
from app.kit import json
from app.kit.db import Connection
from app.kit.errors import Refusal
from app.workloads.uploads.files import StoredFile
from app.workloads.uploads.models import Upload
from app.workloads.uploads.refusals import DraftConfirmed, JobNotReady, UploadNotFound

LOOK_AGAIN_SECONDS = 1

DraftStatus = Literal["parsing", "draft", "confirmed", "failed"]


class Seen(NamedTuple):
    """An upload, and where its latest parse stands."""

    upload: Upload
    draft_status: DraftStatus
    error: str | None  # of that parse
    error_detail: str | None


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What is remembered of an upload when its job is accepted."""

    kind: str
    record_id: str
    form: dict[str, Any]
    files: Sequence[StoredFile]

    async def keep(self, connection: Connection, job: NewJob) -> None:
        """In the transaction that accepts the job."""
        files = json.text(list(self.files))
        values = (job.tenant_id, job.job_id, self.kind, self.record_id, json.text(self.form), files)
        await connection.execute(_KEEP, *values)


async def find(session: AsyncSession, tenant_id: str, kind: str, job_id: UUID, *, lock: bool = False) -> Seen | None:
    query = _seen(tenant_id, kind).where(Upload.job_id == job_id)
    if lock:  # of the upload alone: the job is its worker's
        query = query.with_for_update(of=Upload)
    row = (await session.execute(query)).one_or_none()
    return Seen(*row) if row is not None else None


async def list_uploads(
    session: AsyncSession,
    tenant_id: str,
    kind: str,
    *,
    draft_status: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Seen]:
    """Newest first; one row more than the limit tells that there is a next page."""
    query = _seen(tenant_id, kind).order_by(Upload.created_at.desc(), Upload.job_id.desc()).limit(limit + 1)
    if draft_status is not None:
        query = query.where(_STATUS.in_([draft_status]))
    if before is not None:
        query = query.where(tuple_(Upload.created_at, Upload.job_id) < tuple_(*map(literal, before)))
    return [Seen(*row) for row in await session.execute(query)]


async def supersede(connection: Connection, tenant_id: str, kind: str, job_id: UUID, *, by: UUID) -> Refusal | None:
    """Let another parse be the upload's latest; or why that cannot be. A statement of its own takes the lock: what
    comes after it sees what whoever held it has committed."""
    upload = await connection.fetchrow(_HOLD, tenant_id, kind, job_id)
    if upload is None:
        return UploadNotFound("No upload of this tenant has this id.")
    if upload["confirmed_at"] is not None:
        return DraftConfirmed("A confirmed upload is not read again.")
    if await connection.fetchval(_IS_LIVE, tenant_id, upload["parse_job_id"]):
        return JobNotReady("A job is reading the files.", retry_after=LOOK_AGAIN_SECONDS)
    await connection.execute(_SUPERSEDE, tenant_id, job_id, by)
    return None


def _seen(tenant_id: str, kind: str) -> Select[Any]:
    latest = and_(Job.tenant_id == Upload.tenant_id, Job.job_id == Upload.parse_job_id)
    return (
        select(Upload, _STATUS.label("draft_status"), Job.error, Job.error_detail)
        .outerjoin(Job, latest)
        .where(Upload.tenant_id == tenant_id, Upload.kind == kind)
    )


# What follows from the upload and its latest parse is not stored beside them. Confirming is one transaction, so nobody
# ever sees an upload in the midst of it.
DRAFT_STATUS = """(case when uploads.confirmed_at is not null then 'confirmed'
                         when jobs.status in ('queued', 'processing') then 'parsing'
                         when uploads.parsed is not null then 'draft'
                         else 'failed' end)"""

_STATUS: ColumnElement[str] = literal_column(DRAFT_STATUS)

_KEEP = """
insert into uploads (tenant_id, job_id, kind, record_id, form, files, parse_job_id)
values ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $2)
"""

_HOLD = """
select parse_job_id, confirmed_at from uploads where tenant_id = $1 and kind = $2 and job_id = $3 for update
"""

_IS_LIVE = "select status in ('queued', 'processing') from jobs where tenant_id = $1 and job_id = $2"

_SUPERSEDE = "update uploads set parse_job_id = $3, updated_at = now() where tenant_id = $1 and job_id = $2"
