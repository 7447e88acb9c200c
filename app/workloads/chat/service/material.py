"""What a reply may quote: passages of the class's confirmed material that speak about the question."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app.library.documents import Hit, Viewer
from app.library.search import search
from app.llm.port import Source
from app.workloads.chat.schemas import ChatRequest
from app.workloads.chat.store import Said

PASSAGES = 6
SHORT = 40  # characters: "And why?" says little by itself, the question before it says what it is about


async def find_material(
    session: AsyncSession, tenant_id: str, request: ChatRequest, past: Sequence[Said]
) -> tuple[Source, ...]:
    """A student finds what is theirs to see; a teacher all of the tenant's material."""
    asked = request.messages[-1].content
    if len(asked) < SHORT and past:
        asked = f"{asked}\n{past[-1].question}"
    viewer = Viewer(request.role, student_id=request.student_id if request.role == "student" else None)
    return tuple(map(_source, await search(session, tenant_id, asked, viewer, limit=PASSAGES)))


def _source(hit: Hit) -> Source:
    return Source(id=hit.id, title=hit.title, quote=hit.text, locator=hit.locator)
