"""What is particular to uploads of exams."""

from __future__ import annotations

from pydantic import BaseModel

from app.workloads.exam.completeness import missing
from app.workloads.exam.confirming import confirm
from app.workloads.exam.drawing import draw
from app.workloads.exam.schemas import ExamDraft, ExamEdit, ExamForm
from app.workloads.uploads.kind import UploadKind


def _exam_id(form: BaseModel) -> str | None:
    assert isinstance(form, ExamForm)
    return form.exam_id


EXAMS = UploadKind(
    name="exam",
    path="exams",
    job_kind="exam.parse",
    form=ExamForm,
    record_id=_exam_id,
    file_fields={"paper_files": False, "score_files": False, "answer_files": False},
    essential=("paper_files", "score_files"),  # a key says what is right, and not of what
    draft=ExamDraft,
    edit=ExamEdit,
    renewed=frozenset({"students", "score_schema"}),
    draw=draw,
    missing=missing,
    confirm=confirm,
)
