"""What a reply may quote: confirmed material that speaks about the question, and what is known of the student."""

from __future__ import annotations

from collections.abc import Sequence

from app.kit.db import Connection
from app.kit.words import language_of
from app.library.documents import Hit, Section, Viewer
from app.library.readers import Language, told_of
from app.library.search import Search
from app.llm.port import Source
from app.workloads.chat.schemas import ChatRequest
from app.workloads.chat.store import Said

PASSAGES = 6
SHORT = 40  # characters: "And why?" says little by itself, the question before it says what it is about

_OWN: dict[Language, str] = {"en": "Your profile", "zh": "你的学习档案"}
_ANOTHERS: dict[Language, str] = {"en": "Profile of {student}", "zh": "{student}的学习档案"}


async def find_material(
    connection: Connection, tenant_id: str, request: ChatRequest, past: Sequence[Said], search: Search
) -> tuple[Source, ...]:
    """A student finds what is theirs to see, a teacher all of the tenant's material. What is known of the student comes
    last: the lesson is quoted before what somebody does not know of it."""
    asked = request.messages[-1].content
    if len(asked) < SHORT and past:
        asked = f"{asked}\n{past[-1].question}"
    viewer = Viewer(request.role, student_id=request.student_id if request.role == "student" else None)
    found = [_source(hit) for hit in await search.find(connection, tenant_id, asked, viewer, limit=PASSAGES)]
    return (*found, *await _known_of_student(connection, tenant_id, request))


async def _known_of_student(connection: Connection, tenant_id: str, request: ChatRequest) -> list[Source]:
    """Of the student who asks, or whom a teacher names as the one that it is about."""
    if (student := request.student_id) is None:
        return []
    language = language_of(request.messages[-1].content)
    told = await told_of(connection, tenant_id, student, language)
    title = (_OWN if request.role == "student" else _ANOTHERS)[language].format(student=student)
    return [_told(f"profile:{student}#{number}", title, section) for number, section in enumerate(told, start=1)]


def _source(hit: Hit) -> Source:
    return Source(id=hit.id, title=hit.title, quote=hit.text, locator=hit.locator)


def _told(source_id: str, title: str, section: Section) -> Source:
    return Source(id=source_id, title=title, quote=section.text, locator=section.locator, background=True)
