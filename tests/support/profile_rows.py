"""One row in each of the profiles' tables, for tests about what holds of every table."""

from __future__ import annotations

from app.kit import json
from app.kit.db import Connection
from app.workloads.profile.picture import draw

STUDENT = "student-of-rows"

_PROFILE = "insert into profiles (tenant_id, student_id, version, picture) values ($1, $2, 1, $3::jsonb)"
_ROWS = (
    """insert into profile_updates (tenant_id, student_id, job_id, content)
       values ($1, $2, gen_random_uuid(), '{"source": {"kind": "teacher"}}')""",
    """insert into profile_sources (tenant_id, student_id, kind, source_id, occurred_at)
       values ($1, $2, 'exam', 'e', now())""",
    """insert into profile_results (tenant_id, student_id, kind, source_id, question_id, score, max_score)
       values ($1, $2, 'exam', 'e', 'Q1', 1, 2)""",
    """insert into profile_history (tenant_id, student_id, version, job_id, sources, changes)
       values ($1, $2, 1, gen_random_uuid(), '[]', '[]')""",
    "insert into library_readers (tenant_id, student_id, class_names) values ($1, $2, '{7A}')",
)


async def fill_profiles(connection: Connection, tenant: str) -> None:
    await connection.execute(_PROFILE, tenant, STUDENT, json.text(draw([]).model_dump(mode="json")))
    for statement in _ROWS:
        await connection.execute(statement, tenant, STUDENT)
