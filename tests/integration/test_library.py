"""The library: what is put in is found, by those who may see it and by nobody else."""
# ruff: noqa: RUF001 - Chinese is written with its own punctuation

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.bootstrap import seed_library
from app.kit.db import Connection, Database
from app.library.demo import demo_documents, seed_demo
from app.library.documents import LONGEST_PASSAGE, Document, Hit, Section, Viewer
from app.library.search import Search
from app.library.shelf import put, remove
from app.tenancy.tenants import create_tenant
from tests.support.deployment import Deployment

TEACHER = Viewer("teacher")
ANN = Viewer("student", student_id="ann", class_name="7b")
BEN = Viewer("student", student_id="ben", class_name="8a")
STRANGER = Viewer("student")


def document(ident: str = "volcanoes", body: str = "A volcano throws out lava and ash.", **more: Any) -> Document:
    given = {"kind": "lesson", "title": "Volcanoes", "sections": (Section(body, "page 1", ("volcano",)),)}
    return Document(id=ident, **given | more)


RIVERS = Document(kind="lesson", id="rivers", title="Rivers", sections=(Section("A river carries sand."),))


async def find(database: Database, tenant: str, query: str, viewer: Viewer = TEACHER, limit: int = 6) -> list[Hit]:
    async with database.tenant(tenant) as connection:
        return await Search().find(connection, tenant, query, viewer, limit=limit)


async def place(database: Database, tenant: str, *documents: Document) -> None:
    async with database.session(tenant) as session:
        for each in documents:
            await put(session, tenant, each)


async def titles(database: Database, tenant: str, query: str, viewer: Viewer) -> set[str]:
    return {hit.document_id for hit in await find(database, tenant, query, viewer)}


async def test_a_passage_is_found_with_its_place(database: Database, tenant: str) -> None:
    await place(database, tenant, document(), RIVERS)
    hit, *others = await find(database, tenant, "What does a volcano throw out?")
    assert (hit.id, hit.title, hit.locator) == ("lesson:volcanoes#1", "Volcanoes", "page 1")
    assert hit.text == "A volcano throws out lava and ash."
    assert hit.knowledge_points == ("volcano",)
    assert hit.language == "en"
    assert others == []


@pytest.mark.parametrize("query", ["volcanos", "vulcano erupt", "VOLCANO!", "lavas", "volcanic"])
async def test_endings_case_and_typing_mistakes_are_forgiven(database: Database, tenant: str, query: str) -> None:
    await place(database, tenant, document(), RIVERS)
    assert [hit.document_id for hit in await find(database, tenant, query)] == ["volcanoes"]


async def test_chinese_is_found_without_spaces(database: Database, tenant: str) -> None:
    await place(
        database,
        tenant,
        document(
            "火山",
            "火山喷发时会喷出岩浆和火山灰。",
            title="火山",
            sections=(Section("火山喷发时会喷出岩浆和火山灰。"),),
        ),
        document("河流", title="河流", sections=(Section("河流把泥沙带到下游。"),)),
    )
    hit, *others = await find(database, tenant, "请问岩浆是从哪里喷出来的？")
    assert (hit.document_id, hit.language, others) == ("火山", "zh", [])


@pytest.mark.parametrize("query", ["", "???", "what is it", "是什么", "xylophone", "' | & ! <-> :* \\", "\x00volcano"])
async def test_a_query_about_nothing_finds_nothing_or_what_it_names(
    database: Database, tenant: str, query: str
) -> None:
    await place(database, tenant, document())
    assert len(await find(database, tenant, query)) == ("volcano" in query)


async def test_what_postgres_cannot_store_is_left_out(database: Database, tenant: str) -> None:
    await place(database, tenant, document(body="La\x00va flows."))
    assert [hit.text for hit in await find(database, tenant, "lava")] == ["Lava flows."]


async def test_put_replaces_and_remove_takes_out(database: Database, tenant: str) -> None:
    await place(database, tenant, document(sections=tuple(Section(f"Lava number {n}.") for n in range(5))))
    assert len(await find(database, tenant, "lava")) == 5
    await place(database, tenant, document(title="Volcanoes, revised"))
    assert [hit.title for hit in await find(database, tenant, "lava")] == ["Volcanoes, revised"]

    async with database.session(tenant) as session:
        assert await remove(session, tenant, "lesson", "volcanoes")
        assert not await remove(session, tenant, "lesson", "volcanoes")
        assert not await remove(session, tenant, "exam", "volcanoes")
    assert await find(database, tenant, "lava") == []


async def test_what_is_not_committed_is_not_found(database: Database, tenant: str) -> None:
    async with database.session(tenant) as session:
        await put(session, tenant, document())
        await session.rollback()
    assert await find(database, tenant, "volcano") == []


async def test_two_that_put_one_document_at_once_do_not_mix(database: Database, tenant: str) -> None:
    versions = [
        document(title=f"Version {n}", sections=tuple(Section(f"Lava of version {n}.") for _ in range(4)))
        for n in range(6)
    ]
    await asyncio.gather(*(place(database, tenant, each) for each in versions))
    hits = await find(database, tenant, "lava", limit=50)
    assert len(hits) == 4
    assert len({hit.title for hit in hits}) == len({hit.text for hit in hits}) == 1


