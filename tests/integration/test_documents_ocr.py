"""A scan from the file to its questions and marks, by the real recogniser; and a recogniser that dies on the way."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import pytest_asyncio
from PIL import Image

from app.documents.limits import DEFAULT
from app.documents.ocr.memory import name_of
from app.documents.reader import Reader
from app.documents.sandbox.process import ENVIRONMENT
from app.documents.sandbox.run import Bitmap, SourceFile
from app.documents.values import Paper
from tests.corpus.documents.pdf import Page, picture_of
from tests.corpus.documents.writers import jpeg_of, worn

QUESTIONS = (
    "1. What is the boiling point of water? (2 points)",
    "A. 90 C      B. 100 C      C. 110 C      D. 120 C",
    "2. 下列各数中，是质数的有（  ）（4分）",
    "A. 2      B. 9      C. 11      D. 15",
    "3. Name two metals. (3 points)",
)
TABLE = (("ID", "Name", "Q1", "Q2", "Total"), ("1001", "Alice", "3", "4", "7"), ("1002", "Bob", "0", "5", "5"))


class Pages:
    """A memory as simple as can be."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def recall(self, name: str) -> bytes | None:
        return self.kept.get(name)

    async def keep(self, name: str, content: bytes) -> None:
        self.kept[name] = content


def drawn(rows: tuple[tuple[str, ...], ...], step: float) -> Image.Image:
    page = Page(420.0, 60.0 + 30 * len(rows))
    for at, row in enumerate(rows):
        for column, text in enumerate(row):
            page.write(30 + step * column, 50.0 + 26 * at, text, 11.0)
    return picture_of(page)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reader() -> AsyncIterator[Reader]:
    opened = Reader(replace(DEFAULT, ocr_page_seconds=300))
    yield opened
    await opened.close()


class Scan(NamedTuple):
    """A scan that was read, and what was recognised of it."""

    file: SourceFile
    paper: Paper
    pages: Pages


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scan(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    path, pages = tmp_path_factory.mktemp("scans") / "scan", Pages()
    path.write_bytes(jpeg_of(worn(drawn(tuple((line,) for line in QUESTIONS), 0), seed=3)))
    file = SourceFile("scan.jpg", path)
    return Scan(file, await reader.parse_paper([file], pages=pages), pages)


async def test_a_scan_becomes_questions_with_their_source(scan: Scan) -> None:
    paper = scan.paper
    assert [(question.question_id, question.max_score) for question in paper.questions] == [
        ("Q1", 2),
        ("Q2", 4),
        ("Q3", 3),
    ]
    assert [[option.text for option in question.options] for question in paper.questions[:2]] == [
        ["90 C", "100 C", "110 C", "120 C"],
        ["2", "9", "11", "15"],
    ]
    assert paper.questions[2].source.file == "scan.jpg"
    assert (paper.ocr_pages, len(scan.pages.kept)) == (1, 1)


async def test_what_was_recognised_before_needs_no_recogniser(scan: Scan) -> None:
    another = Reader()
    assert await another.parse_paper([scan.file], pages=scan.pages) == scan.paper
    assert another.ocr.pid is None  # it was never started


async def test_what_was_kept_and_is_damaged_is_recognised_again(reader: Reader, scan: Scan) -> None:
    [(name, whole)] = scan.pages.kept.items()
    scan.pages.kept[name] = whole[:-5]
    assert await reader.parse_paper([scan.file], pages=scan.pages) == scan.paper
    assert scan.pages.kept == {name: whole}


async def test_another_picture_or_other_cells_have_another_name() -> None:
    """Of what was kept of one page nothing is taken for another's."""
    white, grey = b"\xff" * 64, b"\x7f" * 64
    asked = [
        (Bitmap(8, 8, white), None),
        (Bitmap(8, 8, grey), None),
        (Bitmap(16, 4, white), None),
        (Bitmap(8, 8, white), [(0, 0, 4, 4)]),
        (Bitmap(8, 8, white), []),
    ]
    assert len({name_of(*each) for each in asked}) == len(asked)
    assert name_of(*asked[0]) == name_of(Bitmap(8, 8, bytes(white)), None)


async def test_a_recogniser_that_is_killed_is_started_again_and_knows_no_secrets(
    reader: Reader, tmp_path: Path
) -> None:
    path = tmp_path / "table"
    stream = io.BytesIO()
    drawn(TABLE, 75).save(stream, "PNG")
    path.write_bytes(stream.getvalue())
    before = reader.ocr.pid
    assert before is not None
    assert set(psutil.Process(before).environ()) <= {*ENVIRONMENT, "LC_CTYPE"}
    parse = asyncio.create_task(reader.parse_scores([SourceFile("table.png", path)]))
    psutil.Process(before).kill()
    sheets = await parse
    assert reader.ocr.pid != before
    assert [(student.student_id, student.scores, student.total) for student in sheets.students] == [
        ("1001", {"Q1": 3, "Q2": 4}, 7),
        ("1002", {"Q1": 0, "Q2": 5}, 5),
    ]
    assert not sheets.score_schema.needs_confirm
