"""Assignments as a kind of upload: routes, storage and drafts derive from this."""

from __future__ import annotations

from pydantic import BaseModel

from app.workloads.assignment.schemas import AssignmentDraft, AssignmentEdit, AssignmentForm
from app.workloads.assignment.service.confirming import confirm
from app.workloads.assignment.service.draft import draw, missing
from app.workloads.uploads.kind import UploadKind


def _record_id(form: BaseModel) -> str | None:
    assert isinstance(form, AssignmentForm)
    return form.assignment_id


ASSIGNMENTS = UploadKind(
    name="assignment",
    path="assignments",
    job_kind="assignment.parse",
    form=AssignmentForm,
    record_id=_record_id,
    file_fields={"files": True, "answer_files": False},
    essential=("files",),
    draft=AssignmentDraft,
    edit=AssignmentEdit,
    renewed=frozenset(),  # an assignment has one reading: what a teacher corrected stays
    draw=draw,
    missing=missing,
    confirm=confirm,
)
