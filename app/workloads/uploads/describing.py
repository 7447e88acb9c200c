"""What the documents of upload jobs say besides: where the draft stands, and where it is to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.api.jobs.documents import Describe, More
from app.engine.ledger.rows import JobRow
from app.kit.db import Connection
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.store import DRAFT_STATUS


def describer(kind: UploadKind) -> Describe:
    """For `describes` of the kind's job. Every parse of an upload leads to its one draft, and tells how that stands."""

    async def describe(connection: Connection, rows: Sequence[JobRow]) -> Mapping[UUID, More]:
        found = await connection.fetch(_UPLOADS, rows[0].tenant_id, kind.name, [row.job_id for row in rows])
        return {
            each["job_id"]: More(
                fields={"draft_status": each["draft_status"]}, links={"draft": draft_path(kind, each["upload_id"])}
            )
            for each in found
        }

    return describe


def draft_path(kind: UploadKind, upload_id: UUID) -> str:
    """Below the version's prefix."""
    return f"/{kind.path}/uploads/{upload_id}/draft"


_UPLOADS = f"""
select asked.job_id, uploads.job_id as upload_id, {DRAFT_STATUS} as draft_status
from unnest($3::uuid[]) as asked (job_id)
join uploads on uploads.tenant_id = $1 and uploads.kind = $2 and asked.job_id in (uploads.job_id, uploads.parse_job_id)
left join jobs on jobs.tenant_id = uploads.tenant_id and jobs.job_id = uploads.parse_job_id
"""  # noqa: S608 - composed of constants
