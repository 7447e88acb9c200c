"""POST /<path>/uploads/{id}/confirm and /reparse."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import Base, TheServices
from app.api.jobs.deps import WritableJobs
from app.api.jobs.submit import JOB_REFUSALS, RESPONSES, answer
from app.api.preferences import PreferredWait
from app.api.problems import refusals
from app.api.refusals import InvalidIdempotencyKey
from app.api.wire import JsonResponse, Name, edge_router
from app.kit.failpoints import failpoint
from app.workloads.uploads import drafts
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.refusals import DraftChanged, DraftConfirmed, JobNotReady, NotConfirmable, ParseFailed
from app.workloads.uploads.routes.deps import NOT_FOUND, IfMatch, TheClient, UploadId, UploadWriter
from app.workloads.uploads.routes.documents import ConfirmedDocument, confirmed_document
from app.workloads.uploads.routes.submit import uploads_of

_NOT_CONFIRMED = refusals(JobNotReady, ParseFailed, DraftChanged, NotConfirmable)
_NOT_REPARSED = refusals(JobNotReady, DraftConfirmed, InvalidIdempotencyKey, *JOB_REFUSALS)


class Confirmation(BaseModel):
    """Which draft is meant; the header `If-Match` may say the same."""

    model_config = ConfigDict(extra="forbid")

    draft_version: Annotated[int | None, Field(ge=0, strict=True, description="412 when it has changed")] = None


class ReparseRequest(BaseModel):
    """How to read the files this time."""

    model_config = ConfigDict(extra="forbid")

    selected: Annotated[Name | None, Field(description="The id of a candidate that the draft offers")] = None


def build(kind: UploadKind) -> APIRouter:
    router = edge_router(kind.path)

    @router.post(
        f"/{kind.path}/uploads/{{job_id}}/confirm",
        name=f"confirm_{kind.name}",
        summary=f"Confirm the draft of an {kind.name}",
        responses={200: {"model": ConfirmedDocument}, **NOT_FOUND, **_NOT_CONFIRMED},
    )
    async def confirm(
        *,
        job_id: UploadId,
        writer: UploadWriter,
        services: TheServices,
        base: Base,
        confirmation: Confirmation | None = None,
        if_match: IfMatch = None,
    ) -> Response:
        """Make the draft a record, in one transaction with all that follows from it. To repeat it is safe."""
        async with services.database.session(writer.tenant_id) as session:
            seen = await drafts.get(session, writer.tenant_id, kind, job_id, lock=True)
            drafts.check_version(seen, if_match, confirmation.draft_version if confirmation is not None else None)
            await drafts.confirm(session, kind, seen)
            failpoint("uploads.unconfirmed")
        failpoint("uploads.confirmed")
        return JsonResponse(confirmed_document(kind, seen, base))

    @router.post(
        f"/{kind.path}/uploads/{{job_id}}/reparse",
        status_code=202,
        name=f"reparse_{kind.name}",
        summary=f"Read the files of an {kind.name} again",
        responses={status: RESPONSES[status] for status in (200, 202)} | NOT_FOUND | _NOT_REPARSED,
    )
    async def reparse(
        *,
        job_id: UploadId,
        wanted: ReparseRequest,
        client: TheClient,
        jobs: WritableJobs,
        services: TheServices,
        wait: PreferredWait,
    ) -> Response:
        """Submit a job that parses the stored files anew. Its result replaces what was parsed; edits of what it reads
        are dropped. Meanwhile there is no draft to edit or confirm."""
        accepted = await uploads_of(services, kind).reparse(client, job_id, wanted.selected)
        return await answer(jobs, accepted, wait)

    return router
