"""What is particular to exams, or to assignments: the form, the draft, and what a confirmation writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.workloads.uploads.models import Upload

Draft = dict[str, Any]  # the draft document without job_id, draft_version and draft_status


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that stands against confirming: what, where in the draft (a JSON pointer), and what would mend it."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class UploadKind:
    """One sort of upload. Routes, storage and drafts derive from it (uploads/routes, uploads/drafts)."""

    name: str  # "exam": as `uploads.kind` has it
    path: str  # "exams": /v1/exams/uploads
    job_kind: str  # "exam.parse"; its input is uploads.schemas.ParseInput
    form: type[BaseModel]  # the fields beside the files
    record_id: Callable[[BaseModel], str | None]  # from the form: the client's id; None: the server makes one
    file_fields: Mapping[str, bool]  # field -> whether it must have a file
    essential: Sequence[str]  # the fields of which one, at least, must have a file: the others only add to these
    draft: type[BaseModel]  # the document that GET .../draft answers with
    edit: type[BaseModel]  # what PUT .../draft may change: a section a field, each optional; others are ignored
    renewed: frozenset[str]  # sections whose edits a new parse throws away
    draw: Callable[[Upload], Draft]  # what was parsed under what was edited
    missing: Callable[[Upload, Draft], Sequence[Missing]]  # empty: it may be confirmed
    # Writes the record, the library and the effects, in the transaction that marks the upload confirmed.
    confirm: Callable[[AsyncSession, Upload, Draft], Awaitable[None]]
