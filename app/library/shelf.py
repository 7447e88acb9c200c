"""Putting documents into the library and taking them out."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.words import pairs, tokens
from app.library.documents import Document, Section
from app.library.vectors import vector_of

# Its lock makes two that put the same document wait for each other, so sections never mix.
_PUT_DOCUMENT = text(
    """
    insert into library_documents (tenant_id, kind, document_id, title, language, scope, class_name, student_ids)
    values (:tenant_id, :kind, :document_id, :title, :language, :scope, :class_name, :student_ids)
    on conflict (tenant_id, kind, document_id) do update set
        title = excluded.title, language = excluded.language, scope = excluded.scope,
        class_name = excluded.class_name, student_ids = excluded.student_ids, updated_at = now()
    """
)
_CLEAR_SECTIONS = text(
    "delete from library_sections where tenant_id = :tenant_id and kind = :kind and document_id = :document_id"
)
# Chinese pairs go in as they are: Postgres' parser sees words in Chinese or none, depending on the server's locale.
_PUT_SECTION = text(
    """
    insert into library_sections
        (tenant_id, kind, document_id, number, locator, text, knowledge_points, words, letters)
    values (:tenant_id, :kind, :document_id, :number, :locator, :text, :knowledge_points,
            to_tsvector('pg_catalog.english', :spaced) || array_to_tsvector(:pairs), :letters)
    """
)
_LOCK_DOCUMENT = text(
    """
    select 1 from library_documents
    where tenant_id = :tenant_id and kind = :kind and document_id = :document_id for update
    """
)
_REMOVE_DOCUMENT = text(
    "delete from library_documents where tenant_id = :tenant_id and kind = :kind and document_id = :document_id"
)


async def put(session: AsyncSession, tenant_id: str, document: Document) -> int:
    """Store the document in place of what has its kind and id; returns the number of passages that can be found."""
    key = {"tenant_id": tenant_id, "kind": document.kind, "document_id": document.id}
    rows = await asyncio.to_thread(_section_rows, document, key)  # arithmetic that would hold up the loop
    values = {
        "title": document.title,
        "language": document.written_in(),
        "scope": document.scope,
        "class_name": document.class_name,
        "student_ids": list(document.student_ids),
    }
    await session.execute(_PUT_DOCUMENT, key | values)
    await session.execute(_CLEAR_SECTIONS, key)
    if rows:
        await session.execute(_PUT_SECTION, rows)
    return len(rows)


async def remove(session: AsyncSession, tenant_id: str, kind: str, document_id: str) -> bool:
    """Take the document out; False where there is none."""
    key = {"tenant_id": tenant_id, "kind": kind, "document_id": document_id}
    if await session.scalar(_LOCK_DOCUMENT, key) is None:
        return False
    await session.execute(_CLEAR_SECTIONS, key)
    await session.execute(_REMOVE_DOCUMENT, key)
    return True


def _section_rows(document: Document, key: dict[str, Any]) -> list[dict[str, Any]]:
    passages = [(section, passage) for section in document.sections for passage in section.passages()]
    return [
        key | _row(document, section, passage, number) for number, (section, passage) in enumerate(passages, start=1)
    ]


def _row(document: Document, section: Section, passage: str, number: int) -> dict[str, Any]:
    # What a passage is about is often said by its headings alone.
    searched = "\n".join([document.title, section.locator or "", *section.knowledge_points, passage])
    spaced, paired = words_of(searched)
    return {
        "number": number,
        "locator": section.locator,
        "text": passage,
        "knowledge_points": list(section.knowledge_points),
        "spaced": " ".join(spaced),
        "pairs": paired,
        "letters": vector_of(searched),
    }


def words_of(searched: str) -> tuple[list[str], list[str]]:
    """The words that Postgres will stem, and the pairs of scripts without spaces."""
    spaced, paired = [], []
    for kind, token in tokens(searched):
        if kind == "word":
            spaced.append(token)
        else:
            paired += pairs(token)
    return spaced, paired
