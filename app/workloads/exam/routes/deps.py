"""Whose exams a caller may see: a key and a teacher's token all of the tenant's, a student's token that student's."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path

from app.api.deps import Reader
from app.workloads.exam.schemas import ExamId


async def get_own_student(reader: Reader) -> str | None:
    """The only student whose marks may be shown; None: anybody's. A token without a subject is nobody's own."""
    return (reader.subject or "") if reader.role == "student" else None


OwnStudent = Annotated[str | None, Depends(get_own_student)]
ExamInPath = Annotated[ExamId, Path(alias="exam_id", description="The exam's id", examples=["midterm-7a"])]
