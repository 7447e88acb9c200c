"""How uploads are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from app.api.jobs.documents import DraftStatus, JobDocument
from app.workloads.uploads.describing import draft_path
from app.workloads.uploads.files import StoredFile, sources_of
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.store import Seen


class FileDocument(BaseModel):
    """A source, as it arrived."""

    number: int
    field: str
    name: Annotated[str, Field(description="The owner's name for it")]
    bytes: int
    href: str


class UploadLinks(BaseModel):
    """Where to go from here."""

    self: str
    draft: str
    confirm: str
    reparse: str
    job: Annotated[str, Field(description="The latest parse")]


class UploadDocument(BaseModel):
    """An upload: files that became a job, and where the draft that came of them stands."""

    upload_id: Annotated[UUID, Field(description="That of its first job")]
    record_id: Annotated[str, Field(description="Of what it becomes when it is confirmed", examples=["midterm-7b"])]
    draft_status: DraftStatus
    draft_version: Annotated[int, Field(ge=0)]
    form: dict[str, Any]
    files: list[FileDocument]
    created_at: datetime
    updated_at: datetime
    confirmed_at: datetime | None
    links: UploadLinks


class UploadJobDocument(JobDocument):
    """The latest parse's job, and its upload."""

    upload: UploadDocument


class UploadPage(BaseModel):
    """Newest first. `next_cursor` is the way on, and null on the last page."""

    data: list[UploadDocument]
    has_more: bool
    next_cursor: str | None


class ConfirmedDocument(BaseModel):
    """A draft that has become a record. To confirm again answers the same."""

    job_id: UUID
    record_id: str
    draft_version: int
    draft_status: DraftStatus
    confirmed_at: datetime
    links: Annotated[dict[str, str], Field(examples=[{"record": "/v1/exams/midterm-7b"}])]


def upload_document(kind: UploadKind, seen: Seen, base: str) -> dict[str, Any]:
    upload = seen.upload
    path = f"{base}/{kind.path}/uploads/{upload.job_id}"
    return {
        "upload_id": upload.job_id,
        "record_id": upload.record_id,
        "draft_status": seen.draft_status,
        "draft_version": upload.draft_version,
        "form": upload.form,
        "files": [_file(file, path) for file, _ in sources_of(kind.path, upload)],
        "created_at": upload.created_at,
        "updated_at": upload.updated_at,
        "confirmed_at": upload.confirmed_at,
        "links": {
            "self": path,
            "draft": base + draft_path(kind, upload.job_id),
            "confirm": f"{path}/confirm",
            "reparse": f"{path}/reparse",
            "job": f"{base}/jobs/{upload.parse_job_id}",
        },
    }


def confirmed_document(kind: UploadKind, seen: Seen, base: str) -> dict[str, Any]:
    upload = seen.upload
    return {
        "job_id": upload.job_id,
        "record_id": upload.record_id,
        "draft_version": upload.draft_version,
        "draft_status": "confirmed",
        "confirmed_at": upload.confirmed_at,
        "links": {
            "record": f"{base}/{kind.path}/{upload.record_id}",
            "draft": base + draft_path(kind, upload.job_id),
        },
    }


def _file(file: StoredFile, path: str) -> dict[str, Any]:
    shown = {name: file[name] for name in ("number", "field", "name", "bytes")}
    return shown | {"href": f"{path}/files/{file['number']}"}
