"""One row in each of the assignments' tables, for tests about what holds of every table."""

from __future__ import annotations

from app.kit.db import Connection

ASSIGNMENT = "assignment-of-rows"

_ROWS = (
    """insert into assignments (tenant_id, assignment_id, upload_id, title, date, scope, requirements, question_count)
       values ($1, $2, gen_random_uuid(), 't', '2026-05-04', 'public', '{}', 1)""",
    """insert into assignment_questions (tenant_id, assignment_id, position, question_id, number, type, stem, options,
                                         difficulty, knowledge_points, tags)
       values ($1, $2, 1, 'Q1', '1', 'short', 'Why?', '[]', 'basic', '{}', '{}')""",
)


async def fill_assignments(connection: Connection, tenant: str) -> None:
    for statement in _ROWS:
        await connection.execute(statement, tenant, ASSIGNMENT)
