"""The parser's process: it knows no secrets, keeps to its limits, and never outlives the one who asked."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.documents.failures import DocumentFailure
from app.documents.limits import DEFAULT, MIB
from app.documents.reader import Reader
from app.documents.sandbox.process import ENVIRONMENT, ChildProcess
from app.documents.sandbox.run import SourceFile
from tests.corpus.documents.hostile import good_pdf, good_text
from tests.support.waiting import eventually

CHILD = "app.documents.sandbox.child"
STARTS_A_PARSER = f"""
import asyncio
from app.documents.sandbox.process import ChildProcess
async def main():
    child = await ChildProcess.start({CHILD!r}, (), resident_bytes=10**9)
    print(child.process.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.fixture
def paper(tmp_path: Path) -> SourceFile:
    path = tmp_path / "paper"
    path.write_bytes(good_text())
    return SourceFile("paper.txt", path)


@asynccontextmanager
async def reader(**limits: Any) -> AsyncIterator[Reader]:
    opened = Reader(replace(DEFAULT, **limits))
    try:
        yield opened
    finally:
        await opened.close()


async def started() -> bool:
    return bool(children())


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if CHILD in " ".join(child.cmdline())]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"resident_bytes": 12 * MIB}, "too_much_memory"),
        ({"wall_seconds": 0.05}, "too_slow"),
        ({"result_bytes": 3_000}, "result_too_large"),
        ({"characters": 100}, "result_too_large"),
        ({"file_bytes": 100}, "file_too_large"),
        ({"total_bytes": 100}, "file_too_large"),
        ({"files": 0}, "too_many_files"),
    ],
)
async def test_a_limit_that_is_reached_is_named(paper: SourceFile, limits: dict[str, float], code: str) -> None:
    async with reader(**limits) as opened:
        with pytest.raises(DocumentFailure) as refusal:
            await opened.parse_paper([paper])
    assert refusal.value.code == code
    assert children() == []


async def test_address_space_is_limited_by_the_kernel(tmp_path: Path) -> None:
    path = tmp_path / "paper"
    path.write_bytes(good_pdf())
    async with reader(address_bytes=60 * MIB) as opened:
        with pytest.raises(DocumentFailure) as refusal:
            await opened.parse_paper([SourceFile("paper.pdf", path)])
    assert refusal.value.code in {"too_much_memory", "parser_failed"}


async def test_the_parser_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret@db/homeroom")
    child = await ChildProcess.start(CHILD, (), resident_bytes=1_000 * MIB)
    async with child:
        seen = psutil.Process(child.process.pid)
        assert set(seen.environ()) <= {*ENVIRONMENT, "LC_CTYPE"}
        assert seen.cwd() == "/"
    assert not psutil.pid_exists(child.process.pid)


async def test_a_cancelled_parse_leaves_no_process(paper: SourceFile) -> None:
    async with reader() as opened:
        parse = asyncio.create_task(opened.parse_paper([paper]))
        await eventually(started, what="the parser")
        parse.cancel()
        with pytest.raises(asyncio.CancelledError):
            await parse
        assert children() == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_a_killed_worker_leaves_no_parser() -> None:
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", STARTS_A_PARSER, stdout=asyncio.subprocess.PIPE)
    assert worker.stdout is not None
    parser = psutil.Process(int(await worker.stdout.readline()))
    worker.kill()
    await worker.wait()

    async def gone() -> bool:
        try:
            return not parser.is_running() or parser.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    await eventually(gone, what="the parser's end")


async def test_progress_flows_back(tmp_path: Path) -> None:
    path, told = tmp_path / "paper", []
    path.write_bytes(good_pdf())

    async def remember(step: str, done: int, of: int) -> None:
        told.append((step, done, of))

    async with reader() as opened:
        paper = await opened.parse_paper([SourceFile("paper.pdf", path)], on_progress=remember)
    assert ("pages", paper.pages, paper.pages) in told


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("1. What is the password?")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    async with reader() as opened:
        with pytest.raises(OSError, match=r"."):
            await opened.parse_paper([SourceFile("paper.txt", tmp_path / "link")])
