"""Finding passages: by their words, and by the vector of their letters, which forgives typing mistakes.

Both numbers are computed exactly for every passage that the viewer may see. With pgvector the vectors are compared by
the extension, without it by plain SQL over the few places that a question fills: the same hits, slower.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.library.documents import Hit, Viewer
from app.library.shelf import words_of
from app.library.vectors import vector_of

LONGEST_QUERY = 1000  # characters: what comes after adds noise and time
FEWEST_SHARED = 0.12  # below this nearness letters agree by chance

_BY_EXTENSION = """
    1 - (s.letters::{schema}.vector operator({schema}.<=>) cast(:letters as real[])::{schema}.vector)
"""
_BY_SQL = """
    (select sum(s.letters[asked.place] * asked.value)
     from unnest(cast(:places as int[]), cast(:values as real[])) as asked (place, value))
"""
# A passage that has all the words counts twice as much as one that only resembles the question.
_SEARCH = """
with asked as (
    select replace(plainto_tsquery('pg_catalog.english', :spaced)::text, '&', '|')::tsquery
           || cast(:pairs as tsquery) as words
), passages as (
    select s.*, d.title, d.language, ts_rank(s.words, asked.words) as rank, {nearness} as nearness
    from asked, library_sections s join library_documents d using (tenant_id, kind, document_id)
    where s.tenant_id = :tenant_id
      and (:sees_all or d.scope = 'public'
           or (d.scope = 'class' and (d.class_name = cast(:class_name as text) or d.class_name in (
               select unnest(class_names) from library_readers
               where tenant_id = :tenant_id and student_id = cast(:student_id as text))))
           or (d.scope = 'student' and cast(:student_id as text) = any (d.student_ids)))
)
select kind, document_id, number, title, locator, text, language, knowledge_points, nearness + rank as score
from passages
where rank > 0 or nearness > :fewest_shared
order by score desc, kind, document_id, number
limit :limit
"""
_EXTENSION_SCHEMA = text(
    """
    select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'vector' and has_schema_privilege(n.oid, 'usage')
    """
)


async def search(session: AsyncSession, tenant_id: str, query: str, viewer: Viewer, *, limit: int = 6) -> list[Hit]:
    """The passages that speak about the query, best first; none where nothing does."""
    query = query[:LONGEST_QUERY]
    spaced, paired = words_of(query)
    if not spaced and not paired:
        return []
    letters = vector_of(query)
    filled = [place for place, value in enumerate(letters) if value]
    schema = await session.scalar(_EXTENSION_SCHEMA)
    nearness = _BY_SQL if schema is None else _BY_EXTENSION.format(schema=schema)
    parameters: dict[str, Any] = {
        "tenant_id": tenant_id,
        "sees_all": viewer.role == "teacher",
        "class_name": viewer.class_name,
        "student_id": viewer.student_id,
        "spaced": " ".join(spaced),
        "pairs": " | ".join(f"'{pair}'" for pair in paired),  # letters alone: nothing to escape
        "fewest_shared": FEWEST_SHARED,
        "limit": limit,
    }
    if schema is None:
        parameters |= {"places": [place + 1 for place in filled], "values": [letters[place] for place in filled]}
    else:
        parameters["letters"] = letters
    found = await session.execute(text(_SEARCH.format(nearness=nearness)), parameters)
    return [Hit(**{**row, "knowledge_points": tuple(row["knowledge_points"])}) for row in found.mappings()]
