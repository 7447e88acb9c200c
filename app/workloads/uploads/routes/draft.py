"""GET and PUT /<path>/uploads/{id}/draft: read what was parsed, and correct it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from app.api.deps import TheServices
from app.api.headers import headers as described
from app.api.preferences import IfNoneMatch, none_match
from app.api.problems import refusals
from app.api.wire import JsonResponse, edge_router
from app.workloads.uploads import drafts
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.refusals import (
    DraftChanged,
    DraftConfirmed,
    JobNotReady,
    ParseFailed,
    PreconditionRequired,
)
from app.workloads.uploads.routes.deps import NOT_FOUND, IfMatch, UploadId, UploadReader, UploadWriter
from app.workloads.uploads.store import Seen

_NOT_DRAWN = refusals(JobNotReady, ParseFailed)
_NOT_TAKEN = refusals(JobNotReady, ParseFailed, DraftConfirmed, DraftChanged, PreconditionRequired)


def build(kind: UploadKind) -> APIRouter:
    router = edge_router(kind.path)
    shown: dict[str, Any] = {"model": kind.draft, "headers": described("ETag")}

    @router.get(
        f"/{kind.path}/uploads/{{job_id}}/draft",
        name=f"read_{kind.name}_draft",
        summary=f"Read the draft of an {kind.name}",
        responses={
            200: shown,
            304: {"description": "Unchanged.", "headers": described("ETag")},
            **NOT_FOUND,
            **_NOT_DRAWN,
        },
    )
    async def read_draft(
        job_id: UploadId, reader: UploadReader, services: TheServices, if_none_match: IfNoneMatch = None
    ) -> Response:
        """What was parsed, under what was changed since. Its `ETag` is its version, for `If-Match`."""
        async with services.database.session(reader.tenant_id) as session:
            seen = await drafts.get(session, reader.tenant_id, kind, job_id)
        drafts.check_drawn(seen)
        if not none_match(if_none_match, drafts.etag(seen)):
            return Response(status_code=304, headers=_headers(seen))
        return _draft(kind, seen)

    async def edit_draft(
        job_id: UploadId,
        edit: Annotated[Any, Body()],
        writer: UploadWriter,
        services: TheServices,
        if_match: IfMatch = None,
    ) -> Response:
        """Replace sections of the draft; those that are left out stay, and one that is null goes back to what was
        parsed. Sections that nobody may change are ignored, so a whole draft may be sent back."""
        if if_match is None:
            raise PreconditionRequired("The request has no `If-Match` header.")
        async with services.database.session(writer.tenant_id) as session:
            seen = await drafts.get(session, writer.tenant_id, kind, job_id, lock=True)
            drafts.check_drawn(seen)
            drafts.check_version(seen, if_match)
            drafts.edit(kind, seen, edit)
        return _draft(kind, seen)

    edit_draft.__annotations__["edit"] = kind.edit  # known only here
    router.put(
        f"/{kind.path}/uploads/{{job_id}}/draft",
        name=f"edit_{kind.name}_draft",
        summary=f"Correct the draft of an {kind.name}",
        responses={200: shown, **NOT_FOUND, **_NOT_TAKEN},
    )(edit_draft)
    return router


def _draft(kind: UploadKind, seen: Seen) -> Response:
    return JsonResponse(drafts.document(kind, seen), headers=_headers(seen))


def _headers(seen: Seen) -> dict[str, str]:
    return {"ETag": drafts.etag(seen), "Cache-Control": "private, no-cache"}
