"""Conversations in Postgres. Callers come through a tenant's session, so row level security has the last word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from app.kit.db import Connection
from app.workloads.chat.models import REPLY, USER

_PLACE_OF = {"user": USER, "assistant": REPLY}  # in the statements below: 0 and 1


class Said(NamedTuple):
    """A turn of the past with its reply."""

    turn: int
    question: str
    reply: str


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """The turn that a job is to answer, with what its session remembers."""

    lane_id: str
    session_id: str
    role: str
    person_id: str
    turn: int
    content: str
    summary: str | None
    summary_through: int


@dataclass(frozen=True, slots=True)
class Agent:
    """How a model is asked under this name."""

    name: str | None
    prompt: str
    model: str | None = None
    temperature: float | None = None
    max_output_tokens: int = 1024


async def keep_turn(
    connection: Connection,
    tenant_id: str,
    where: Sequence[str],
    job_id: UUID,
    *,
    content: str,
    earlier: Sequence[tuple[str, str]],
) -> None:
    """The session's next turn. What was said `earlier` is taken over where the session is new."""
    lane_id = ":".join(where)
    turn: int = await connection.fetchval(_KEEP_TURN, tenant_id, lane_id, *where, job_id, content)
    if turn == 1 and earlier:
        rows = _turns_of(earlier)
        await connection.execute(_MOVE_TURN, tenant_id, lane_id, job_id, rows[-1][0] + 1)
        await connection.executemany(_KEEP_EARLIER, [(tenant_id, lane_id, *row) for row in rows])


def _turns_of(earlier: Sequence[tuple[str, str]]) -> list[tuple[int, int, str]]:
    """Numbered by turns: whatever does not follow its question begins a turn of its own."""
    rows: list[tuple[int, int, str]] = []
    for role, content in earlier:
        place = _PLACE_OF[role]
        answers = bool(rows) and place == REPLY and rows[-1][1] == USER
        turn = rows[-1][0] + (not answers) if rows else 1
        rows.append((turn, place, content))
    return rows


async def has_agent(connection: Connection, tenant_id: str, name: str) -> bool:
    return await connection.fetchval(_HAS_AGENT, tenant_id, name) is not None


async def read_agent(connection: Connection, tenant_id: str, name: str) -> Agent | None:
    record = await connection.fetchrow(_READ_AGENT, tenant_id, name)
    return Agent(**record) if record is not None else None


async def read_turn(
    connection: Connection, tenant_id: str, job_id: UUID, *, most: int
) -> tuple[OpenTurn, Sequence[Said]] | None:
    """The turn, and so many answered ones at most between the summary and it, oldest first. What nobody answered is not
    told again. None where its session was deleted."""
    record = await connection.fetchrow(_READ_TURN, tenant_id, job_id, most)
    if record is None:
        return None
    *turn, past = record
    return OpenTurn(*turn), [Said(*said) for said in reversed(past)]


async def keep_summary(
    connection: Connection, tenant_id: str, lane_id: str, summary: str, *, through: int, after: int
) -> None:
    """Compare and swap: of two deliveries of one turn only the first adds to the summary that both have read."""
    await connection.execute(_KEEP_SUMMARY, tenant_id, lane_id, summary, through, after)


async def keep_usage(connection: Connection, *values: Any) -> None:
    """Tenant, job, attempt, provider, model, tokens asked and answered, and whether they are an estimate."""
    await connection.execute(_KEEP_USAGE, *values)


_KEEP_TURN = """
with session as (
    insert into chat_sessions as session (tenant_id, lane_id, role, person_id, session_id, last_job_id, turns)
    values ($1, $2, $3, $4, $5, $6, 1)
    on conflict (tenant_id, lane_id) do update set turns = session.turns + 1, last_at = now(), last_job_id = $6
    returning turns
)
insert into chat_messages (tenant_id, lane_id, turn, place, content, job_id)
select $1, $2, turns, 0, $7, $6 from session
returning turn
"""

# Behind what is put before it: the turn goes to another number, and its session counts on from there.
_MOVE_TURN = """
with moved as (
    update chat_messages set turn = $4 where tenant_id = $1 and job_id = $3 and place = 0
)
update chat_sessions set turns = $4 where tenant_id = $1 and lane_id = $2
"""

_KEEP_EARLIER = """
insert into chat_messages (tenant_id, lane_id, turn, place, content) values ($1, $2, $3, $4, $5)
"""

_HAS_AGENT = "select 1 from chat_agents where tenant_id = $1 and name = $2"

_READ_AGENT = """
select name, prompt, model, temperature, max_output_tokens from chat_agents where tenant_id = $1 and name = $2
"""

_READ_TURN = """
select asked.lane_id, session_id, role, person_id, asked.turn, asked.content, summary, summary_through,
       array(select (said.turn, said.content, reply.content)
             from chat_messages said join chat_messages reply using (tenant_id, lane_id, turn)
             where said.tenant_id = $1 and said.lane_id = asked.lane_id
               and said.turn > summary_through and said.turn < asked.turn and said.place = 0 and reply.place = 1
             order by said.turn desc
             limit $3) as past
from chat_messages asked join chat_sessions using (tenant_id, lane_id)
where asked.tenant_id = $1 and asked.job_id = $2 and asked.place = 0
"""

_KEEP_SUMMARY = """
update chat_sessions set summary = $3, summary_through = $4
where tenant_id = $1 and lane_id = $2 and summary_through = $5
"""

_KEEP_USAGE = """
insert into llm_usage (tenant_id, job_id, attempt, provider, model, input_tokens, output_tokens, estimated)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict do nothing
"""
