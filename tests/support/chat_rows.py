"""One row in each of chat's tables, for tests about what holds of every table."""

from __future__ import annotations

from app.kit.db import Connection

_ROWS = (
    """insert into chat_sessions (tenant_id, lane_id, role, person_id, session_id, last_job_id)
       values ($1, 'student:s:main', 'student', 's', 'main', gen_random_uuid())""",
    "insert into chat_messages (tenant_id, lane_id, turn, place, content) values ($1, 'student:s:main', 1, 0, '?')",
    """insert into llm_usage (tenant_id, job_id, attempt, provider, input_tokens, output_tokens, estimated)
       values ($1, gen_random_uuid(), 1, 'local', 1, 1, true)""",
    "insert into chat_agents (tenant_id, name, prompt, max_output_tokens) values ($1, 'a', 'p', 1)",
    """insert into tenant_models (tenant_id, base_url, model, sealed_key)
       values ($1, 'https://models.example.org', 'm', 'sealed'::bytea)""",
)


async def fill_chat(connection: Connection, tenant: str) -> None:
    for statement in _ROWS:
        await connection.execute(statement, tenant)
