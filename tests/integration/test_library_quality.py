"""How well passages are found: a small set of questions with the passage that answers each, over the demonstration.

The set is our own, in English, in Chinese and with typing mistakes. It measures this search on material of this size,
and nothing beyond that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from app.kit.db import Database
from app.library.demo import seed_demo
from app.library.documents import Viewer
from app.library.search import Search

QUESTIONS = Path(__file__).parents[1] / "corpus" / "library_questions.tsv"
TENANT = "demo"
FLOOR = 0.9  # of the questions find their passage among the first three


def cases(group: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        of, question, document_id, locator = line.split("\t")
        if of == group:
            yield question, (document_id, locator)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def seeded(database: Database) -> None:
    async with database.session(TENANT) as session:
        assert await seed_demo(session, TENANT)


async def found(database: Database, question: str) -> list[tuple[str, str | None]]:
    async with database.tenant(TENANT) as connection:
        hits = await Search().find(connection, TENANT, question, Viewer("student"), limit=3)
    return [(hit.document_id, hit.locator) for hit in hits]


@pytest.mark.parametrize("group", ["en", "zh", "typo"])
async def test_the_passage_is_among_the_first_three(database: Database, group: str) -> None:
    asked = list(cases(group))
    assert len(asked) >= 13
    missed = [question for question, passage in asked if passage not in await found(database, question)]
    assert 1 - len(missed) / len(asked) >= FLOOR, missed


async def test_nothing_is_found_about_what_is_not_there(database: Database) -> None:
    for question in ("Who won the football match?", "recipe for pancakes", "恐龙是怎样灭绝的？", "qwertz"):  # noqa: RUF001
        async with database.tenant(TENANT) as connection:
            hits = await Search().find(connection, TENANT, question, Viewer("student"))
        assert [hit for hit in hits if hit.score > 0.3] == [], question


async def test_without_the_extension_the_same_passages_are_found(database: Database, database_url: str) -> None:
    """Last in this file: it takes pgvector away from this module's own database."""
    asked = [question for group in ("en", "zh", "typo") for question, _ in cases(group)]
    with_extension = [await found(database, question) for question in asked]
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("select true from pg_extension where extname = 'vector'")
        await connection.execute("drop extension vector")
    finally:
        await connection.close()
    without = [await found(database, question) for question in asked]
    # Real arithmetic in another order: a tie may fall the other way, no more.
    assert sum(one == other for one, other in zip(with_extension, without, strict=True)) >= len(asked) - 2
    assert all(set(one) == set(other) for one, other in zip(with_extension, without, strict=True) if len(one) < 3)
