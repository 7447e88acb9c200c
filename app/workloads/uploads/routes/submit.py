"""POST /<path>/uploads: files in, a job out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from app.api.deps import Services, TheServices
from app.api.jobs.deps import WritableJobs
from app.api.jobs.submit import JOB_REFUSALS, RESPONSES, answer
from app.api.preferences import PreferredWait
from app.api.problems import refusals
from app.api.refusals import InvalidIdempotencyKey
from app.api.wire import edge_router
from app.storage.port import StorageFull
from app.workloads.uploads.accepting import Uploads
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.receiving.schema import form_schema
from app.workloads.uploads.refusals import (
    EmptyFile,
    FileTooLarge,
    InvalidForm,
    InvalidMultipart,
    MismatchedFile,
    MultipartExpected,
    TeachersOnly,
    TooManyFiles,
    UnsupportedFile,
    UploadTooLarge,
)
from app.workloads.uploads.routes.deps import TheClient

_OF_FORMS = (InvalidMultipart, MultipartExpected, InvalidForm, InvalidIdempotencyKey, TeachersOnly)
_OF_FILES = (FileTooLarge, UploadTooLarge, TooManyFiles, UnsupportedFile, MismatchedFile, EmptyFile, StorageFull)
_RESPONSES = {status: RESPONSES[status] for status in (200, 202)} | refusals(*_OF_FORMS, *_OF_FILES, *JOB_REFUSALS)


def build(kind: UploadKind) -> APIRouter:
    router = edge_router(kind.path)

    @router.post(
        f"/{kind.path}/uploads",
        status_code=202,
        name=f"upload_{kind.name}",
        summary=f"Upload files of an {kind.name}",
        responses=_RESPONSES,
        openapi_extra={"requestBody": _request_body(kind)},
    )
    async def upload(
        request: Request, client: TheClient, jobs: WritableJobs, services: TheServices, wait: PreferredWait
    ) -> Response:
        """Store the files and submit a job that reads them into a draft. Nothing is kept of an upload that is refused.
        With an `Idempotency-Key`, a repetition of the same form and files answers with the earlier job."""
        length = request.headers.get("content-length", "")
        declared = int(length) if length.isdecimal() else None
        content_type = request.headers.get("content-type", "")
        uploads = uploads_of(services, kind)
        try:
            accepted = await uploads.receive(client, content_type, request.stream(), declared=declared)
        except ClientDisconnect:
            raise InvalidMultipart("The client left before the form was complete.") from None
        return await answer(jobs, accepted, wait)

    return router


def uploads_of(services: Services, kind: UploadKind) -> Uploads:
    return Uploads(kind, services.registry, services.submitter, services.storage)


def _request_body(kind: UploadKind) -> dict[str, Any]:
    return {"required": True, "content": {"multipart/form-data": {"schema": form_schema(kind)}}}
