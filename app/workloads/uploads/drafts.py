"""Drafts: what was parsed under what a teacher changed, its versions, and its confirmation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from app.engine.ledger.retention import has_expired
from app.kit.db import driver_connection
from app.kit.errors import Refusal
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.models import Upload
from app.workloads.uploads.refusals import (
    DraftChanged,
    DraftConfirmed,
    JobNotReady,
    NotConfirmable,
    ParseFailed,
    UploadExpired,
    UploadNotFound,
)
from app.workloads.uploads.store import LOOK_AGAIN_SECONDS, Seen, find

_TAG = re.compile(r'"([0-9]{1,9})(?:-confirmed)?"')


async def get(session: AsyncSession, tenant_id: str, kind: UploadKind, job_id: UUID, *, lock: bool = False) -> Seen:
    seen = await find(session, tenant_id, kind.name, job_id, lock=lock)
    if seen is None:
        raise await _absence(session, tenant_id, job_id)
    return seen


async def _absence(session: AsyncSession, tenant_id: str, job_id: UUID) -> Refusal:
    if await has_expired(await driver_connection(session), tenant_id, job_id):
        return UploadExpired("The upload was kept for as long as the tenant keeps jobs.")
    return UploadNotFound("No upload of this tenant has this id.")


def etag(seen: Seen) -> str:
    """The version; a confirmed draft has the number of the one that was confirmed, and still another tag."""
    return f'"{seen.upload.draft_version}{"-confirmed" if seen.upload.confirmed_at is not None else ""}"'


def check_version(seen: Seen, if_match: str | None, version: int | None = None) -> None:
    """Whether the draft is still the one that the caller has seen. `*` is any that there is."""
    current = seen.upload.draft_version
    tags = {int(number) for number in _TAG.findall(if_match or "")}
    if (if_match is not None and if_match.strip() != "*" and current not in tags) or version not in (None, current):
        raise DraftChanged(f"The draft has version {current} by now.", draft_version=current)


def check_drawn(seen: Seen) -> None:
    """Whether there is a draft: its files have been read, and nobody reads them anew at this moment."""
    if seen.draft_status == "parsing":
        raise JobNotReady("A job is reading the files.", retry_after=LOOK_AGAIN_SECONDS)
    if seen.upload.parsed is None:
        error = seen.error or "cancelled"
        detail = seen.error_detail or "The job was cancelled before it had read the files."
        raise ParseFailed(detail, error=error, error_detail=seen.error_detail)


def document(kind: UploadKind, seen: Seen) -> dict[str, Any]:
    check_drawn(seen)
    upload = seen.upload
    own = {"job_id": upload.job_id, "draft_version": upload.draft_version, "draft_status": seen.draft_status}
    return own | kind.draw(upload)


def edit(kind: UploadKind, seen: Seen, wanted: BaseModel) -> bool:
    """Take over what a teacher changed, by section; whether that is anything new. The upload's row is locked."""
    check_drawn(seen)
    if seen.upload.confirmed_at is not None:
        raise DraftConfirmed("A confirmed draft is not edited any more.")
    edits = _edits(kind, seen.upload, wanted)
    if edits == seen.upload.edits:
        return False
    seen.upload.edits = edits
    seen.upload.draft_version += 1
    seen.upload.updated_at = func.now()
    return True


def _edits(kind: UploadKind, upload: Upload, wanted: BaseModel) -> dict[str, Any]:
    """A section that says what was parsed, or null, is none; one that says what the draft says already changes nothing:
    parts of it may follow from other sections, and are to go on following."""
    edits = dict(upload.edits)
    shown, parsed = kind.draw(upload), kind.draw(_unedited(upload))
    for section, value in wanted.model_dump(mode="json", exclude_unset=True).items():
        if value is None or value == _as_edit(kind, section, parsed):
            edits.pop(section, None)
        elif value != _as_edit(kind, section, shown):
            edits[section] = value
    return edits


def _as_edit(kind: UploadKind, section: str, draft: Mapping[str, Any]) -> Any:
    """A section of a draft as somebody would send it back unchanged."""
    try:
        model = kind.edit.model_validate({section: draft.get(section)})
    except ValidationError:
        return draft.get(section)
    return model.model_dump(mode="json", exclude_unset=True)[section]


def _unedited(upload: Upload) -> Upload:
    columns = {each.key: getattr(upload, each.key) for each in Upload.__mapper__.column_attrs}
    return Upload(**columns | {"edits": {}})


async def confirm(session: AsyncSession, kind: UploadKind, seen: Seen) -> None:
    """Make the draft a record, once. The upload's row is locked: of two who come at once the second finds it done."""
    if seen.upload.confirmed_at is not None:
        return
    check_drawn(seen)
    draft = kind.draw(seen.upload)
    missing = kind.missing(seen.upload, draft)
    if missing:
        errors = [{"pointer": each.pointer, "detail": each.detail} for each in missing]
        raise NotConfirmable(f"{len(missing)} thing(s) stand against confirming.", errors=errors)
    await kind.confirm(session, seen.upload, draft)
    seen.upload.confirmed_at = func.now()
    seen.upload.updated_at = func.now()
    await session.flush()
    await session.refresh(seen.upload, ["confirmed_at", "updated_at"])
