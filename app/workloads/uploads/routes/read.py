"""GET /<path>/uploads: one, and many."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from app.api.deps import Base, TheServices
from app.api.jobs.deps import ReadableJobs
from app.api.pages import Cursor, Limit, PageCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, edge_router
from app.kit import json
from app.workloads.uploads import drafts
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.refusals import TeachersOnly
from app.workloads.uploads.routes.deps import NOT_FOUND, UploadId, UploadReader
from app.workloads.uploads.routes.documents import UploadJobDocument, UploadPage, upload_document
from app.workloads.uploads.store import Seen, list_uploads

Wanted = Annotated[Literal["parsing", "draft", "confirmed", "failed"] | None, Query(alias="draft_status")]


def build(kind: UploadKind) -> APIRouter:
    router = edge_router(kind.path)

    @router.get(
        f"/{kind.path}/uploads",
        name=f"list_{kind.name}_uploads",
        summary=f"List uploads of {kind.path}",
        responses={200: {"model": UploadPage}, **refusals(InvalidCursor, TeachersOnly)},
    )
    async def list_all(
        *,
        reader: UploadReader,
        services: TheServices,
        base: Base,
        cursor: PageCursor,
        draft_status: Wanted = None,
        limit: Limit = 20,
    ) -> Response:
        """The tenant's uploads, newest first."""
        async with services.database.session(reader.tenant_id) as session:
            rows = await list_uploads(
                session, reader.tenant_id, kind.name, draft_status=draft_status, before=cursor, limit=limit
            )
        shown, following = cut(rows, limit, _place)
        return JsonResponse(page([upload_document(kind, each, base) for each in shown], following))

    @router.get(
        f"/{kind.path}/uploads/{{job_id}}",
        name=f"read_{kind.name}_upload",
        summary=f"Read an upload of an {kind.name}",
        responses={200: {"model": UploadJobDocument}, **NOT_FOUND},
    )
    async def read_one(
        job_id: UploadId, reader: UploadReader, jobs: ReadableJobs, services: TheServices, base: Base
    ) -> Response:
        """The job that read its files last, and under `upload` what is particular to uploads."""
        async with services.database.session(reader.tenant_id) as session:
            seen = await drafts.get(session, reader.tenant_id, kind, job_id)
        sight = await jobs.read(seen.upload.parse_job_id)
        return JsonResponse(json.loads(sight.body) | {"upload": upload_document(kind, seen, base)})

    return router


def _place(seen: Seen) -> Cursor:
    return Cursor(seen.upload.created_at, seen.upload.job_id)
