"""What the auditor remembers: who violates what, and how far it has come. A finding goes once it is found healed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from app.engine.ledger.audit_invariants import Finding
from app.kit.db import Connection

FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)
AUDITOR = "ledger"


class Range(NamedTuple):
    """Job ids from just after the one to the other."""

    after: UUID
    upto: UUID


async def range_after(connection: Connection, position: UUID, jobs: int) -> Range:
    """The next so many jobs; the last range has no end."""
    return Range(position, await connection.fetchval(_NEXT, position, jobs - 1) or LAST)


async def youngest_range(connection: Connection, jobs: int) -> Range:
    """The last so many jobs."""
    return Range(await connection.fetchval(_YOUNGEST, jobs) or FIRST, LAST)


async def widened(connection: Connection, where: Range, jobs: int) -> Range:
    """The range with so many jobs before it: neighbours in a lane are mostly neighbours in time."""
    return Range(await connection.fetchval(_BEFORE, where.after, jobs) or FIRST, where.upto)


async def read_position(connection: Connection) -> UUID:
    return await connection.fetchval(_POSITION, AUDITOR) or FIRST


async def note_position(connection: Connection, position: UUID) -> None:
    await connection.execute(_NOTE_POSITION, AUDITOR, position)


async def settle(connection: Connection, names: Sequence[str], where: Range, found: Sequence[Finding]) -> list[Finding]:
    """These checks have just looked here: what they found stands, what they found before and not now has healed.
    Returns what is new."""
    columns = [list(column) for column in zip(*found, strict=True)] or [[], [], [], []]
    await connection.execute(_FORGET, list(names), where.after, where.upto, columns[1], columns[2])
    fresh = {
        (record["name"], record["subject"]) for record in await connection.fetch(_REMEMBER, *columns) if record["fresh"]
    }
    return [finding for finding in found if (finding.name, finding.subject) in fresh]


async def count_findings(connection: Connection) -> dict[str, int]:
    """How many violations of each invariant are known."""
    return dict(await connection.fetch("select invariant, count(*) from audit_findings group by invariant"))


async def seconds_since_audit(connection: Connection) -> float | None:
    seconds: float | None = await connection.fetchval(_AGE, AUDITOR)
    return seconds


_NEXT = "select job_id from jobs where job_id > $1 order by job_id offset $2 limit 1"
_BEFORE = "select job_id from jobs where job_id <= $1 order by job_id desc offset $2 limit 1"
_YOUNGEST = "select job_id from jobs order by job_id desc offset $1 limit 1"

_POSITION = "select position from audit_progress where auditor = $1"

_NOTE_POSITION = """
insert into audit_progress (auditor, position) values ($1, $2)
on conflict (auditor) do update set position = excluded.position, finished_at = now()
"""

_AGE = "select extract(epoch from now() - finished_at)::float8 from audit_progress where auditor = $1"

_FORGET = """
delete from audit_findings
where name = any($1::text[]) and subject > $2 and subject <= $3
  and (name, subject) not in (select * from unnest($4::text[], $5::uuid[]))
"""

_REMEMBER = """
insert into audit_findings as known (invariant, name, subject, detail)
select distinct on (name, subject) * from unnest($1::text[], $2::text[], $3::uuid[], $4::text[])
    as found (invariant, name, subject, detail)
on conflict (name, subject) do update set last_seen_at = now()
returning name, subject, xmax = 0 as fresh
"""