async def test_a_student_finds_the_public_the_class_s_and_their_own(database: Database, tenant: str) -> None:
    await place(
        database,
        tenant,
        document("for-all"),
        document("for-7b", scope="class", class_name="7b"),
        document("for-8a", scope="class", class_name="8a"),
        document("for-ann", scope="student", student_ids=("ann", "cleo")),
        document("for-ben", scope="student", student_ids=("ben",)),
    )
    assert await titles(database, tenant, "volcano", TEACHER) == {"for-all", "for-7b", "for-8a", "for-ann", "for-ben"}
    assert await titles(database, tenant, "volcano", ANN) == {"for-all", "for-7b", "for-ann"}
    assert await titles(database, tenant, "volcano", BEN) == {"for-all", "for-8a", "for-ben"}
    assert await titles(database, tenant, "volcano", STRANGER) == {"for-all"}
    # The audience changes with the document.
    await place(database, tenant, document("for-ann", scope="student", student_ids=("cleo",)))
    assert await titles(database, tenant, "volcano", ANN) == {"for-all", "for-7b"}


@pytest.mark.parametrize("audience", [{"scope": "class"}, {"scope": "student"}])
async def test_a_document_without_its_audience_is_refused(
    database: Database, tenant: str, audience: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="names none"):
        document(**audience)
    with pytest.raises(DBAPIError, match="library_documents_"):
        async with database.session(tenant) as session:
            await session.execute(
                text(
                    "insert into library_documents (tenant_id, kind, document_id, title, language, scope) "
                    "values (:tenant, 'lesson', 'x', 'x', 'en', :scope)"
                ),
                {"tenant": tenant, "scope": audience["scope"]},
            )


async def test_another_tenant_finds_nothing_even_when_it_asks_for_it(database: Database, tenant: str) -> None:
    await place(database, tenant, document())
    other = f"{tenant}-other"
    assert await find(database, other, "volcano") == []
    async with database.tenant(other) as connection:  # bound to one tenant, asking for another
        assert await Search().find(connection, tenant, "volcano", TEACHER) == []
    async with database.session(other) as session:
        assert not await remove(session, tenant, "lesson", "volcanoes")
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.session(other) as session:
            await put(session, tenant, document())
    assert len(await find(database, tenant, "volcano")) == 1


async def test_the_engine_cannot_read_it(ledger: Connection) -> None:
    for table in ("library_documents", "library_sections"):
        with pytest.raises(Exception, match="permission denied"):
            await ledger.fetch(f"select 1 from {table}")


async def test_a_long_section_is_found_by_its_part(database: Database, tenant: str) -> None:
    paragraphs = [f"Paragraph {n} speaks about theme{n} at some length, " + "and goes on, " * 20 for n in range(12)]
    await place(database, tenant, document(sections=(Section("\n\n".join(paragraphs), "page 1"),)))
    hit, *_ = await find(database, tenant, "theme7")
    assert "theme7" in hit.text
    assert hit.locator == "page 1"
    everything = await find(database, tenant, "paragraph", limit=50)
    assert len(everything) > 3
    assert max(len(each.text) for each in everything) <= LONGEST_PASSAGE


@pytest.mark.parametrize(
    "body", ["x" * 5000, "长" * 5000, "word " * 2000, "一句话。" * 1000, "\n\n".join(["short"] * 900)]
)
def test_passages_hold_all_of_a_text_in_short_parts(body: str) -> None:
    passages = list(Section(body).passages())
    assert max(map(len, passages)) <= LONGEST_PASSAGE + 1
    assert "".join("".join(passages).split()) == "".join(body.split())
    assert list(Section("  ").passages()) == []


async def test_an_erased_tenant_s_library_is_erased_and_counted(database: Database, tenant: str) -> None:
    await create_tenant(database, tenant)
    await place(database, tenant, document(), RIVERS)
    async with database.session(tenant) as session:
        await session.execute(text("update tenants set enabled = false where tenant_id = :tenant"), {"tenant": tenant})
        erased = await session.scalar(text("select erase_tenant(:tenant)"), {"tenant": tenant})
    assert (erased["library_documents"], erased["library_sections"]) == (2, 2)
    assert await find(database, tenant, "volcano river") == []


async def test_the_demonstration_is_put_into_an_empty_library_once(
    database: Database, deployment: Deployment, tenant: str
) -> None:
    seeded = await asyncio.to_thread(seed_library, deployment.database_url, tenant)
    assert seeded == len(list(demo_documents())) >= 8
    async with database.session(tenant) as session:
        assert await remove(session, tenant, "lesson", "demo-fractions")
        assert await seed_demo(session, tenant) == 0  # what somebody took out stays out
    hits = await find(database, tenant, "photosynthesis", STRANGER)
    assert hits[0].document_id == "demo-photosynthesis"
