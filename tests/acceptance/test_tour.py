"""A first-time user's way: one command, a scanned exam with its marks, and what comes of them for a student."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from tests.acceptance.test_up import Up
from tests.corpus.documents import writers
from tests.corpus.documents.papers import STYLES, make_paper
from tests.corpus.documents.sheets import Book, Sheet
from tests.support.chat import ask, listen
from tests.support.waiting import eventually

PAPER = make_paper("tour", STYLES["plain"], 11, {"single": 2, "true_false": 1, "short": 2})
WEAK = "Photosynthesis takes place in the mitochondria."
MARKS: dict[str, tuple[int, ...]] = {"s-ada": (2, 2, 0, 4, 3), "s-ben": (2, 0, 1, 2, 1), "s-cem": (0, 2, 0, 3, 2)}
FORM = {"exam_id": "autumn-8c", "date": "2026-10-05", "class_name": "8C", "title": "Autumn test"}


@pytest_asyncio.fixture(loop_scope="session")
async def homeroom(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """What `homeroom up` has started, and a client with the key that it gave out."""
    up = Up(tmp_path)
    try:
        await up.start()
        told = up.document
        headers = {"Authorization": f"Bearer {told['api_key']}"}
        async with httpx.AsyncClient(base_url=told["url"], headers=headers, timeout=60.0) as client:
            yield client
    finally:
        up.clean_up()


def files() -> list[tuple[str, tuple[str, bytes]]]:
    """The paper as a photocopier kept it, and the teacher's sheet of marks."""
    scans = writers.scan(PAPER, 3)
    rows: list[list[Any]] = [["Student ID", "Name", *(truth.question_id for truth in PAPER.truth), "Total"]]
    rows += [[student, student[2:].title(), *marks, sum(marks)] for student, marks in MARKS.items()]
    sheet = Book("tour", "question", [Sheet("8C", rows)], {}, {})
    papers = [("paper_files", (f"scan-{at}.jpg", scan)) for at, scan in enumerate(scans, start=1)]
    return [*papers, ("score_files", ("marks.xlsx", writers.workbook(sheet)))]


async def test_from_a_scanned_exam_to_an_answer_about_it(homeroom: httpx.AsyncClient) -> None:
    # Upload, and watch.
    accepted = await homeroom.post("/v1/exams/uploads", data=FORM, files=files())
    assert accepted.status_code == 202, accepted.text
    job = accepted.json()
    told = [each async for each in listen(homeroom, job)]
    assert told[-1].event == "done", told[-1]
    steps = [each.data["step"] for each in told if each.event == "progress"]
    assert steps[0] == "extract_paper"
    assert "parse_scores" in steps

    # Read the draft, and correct what the recogniser made of a question.
    answer = await homeroom.get(job["links"]["draft"])
    draft = answer.json()
    assert [question["question_id"] for question in draft["questions"]] == [each.question_id for each in PAPER.truth]
    assert [student["student_id"] for student in draft["students"]] == list(MARKS)
    corrected = [
        question | {"stem": truth.stem, "max_score": truth.max_score}
        for question, truth in zip(draft["questions"], PAPER.truth, strict=True)
    ]
    edit = {"questions": corrected, "score_schema": {"needs_confirm": False}}
    saved = await homeroom.put(job["links"]["draft"], json=edit, headers={"If-Match": answer.headers["ETag"]})
    assert saved.status_code == 200, saved.text
    assert saved.json()["draft_version"] == draft["draft_version"] + 1

    # Confirm, and read the report.
    confirmed = await homeroom.post(f"/v1/exams/uploads/{job['job_id']}/confirm")
    assert confirmed.status_code == 200, confirmed.text
    report = await homeroom.get(f"{confirmed.json()['links']['record']}/report")
    assert report.status_code == 200, report.text
    totals = {student["student_id"]: student["total"] for student in report.json()["results"]["data"]}
    assert totals == {student: sum(marks) for student, marks in MARKS.items()}
    assert report.json()["knowledge_points"][0]["knowledge_point"] == "mitochondria"  # the weakest first
    csv = await homeroom.get(f"{confirmed.json()['links']['record']}/report", params={"format": "csv"})
    assert "s-ada" in csv.text

    # The profiles hear of it by themselves.
    async def known() -> list[str]:
        profile = await homeroom.get("/v1/profiles/s-ada")
        return [point["name"] for point in profile.json().get("knowledge_points", ())]

    assert "mitochondria" in await eventually(known, within=60.0, what="Ada's profile")

    # Ask about the weak point; what is quoted says where it stands.
    asked = await ask(homeroom, "Does photosynthesis take place in the mitochondria?", student="s-ada")
    assert asked["status"] == "done", asked
    quoted = {source["id"].partition("#")[0]: source for source in asked["result"]["sources"]}
    assert "exam:autumn-8c" in quoted, asked["result"]
    assert WEAK in quoted["exam:autumn-8c"]["quote"]
    assert WEAK in asked["result"]["reply"]
    # Somebody of another class does not find the exam.
    other = await ask(homeroom, "Does photosynthesis take place in the mitochondria?", student="s-zoe")
    assert not [source for source in other["result"]["sources"] if source["id"].startswith("exam:autumn-8c")]
