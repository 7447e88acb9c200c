"""Lessons and exams of our own writing, so that the first question on a fresh start gets an answer.

Each is a Markdown file: a title, `kind: ...`, and a section per heading with the knowledge points in its first line.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.library.documents import Document, Section
from app.library.shelf import put

_FOLDER = Path(__file__).parent
_IS_EMPTY = text("select not exists (select from library_documents where tenant_id = :tenant_id)")


async def seed_demo(session: AsyncSession, tenant_id: str) -> int:
    """Fill an empty library; returns the number of documents. What somebody changed or removed stays so."""
    # Two that start at once would put the same documents one after the other, which does no harm.
    if not await session.scalar(_IS_EMPTY, {"tenant_id": tenant_id}):
        return 0
    documents = list(demo_documents())
    for document in documents:
        await put(session, tenant_id, document)
    return len(documents)


def demo_documents() -> Iterator[Document]:
    for file in sorted(_FOLDER.glob("*.md")):
        yield _read(file)


def _read(file: Path) -> Document:
    head, *parts = file.read_text(encoding="utf-8").split("\n## ")
    title, kind = (line.strip() for line in head.strip().splitlines() if line.strip())
    return Document(
        kind=kind.removeprefix("kind:").strip(),
        id=f"demo-{file.stem}",
        title=title.removeprefix("#").strip(),
        sections=tuple(map(_read_section, parts)),
    )


def _read_section(part: str) -> Section:
    locator, points, body = (piece.strip() for piece in part.split("\n\n", 2))
    return Section(
        text=_unwrapped(body),
        locator=locator,
        knowledge_points=tuple(point.strip() for point in points.removeprefix("points:").split(",")),
    )


def _unwrapped(body: str) -> str:
    """Prose without the line ends of the file; verse keeps its own, which are short and many."""
    lines = body.splitlines()
    return body if max(map(len, lines)) < 60 else " ".join(lines)  # noqa: PLR2004 - no prose line is that short
