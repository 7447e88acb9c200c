"""When schedules fall due. A row's lock, or a runner's note in it, makes sure that one worker heeds each moment."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.kit.db import Connection


async def clock(connection: Connection) -> datetime:
    now: datetime = await connection.fetchval("select clock_timestamp()")
    return now


async def declare(connection: Connection, name: str, queue: str, timing: str, due_at: datetime) -> None:
    """Make a schedule known; what is known with the same timing keeps the moment that it waits for."""
    await connection.execute(_DECLARE, name, queue, timing, due_at)


async def next_due(connection: Connection, name: str) -> datetime | None:
    """When it falls due; while it runs, when its runner must have ended."""
    due_at: datetime | None = await connection.fetchval(_NEXT_DUE, name)
    return due_at


async def hold_due(connection: Connection, name: str, now: datetime) -> datetime | None:
    """Lock the schedule for the caller's transaction, if it is due and nobody else is at it; when it was due."""
    due_at: datetime | None = await connection.fetchval(_HOLD_DUE, name, now)
    return due_at


async def begin_run(connection: Connection, name: str, runner: UUID, now: datetime, until: datetime) -> bool:
    """Become the one who runs what is due, until this moment."""
    return await connection.fetchval(_BEGIN_RUN, name, runner, now, until) is not None


async def end_run(
    connection: Connection,
    name: str,
    now: datetime,
    due_at: datetime,
    *,
    runner: UUID | None = None,
    error: str | None = None,
) -> None:
    """It was heeded, and is due again then; nothing where another took over from this runner meanwhile."""
    await connection.execute(_END_RUN, name, runner, now, due_at, error)


_DECLARE = """
insert into schedules as known (name, queue, timing, due_at) values ($1, $2, $3, $4)
on conflict (name) do update set queue = excluded.queue, timing = excluded.timing, due_at = excluded.due_at
where known.timing <> excluded.timing or known.queue <> excluded.queue
"""

_NEXT_DUE = "select greatest(due_at, runner_until) from schedules where name = $1"

_FREE = "name = $1 and due_at <= $2 and (runner_until is null or runner_until <= $2)"

_HOLD_DUE = f"select due_at from schedules where {_FREE} for update skip locked"

_BEGIN_RUN = f"""
update schedules set runner_id = $2::uuid, runner_until = $4, started_at = $3
where {_FREE.replace("$2", "$3")}
returning 1
"""

_END_RUN = """
update schedules
set due_at = $4, runner_id = null, runner_until = null, finished_at = $3, error = $5,
    started_at = case when runner_id is null then $3 else started_at end
where name = $1 and ($2::uuid is null or runner_id = $2)
"""
