"""A scan is recognised once, however often its upload is read: by the next delivery, and by a reparse."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn

import asyncpg
import httpx
import pytest

from app.documents.failures import DocumentFailure
from app.documents.ocr.service import OcrService
from app.documents.sandbox.run import Bitmap, Cells
from app.kit.ids import uuid7
from app.storage.port import NotStored, StorageFull
from app.workloads.uploads.files import Place
from app.workloads.uploads.recognised import LARGEST, Recognised
from tests.corpus.documents.pdf import Page, picture_of
from tests.support.chat import ended
from tests.support.deployment import Deployment, serve_worker
from tests.support.exams import draft_of, marks, upload
from tests.support.files import everything_in, local_storage
from tests.support.fleet import KILLED, Fleet

QUESTIONS = ("1. What is the boiling point of water? (2 points)", "2. Name two metals. (3 points)")
MARKS = "Student ID,Name,Q1,Q2,Total\ns1,Ada,2,3,5\ns2,Ben,1,0,1\n"
PATIENCE = 120.0


def scanned() -> bytes:
    page, stream = Page(420.0, 140.0), io.BytesIO()
    for at, line in enumerate(QUESTIONS):
        page.write(30.0, 50.0 + 26 * at, line, 11.0)
    picture_of(page).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The width of each picture that a worker of this process has for its recogniser, which is out of order."""
    widths: list[int] = []

    async def fail(_service: OcrService, bitmap: Bitmap, _cells: Cells = None) -> NoReturn:
        widths.append(bitmap.width)
        raise DocumentFailure("ocr_failed", "out of order")

    monkeypatch.setattr(OcrService, "recognise", fail)
    return widths


async def test_neither_a_second_delivery_nor_a_reparse_recognises_a_page_again(
    api: httpx.AsyncClient, deployment: Deployment, ledger: asyncpg.Connection, tmp_path: Path, asked: list[int]
) -> None:
    paper = ("paper_files", ("paper.png", scanned()))
    job = await upload(api, paper, marks(MARKS), exam_id="scanned")
    folder = deployment.files / "demo" / "exams" / job["job_id"]
    async with Fleet(deployment, ledger, tmp_path).worker("exam", wait=False, FAILPOINTS="parse.read=kill") as doomed:
        assert await asyncio.wait_for(doomed.wait(), PATIENCE) == KILLED
    recognised = [name for name in everything_in(folder) if name.startswith("recognised/")]
    assert len(recognised) == 1
    async with serve_worker(deployment, "exam"):
        job = await ended(api, job, within=PATIENCE)
        assert (job["status"], job["attempt"]) == ("done", 2)
        first = await draft_of(api, job)
        assert [question["stem"] for question in first["questions"]] == [line[3:-11] for line in QUESTIONS]
        selected = first["score_schema"]["selected"]
        answer = await api.post(f"/v1/exams/uploads/{job['job_id']}/reparse", json={"selected": selected})
        again = await ended(api, answer.json(), within=PATIENCE)
        assert again["status"] == "done"
        second = await draft_of(api, job)
        assert asked == []
        other = await ended(api, await upload(api, paper, exam_id="another"), within=PATIENCE)
        assert (other["error"], len(asked)) == ("ocr_failed", 1), "what was recognised is the upload's own"
    assert second["questions"] == first["questions"]
    assert second["draft_version"] == first["draft_version"] + 1
    assert [name for name in everything_in(folder) if name.startswith("recognised/")] == recognised


class Broken:
    """A storage that is out of order."""

    async def put(self, *_: Any) -> NoReturn:
        raise StorageFull("No room.")

    async def read(self, *_: Any) -> AsyncIterator[bytes]:
        raise OSError("away")
        yield b""


async def test_what_cannot_be_kept_or_read_is_nobody_s_failure(tmp_path: Path) -> None:
    broken: Any = Broken()
    place = Place("exams", uuid7())
    pages = Recognised(broken, "demo", place)
    await pages.keep("page", b"[]")
    assert await pages.recall("page") is None
    storage = local_storage(tmp_path)
    pages = Recognised(storage, "demo", place)
    assert await pages.recall("page") is None
    await pages.keep("page", b"[]")
    await pages.keep("huge", b" " * (LARGEST + 1))
    assert (await pages.recall("page"), await pages.recall("huge")) == (b"[]", None)
    await storage.remove("demo", place.folder)
    with pytest.raises(NotStored):
        await anext(storage.read("demo", place.recognised("page")))
