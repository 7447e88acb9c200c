"""Uploads of assignments whose files were read already, and which lack nothing that a teacher has to say."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.documents.values import AnswerKey, Paper
from app.kit.db import Database
from app.kit.ids import uuid7
from app.workloads.assignment.service.drafting import draft_of
from app.workloads.uploads.models import Upload
from tests.support.assignments import REQUIREMENTS
from tests.support.exam_drafts import question

STATED = {
    "subject": "Physics",
    "topic": "circuits",
    "grade_level": "Grade 8",
    "core_concepts": ["current", "voltage", "resistance"],
    "typical_problem": "Two lamps in series.",
    "duration_minutes": 40,
}


async def ready(database: Database, name: str, *, students: Sequence[str], tenant: str = "demo") -> UUID:
    """An upload of three questions, given to these students by name."""
    paper = Paper(title="Circuits", questions=[question(each) for each in ("Q1", "Q2", "Q3")])
    job_id = uuid7()
    async with database.session(tenant) as session:
        session.add(
            Upload(
                tenant_id=tenant,
                job_id=job_id,
                parse_job_id=job_id,
                kind="assignment",
                record_id=name,
                form={"student_ids": list(students), "language": "en"},
                files=[],
                parsed=draft_of(paper, AnswerKey()),
                edits={"requirements": STATED | REQUIREMENTS},
                attempt=1,
                draft_version=1,
            )
        )
    return job_id
