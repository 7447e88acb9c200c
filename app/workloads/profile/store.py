"""Profiles in Postgres. Callers come through a tenant's connection, so row level security has the last word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from app.kit import json
from app.kit.db import Connection
from app.workloads.profile.evidence import Result, Source, SourceKey

MOST_RESULTS_READ = 10_000  # of one student, the latest sources': weights of those before them round to nothing
HISTORY_KEPT = 100  # versions


class Pending(NamedTuple):
    number: int
    job_id: UUID
    received_at: datetime
    content: str  # JSON
    cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProfile:
    """A version of a profile."""

    student_id: str
    name: str | None
    class_name: str | None
    version: int
    picture: dict[str, Any]
    notes: list[dict[str, Any]]
    misconceptions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRow(NewProfile):
    """A profile as it is stored."""

    created_at: datetime
    updated_at: datetime


async def keep_update(connection: Connection, tenant_id: str, student_id: str, job_id: UUID, content: str) -> None:
    await connection.execute(_KEEP_UPDATE, tenant_id, student_id, job_id, content)


async def lock_profile(connection: Connection, tenant_id: str, student_id: str) -> ProfileRow | None:
    """The profile, held until the transaction's end."""
    record = await connection.fetchrow(f"{_READ} for update", tenant_id, student_id)
    return profile_of(record) if record is not None else None


async def read_profile(connection: Connection, tenant_id: str, student_id: str) -> ProfileRow | None:
    record = await connection.fetchrow(_READ, tenant_id, student_id)
    return profile_of(record) if record is not None else None


async def pending_updates(connection: Connection, tenant_id: str, student_id: str) -> list[Pending]:
    """What waits to be merged, in the lane's order."""
    return [Pending(*record) for record in await connection.fetch(_PENDING, tenant_id, student_id)]


async def drop_updates(connection: Connection, tenant_id: str, numbers: Sequence[int]) -> None:
    await connection.execute(_DROP_UPDATES, tenant_id, numbers)


async def read_sources(connection: Connection, tenant_id: str, student_id: str) -> list[Source]:
    results: dict[SourceKey, list[Result]] = defaultdict(list)
    for kind, source_id, question_id, points, score, max_score in await connection.fetch(
        _RESULTS, tenant_id, student_id, MOST_RESULTS_READ
    ):
        results[SourceKey(kind, source_id)].append(Result(question_id, tuple(points), score, max_score))
    sources = await connection.fetch(_SOURCES, tenant_id, student_id)
    return [_source(record, results[SourceKey(record["kind"], record["source_id"])]) for record in sources]


async def put_sources(connection: Connection, tenant_id: str, student_id: str, sources: Iterable[Source]) -> None:
    rows = [(*s.key, s.title, s.name, s.class_name, s.occurred_at, s.as_of, s.assigned) for s in sources]
    await connection.executemany(_PUT_SOURCE, [(tenant_id, student_id, *row) for row in rows])


async def put_results(connection: Connection, tenant_id: str, student_id: str, sources: Sequence[Source]) -> None:
    """In the place of those that these sources had."""
    kinds, ids = [each.key.kind for each in sources], [each.key.id for each in sources]
    await connection.execute(_CLEAR_RESULTS, tenant_id, student_id, kinds, ids)
    await connection.executemany(
        _PUT_RESULT,
        [
            (tenant_id, student_id, *source.key, each.question_id, each.knowledge_points, each.score, each.max_score)
            for source in sources
            for each in source.results
        ],
    )


async def put_profile(connection: Connection, tenant_id: str, row: NewProfile, *, weak: Sequence[str]) -> None:
    await connection.execute(
        _PUT_PROFILE,
        tenant_id,
        row.student_id,
        row.name,
        row.class_name,
        row.version,
        json.text(row.picture),
        weak,
        json.text(row.notes),
        json.text(row.misconceptions),
    )


