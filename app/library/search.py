"""Finding passages: by their words, and by the vector of their letters, which forgives typing mistakes.

Both numbers are computed exactly for every passage that the viewer may see. With pgvector the vectors are compared by
the extension, without it by plain SQL over the few places that a question fills: the same hits, slower.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from app.kit.db import Connection
from app.library.documents import Hit, Viewer
from app.library.shelf import words_of
from app.library.vectors import vector_of

LONGEST_QUERY = 1000  # characters: what comes after adds noise and time
FEWEST_SHARED = 0.12  # below this nearness letters agree by chance

_BY_EXTENSION = """
    1 - (s.letters::{schema}.vector operator({schema}.<=>) $9::real[]::{schema}.vector)
"""
_BY_SQL = """
    (select sum(s.letters[asked.place] * asked.value)
     from unnest($9::int[], $10::real[]) as asked (place, value))
"""
# A passage that has all the words counts twice as much as one that only resembles the question.
_SEARCH = """
with asked as (
    select replace(plainto_tsquery('pg_catalog.english', $2)::text, '&', '|')::tsquery
           || $3::text::tsquery as words
), passages as (
    select s.*, d.title, d.language, ts_rank(s.words, asked.words) as rank, {nearness} as nearness
    from asked, library_sections s join library_documents d using (tenant_id, kind, document_id)
    where s.tenant_id = $1
      and ($4 or d.scope = 'public'
           or (d.scope = 'class' and (d.class_name = $5::text or d.class_name in (
               select unnest(class_names) from library_readers
               where tenant_id = $1 and student_id = $6::text)))
           or (d.scope = 'student' and $6::text = any (d.student_ids)))
)
select kind, document_id, number, title, locator, text, language, knowledge_points, nearness + rank as score
from passages
where rank > 0 or nearness > $7
order by score desc, kind, document_id, number
limit $8
"""
_EXTENSION_SCHEMA = """
select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where e.extname = 'vector' and has_schema_privilege(n.oid, 'usage')
"""


class Search:
    """Where the extension is, is asked once: a question costs one statement."""

    def __init__(self) -> None:
        self._asked = False
        self._schema: str | None = None

    async def find(
        self, connection: Connection, tenant_id: str, query: str, viewer: Viewer, *, limit: int = 6
    ) -> list[Hit]:
        """The passages that speak about the query, best first; none where nothing does."""
        query = query[:LONGEST_QUERY]
        spaced, paired = words_of(query)
        if not spaced and not paired:
            return []
        schema = await self._extension_schema(connection)
        letters = vector_of(query)
        try:
            found = await connection.fetch(
                _SEARCH.format(nearness=_BY_SQL if schema is None else _BY_EXTENSION.format(schema=schema)),
                tenant_id,
                " ".join(spaced),
                " | ".join(f"'{pair}'" for pair in paired),  # letters alone: nothing to escape
                viewer.role == "teacher",
                viewer.class_name,
                viewer.student_id,
                FEWEST_SHARED,
                limit,
                *(_filled_places(letters) if schema is None else (letters,)),
            )
        except asyncpg.SyntaxOrAccessError:  # the extension was dropped, or moved
            self._asked = False
            raise
        return [Hit(**{**row, "knowledge_points": tuple(row["knowledge_points"])}) for row in found]

    async def _extension_schema(self, connection: Connection) -> str | None:
        if not self._asked:
            self._schema, self._asked = await connection.fetchval(_EXTENSION_SCHEMA), True
        return self._schema


def _filled_places(letters: Sequence[float]) -> tuple[list[int], list[float]]:
    """Where the vector is not empty, counted from one as SQL does, and with what it is filled."""
    filled = [place for place, value in enumerate(letters) if value]
    return [place + 1 for place in filled], [letters[place] for place in filled]
