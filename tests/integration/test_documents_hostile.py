"""Bombs and lies: each ends in a clear failure, within its limits, and the next document is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from app.documents.failures import CURES, DocumentFailure
from app.documents.limits import DEFAULT
from app.documents.reader import Reader
from app.documents.sandbox.run import SourceFile
from tests.corpus.documents import hostile
from tests.corpus.documents.hostile import MIB

PAPERS: tuple[tuple[str, Callable[[], bytes], set[str]], ...] = (
    ("bomb.docx", hostile.zip_bomb, {"unsafe_archive"}),
    ("members.docx", hostile.many_members, {"unsafe_archive"}),
    ("entities.docx", lambda: hostile.entities_in(hostile.good_docx(), "word/document.xml", "w"), {"damaged"}),
    ("up.docx", lambda: hostile.bad_member_name("word/../../etc/x"), {"unsafe_archive"}),
    ("nul.docx", lambda: hostile.bad_member_name("word/a\x00b.xml"), {"unsafe_archive"}),
    ("deep.docx", hostile.deep_docx, {"damaged", "parser_failed", "too_much_memory", "no_questions"}),
    ("huge.png", hostile.huge_png, {"image_too_large"}),
    ("stream.pdf", hostile.stream_bomb, {"no_text", "too_much_memory", "damaged"}),
    ("pages.pdf", hostile.many_pages, {"too_many_pages"}),
    ("locked.pdf", hostile.encrypted_pdf, {"encrypted"}),
    ("locked.docx", hostile.encrypted_office, {"encrypted"}),
    ("both.pdf", lambda: hostile.good_pdf() + hostile.good_docx(), {"polyglot"}),
    ("both.docx", lambda: hostile.good_docx() + b"%PDF-1.7", {"polyglot"}),
    ("script.png", lambda: hostile.huge_png(10) + b"<script>", {"polyglot"}),
    ("cut.pdf", lambda: hostile.good_pdf()[:700], {"damaged"}),
    ("cut.docx", lambda: hostile.good_docx()[:9_000], {"damaged"}),
    ("empty.pdf", lambda: b"", {"empty_file"}),
    ("blank.txt", lambda: b" \n\t\n", {"empty_file"}),
    ("really-a-pdf.docx", hostile.good_pdf, {"type_mismatch"}),
    ("really-a-docx.txt", hostile.good_docx, {"type_mismatch"}),
    ("really-a-sheet.docx", hostile.good_xlsx, {"type_mismatch"}),
    ("program.exe", lambda: b"MZ", {"unsupported_type"}),
)
SHEETS: tuple[tuple[str, Callable[[], bytes], set[str]], ...] = (
    ("declared.xlsx", hostile.four_gigabytes_declared, {"unsafe_archive"}),
    ("lying.xlsx", hostile.less_declared_than_held, {"damaged", "unsafe_archive"}),
    ("rows.xlsx", hostile.million_rows, {"too_many_rows"}),
    ("entities.xlsx", lambda: hostile.entities_in(hostile.good_xlsx(), hostile.SHEET, "w"), {"damaged", "no_scores"}),
    ("cut.xlsx", lambda: hostile.good_xlsx()[:900], {"damaged"}),
    ("old.xls", lambda: hostile.encrypted_office()[:512] + bytes(2048), {"damaged"}),
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reader() -> AsyncIterator[Reader]:
    opened = Reader(replace(DEFAULT, resident_bytes=300 * MIB, cpu_seconds=30, wall_seconds=60))
    yield opened
    await opened.close()


def stored(folder: Path, name: str, content: bytes) -> SourceFile:
    path = folder / "upload"
    path.write_bytes(content)
    return SourceFile(name, path)


@pytest.mark.parametrize(("name", "make", "codes"), PAPERS, ids=[name for name, _, _ in PAPERS])
async def test_a_hostile_paper_ends_in_a_clear_failure(
    reader: Reader, tmp_path: Path, name: str, make: Callable[[], bytes], codes: set[str]
) -> None:
    file = stored(tmp_path, name, make())
    with pytest.raises(DocumentFailure) as refusal:
        await reader.parse_paper([file], ocr_mode="never" if name.endswith(".pdf") else "auto")
    assert refusal.value.code in codes, refusal.value
    assert refusal.value.cure == CURES[refusal.value.code]


@pytest.mark.parametrize(("name", "make", "codes"), SHEETS, ids=[name for name, _, _ in SHEETS])
async def test_a_hostile_sheet_ends_in_a_clear_failure(
    reader: Reader, tmp_path: Path, name: str, make: Callable[[], bytes], codes: set[str]
) -> None:
    with pytest.raises(DocumentFailure) as refusal:
        await reader.parse_scores([stored(tmp_path, name, make())])
    assert refusal.value.code in codes, refusal.value


async def test_the_worker_itself_holds_nothing_of_a_bomb_and_serves_the_next(reader: Reader, tmp_path: Path) -> None:
    bomb = stored(tmp_path, "stream.pdf", hostile.stream_bomb())
    before = psutil.Process().memory_info().rss
    with pytest.raises(DocumentFailure):
        await reader.parse_paper([bomb], ocr_mode="never")
    assert psutil.Process().memory_info().rss - before < 30 * MIB
    paper = await reader.parse_paper([stored(tmp_path, "good.txt", hostile.good_text())])
    assert len(paper.questions) == 18


async def test_one_bad_sheet_is_a_warning_beside_a_good_one(reader: Reader, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad", tmp_path / "good"
    bad.write_bytes(hostile.four_gigabytes_declared())
    good.write_bytes(hostile.good_xlsx())
    sheets = await reader.parse_scores([SourceFile("bad.xlsx", bad), SourceFile("good.xlsx", good)])
    assert len(sheets.students) == 12
    assert [(warning.code, warning.file) for warning in sheets.warnings] == [("unsafe_archive", "bad.xlsx")]