async def note_version(
    connection: Connection,
    tenant_id: str,
    student_id: str,
    version: int,
    *,
    job_id: str,
    sources: Sequence[dict[str, Any]],
    changes: Sequence[dict[str, Any]],
) -> None:
    """Into the history, of which the latest versions are kept."""
    entry = (UUID(job_id), json.text(sources), json.text(changes))
    await connection.execute(_NOTE_VERSION, tenant_id, student_id, version, *entry)
    await connection.execute(_TRIM_HISTORY, tenant_id, student_id, version - HISTORY_KEPT)


def profile_of(record: asyncpg.Record) -> ProfileRow:
    documents = {name: json.loads(record[name]) for name in ("picture", "notes", "misconceptions")}
    return ProfileRow(**{**record, **documents})


def _source(record: asyncpg.Record, results: Sequence[Result]) -> Source:
    told = dict(record)
    key = SourceKey(told.pop("kind"), told.pop("source_id"))
    return Source(key=key, assigned=tuple(told.pop("assigned")), results=tuple(results), **told)


_KEEP_UPDATE = """
insert into profile_updates (tenant_id, student_id, job_id, content) values ($1, $2, $3, $4::jsonb)
"""

_READ = """
select student_id, name, class_name, version, picture::text as picture, notes::text as notes,
       misconceptions::text as misconceptions, created_at, updated_at
from profiles where tenant_id = $1 and student_id = $2
"""

_PENDING = """
select number, job_id, received_at, content::text,
       exists (select 1 from jobs where jobs.job_id = profile_updates.job_id and jobs.tenant_id = $1
                                    and jobs.status = 'cancelled') as cancelled
from profile_updates
where tenant_id = $1 and student_id = $2 order by number for update
"""

_DROP_UPDATES = "delete from profile_updates where tenant_id = $1 and number = any($2::bigint[])"

_SOURCES = """
select kind, source_id, title, name, class_name, occurred_at, as_of, assigned from profile_sources
where tenant_id = $1 and student_id = $2
"""

_RESULTS = """
select kind, source_id, question_id, knowledge_points, score, max_score
from profile_results join profile_sources using (tenant_id, student_id, kind, source_id)
where tenant_id = $1 and student_id = $2
order by occurred_at desc, kind, source_id, question_id
limit $3
"""

_PUT_SOURCE = """
insert into profile_sources
    (tenant_id, student_id, kind, source_id, title, name, class_name, occurred_at, as_of, assigned)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (tenant_id, student_id, kind, source_id) do update set
    title = excluded.title, name = excluded.name, class_name = excluded.class_name,
    occurred_at = excluded.occurred_at, as_of = excluded.as_of, assigned = excluded.assigned
"""

_CLEAR_RESULTS = """
delete from profile_results using unnest($3::text[], $4::text[]) as changed (kind, source_id)
where profile_results.tenant_id = $1 and profile_results.student_id = $2
  and profile_results.kind = changed.kind and profile_results.source_id = changed.source_id
"""

_PUT_RESULT = """
insert into profile_results
    (tenant_id, student_id, kind, source_id, question_id, knowledge_points, score, max_score)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""

_PUT_PROFILE = """
insert into profiles
    (tenant_id, student_id, name, class_name, version, picture, weak, notes, misconceptions)
values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8::jsonb, $9::jsonb)
on conflict (tenant_id, student_id) do update set
    name = excluded.name, class_name = excluded.class_name, version = excluded.version, picture = excluded.picture,
    weak = excluded.weak, notes = excluded.notes, misconceptions = excluded.misconceptions, updated_at = now()
"""

_NOTE_VERSION = """
insert into profile_history (tenant_id, student_id, version, job_id, sources, changes)
values ($1, $2, $3, $4, $5::jsonb, $6::jsonb)
"""

_TRIM_HISTORY = "delete from profile_history where tenant_id = $1 and student_id = $2 and version <= $3"
