"""Who asks: whose classes' documents a student finds, and what a reply to them may know of them.

It is told here by whoever knows it, in the transaction that found it out, and read by whoever answers. What is told of
a student is not searched: a class has thirty of them, and each would stand before the lesson.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from app.kit import json
from app.kit.db import Connection
from app.library.documents import Section

Language: TypeAlias = Literal["en", "zh"]
Told: TypeAlias = Mapping[Language, Sequence[Section]]


async def put_reader(
    connection: Connection, tenant_id: str, student_id: str, *, class_names: Sequence[str], told: Told
) -> None:
    """In the place of what was told of the student before."""
    sections = {
        language: [{"locator": each.locator, "text": each.text} for each in told[language]] for language in told
    }
    await connection.execute(_PUT, tenant_id, student_id, class_names, json.text(sections))


async def forget_reader(connection: Connection, tenant_id: str, student_id: str) -> None:
    await connection.execute(_FORGET, tenant_id, student_id)


async def told_of(connection: Connection, tenant_id: str, student_id: str, language: Language) -> list[Section]:
    """What is known of the student, in this language; nothing where nobody told."""
    found = await connection.fetchval(_READ, tenant_id, student_id, language)
    return [Section(**section) for section in json.loads(found)] if found is not None else []


_PUT = """
insert into library_readers (tenant_id, student_id, class_names, told) values ($1, $2, $3, $4::jsonb)
on conflict (tenant_id, student_id) do update set
    class_names = excluded.class_names, told = excluded.told, updated_at = now()
"""

_FORGET = "delete from library_readers where tenant_id = $1 and student_id = $2"

_READ = "select (told -> $3)::text from library_readers where tenant_id = $1 and student_id = $2"
