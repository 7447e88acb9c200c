"""Exams from files to drafts: over the API, a real worker, real parsers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.documents.sandbox.run import SourceFile
from app.engine.outcomes import Fail
from app.engine.runtime import Runtime
from app.kit import json
from app.kit.db import Connection
from app.workloads.exam.reading import read_exam
from app.workloads.uploads.models import Upload
from app.workloads.uploads.parsing import Work
from tests.corpus.documents import hostile
from tests.corpus.documents.papers import ALL, STYLES, make_paper
from tests.corpus.documents.sheets import Book, absent_and_exempt, out_of_in_header, total_only, unlabelled
from tests.corpus.documents.writers import pdf, word, workbook
from tests.support.chat import ended, listen
from tests.support.deployment import Deployment, serve_worker
from tests.support.exams import FORM, LETTERS, codes, confirm, draft_of, edit, key, marks, paper, parsed, upload
from tests.support.files import everything_in


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def worker(deployment: Deployment) -> AsyncIterator[Runtime]:
    async with serve_worker(deployment, "exam") as runtime:
        yield runtime


def marks_of(draft: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    return {student["student_id"] or student["name"]: student["scores"] for student in draft["students"]}


def answers_of(draft: dict[str, Any]) -> dict[str, str | None]:
    return {question["question_id"]: question["answer"] for question in draft["questions"]}


def sheet_of(book: Book) -> tuple[str, tuple[str, bytes]]:
    return "score_files", (f"{book.name}.xlsx", workbook(book))


async def test_an_exam_on_its_way_from_files_to_a_confirmed_record(
    api: httpx.AsyncClient, deployment: Deployment
) -> None:
    job = await upload(api, exam_id="way")
    told = [event.data for event in [each async for each in listen(api, job)] if event.event == "progress"]
    assert list(dict.fromkeys(each["step"] for each in told)) == [
        "extract_paper",
        "parse_scores",
        "extract_answers",
        "done",
    ]
    percents = [each["progress"] for each in told]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (10, 100)
    draft = await draft_of(api, job)
    assert (draft["draft_version"], draft["draft_status"], draft["score_mode"]) == (1, "draft", "question")
    assert draft["exam"]["title"] == "Physics Midterm"
    assert answers_of(draft)["Q1"] == "B"
    assert [each["knowledge_points"] for each in draft["questions"]][2] == ["Ohm's law", "resistance"]
    assert {each["name"]: each["total"] for each in draft["students"]}["Ben"] == 13
    assert draft["summary"] | {"median": 0} == {
        "students": 5,
        "absent": 1,
        "marked": 4,
        "max_total": 20,
        "mean": 11.75,
        "median": 0,
        "highest": 20,
        "lowest": 5,
    }
    students = [each | {"name": "Benjamin"} if each["name"] == "Ben" else each for each in draft["students"]]
    assert (await edit(api, job, students=students))["draft_version"] == 2
    assert (await confirm(api, job)).json()["draft_status"] == "confirmed"
    report = (await api.get("/v1/exams/way/report")).json()
    assert [each["name"] for each in report["results"]["data"]] == ["Ada", "Benjamin", "Carl", "Dora", "Emil"]
    place = deployment.files / "demo" / "exams" / job["job_id"]
    assert {each.name for each in (place / "attempts" / "1").iterdir()} == {"parsed.json", "warnings.json", "paper.txt"}
    copy = json.loads((place / "job.json").read_bytes())
    assert (copy["status"], copy["form"]["exam_id"], len(copy["files"])) == ("done", "way", 3)


async def test_letters_are_marked_by_the_key_that_came_with_them(api: httpx.AsyncClient) -> None:
    job, draft = await parsed(api, paper(), marks(LETTERS), key(), exam_id="letters")
    assert marks_of(draft) == {
        "s1": {"Q1": 2, "Q2": 4, "Q3": 4, "Q4": 10},
        "s2": {"Q1": 2, "Q2": 2, "Q3": 3, "Q4": 6},
        "s3": {"Q1": 0, "Q2": 4, "Q3": 1, "Q4": 4},
        "s4": {"Q1": 2, "Q2": 0, "Q3": 1, "Q4": 2},
    }
    corrected = [*draft["answer_key"][1:], {"question_id": "Q1", "answer": "A"}]
    draft = await edit(api, job, answer_key=corrected)
    assert [scores["Q1"] for scores in marks_of(draft).values()] == [0, 0, 2, 0]
    assert draft["students"][2]["total"] == 11
    whole = await edit(api, job, **{name: draft[name] for name in ("questions", "students", "answer_key")})
    assert whole["draft_version"] == draft["draft_version"]  # a draft that is sent back as it was changes nothing


async def test_documents_of_other_formats_meet_in_one_draft(api: httpx.AsyncClient) -> None:
    """A Word paper, its marks in Excel, with absent and exempt students; and what does not agree is said."""
    truth = make_paper("plain", STYLES["plain"], 1, ALL)
    book = absent_and_exempt(1)
    _, draft = await parsed(api, ("paper_files", ("paper.docx", word(truth))), sheet_of(book), exam_id="formats")
    assert len(draft["questions"]) == len(truth.truth)
    assert draft["summary"]["absent"] == len(book.absent)
    exempt = [(each["student_id"], name) for each in draft["students"] for name in each["exempt"]]
    assert exempt == [*book.exempt]
    assert "questions_without_marks" in codes(draft)
    assert all(each["source"]["file"] == "paper.docx" for each in draft["questions"])


async def test_a_pdf_alone_and_marks_alone_are_drafts(api: httpx.AsyncClient) -> None:
    truth = make_paper("plain", STYLES["plain"], 1, ALL)
    job, draft = await parsed(api, ("paper_files", ("paper.pdf", pdf(truth))), exam_id="paper")
    assert (draft["students"], draft["score_mode"]) == ([], None)
    assert (await confirm(api, job)).status_code == 200
    report = (await api.get("/v1/exams/paper/report")).json()
    assert (report["totals"]["marked"], report["questions"], report["results"]["data"]) == (0, [], [])

    book = out_of_in_header(1)
    job, draft = await parsed(api, sheet_of(book), exam_id="marks")
    assert marks_of(draft) == book.truth
    assert {each["question_id"]: each["max_score"] for each in draft["questions"]} == book.maxima
    assert (await confirm(api, job)).status_code == 200


async def test_a_sheet_of_totals_waits_for_what_they_are_out_of(api: httpx.AsyncClient) -> None:
    job, draft = await parsed(api, sheet_of(total_only(1)), exam_id="totals")
    assert draft["score_mode"] == "total"
    assert "student_without_id" in codes(draft)
    refused = await confirm(api, job)
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/questions/0/max_score"]
    await edit(api, job, questions=[draft["questions"][0] | {"max_score": 30}])
    assert (await confirm(api, job)).status_code == 200
    listed = (await api.get("/v1/exams/totals/report")).json()["results"]["data"]
    assert {each["student_id"] for each in listed} >= {"8B_Alice-Martin"}


async def test_a_doubtful_sheet_is_read_anew_by_another_candidate(api: httpx.AsyncClient) -> None:
    job, draft = await parsed(api, sheet_of(unlabelled(1)), exam_id="doubtful")
    assert draft["needs_confirm"]
    questions = [each | {"max_score": 100} for each in draft["questions"]]
    await edit(api, job, questions=questions, students=draft["students"][:3])
    assert "/score_schema/needs_confirm" in [each["pointer"] for each in (await confirm(api, job)).json()["errors"]]
    (candidate, *_) = draft["score_schema"]["candidates"]
    body = {"selected": candidate["candidate_id"]}
    again = await api.post(f"/v1/exams/uploads/{job['job_id']}/reparse", json=body)
    assert again.status_code == 202, again.text
    assert (await ended(api, again.json(), within=60.0))["status"] == "done"
    draft = await draft_of(api, job)
    assert (draft["needs_confirm"], len(draft["students"])) == (False, 12)  # the edited rows were read anew
    assert draft["questions"][0]["max_score"] == 100  # what was edited and is not read from the sheet stays
    assert (await confirm(api, job)).status_code == 200


HOSTILE: tuple[tuple[str, str, Callable[[], bytes], str], ...] = (
    ("paper_files", "bomb.docx", hostile.zip_bomb, "unsafe_archive"),
    ("paper_files", "locked.pdf", hostile.encrypted_pdf, "encrypted"),
    ("score_files", "rows.xlsx", hostile.million_rows, "too_many_rows"),
    ("score_files", "declared.xlsx", hostile.four_gigabytes_declared, "unsafe_archive"),
)


async def test_hostile_files_end_in_a_clear_failure_and_the_next_exam_is_served(
    api: httpx.AsyncClient, deployment: Deployment
) -> None:
    for number, (field, name, make, code) in enumerate(HOSTILE):
        job = await ended(api, await upload(api, (field, (name, make())), exam_id=f"hostile-{number}"), within=60.0)
        assert (job["status"], job["error"], job["draft_status"]) == ("failed", code, "failed"), job
        assert name in job["error_detail"]
        assert (await api.get(job["links"]["draft"])).json()["code"] == "parse_failed"
        copy = json.loads((deployment.files / "demo" / "exams" / job["job_id"] / "job.json").read_bytes())
        assert (copy["status"], copy["error"]) == ("failed", code)
    _, draft = await parsed(api, paper(), marks(), ("answer_files", ("key.docx", hostile.zip_bomb())), exam_id="next")
    assert "unsafe_archive" in codes(draft)  # a key that cannot be read can be written into the draft
    assert len(draft["questions"]) == 4


async def test_a_key_alone_is_no_exam(api: httpx.AsyncClient, deployment: Deployment, ledger: Connection) -> None:
    async def kept() -> tuple[list[str], int]:
        jobs = await ledger.fetchval("select count(*) from jobs where kind = 'exam.parse'")
        return everything_in(deployment.files / "demo" / "exams"), jobs

    before = await kept()
    answer = await api.post("/v1/exams/uploads", files=[key()], data=FORM | {"exam_id": "keyless"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_form")
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/body/paper_files"
    assert "paper_files or score_files" in error["detail"]
    assert await kept() == before


async def test_a_key_alone_that_came_in_all_the_same_is_refused_by_the_job() -> None:
    """An earlier release let it in, and its job may still wait."""
    sources = {"answer_files": [SourceFile("key.txt", Path("key.txt"))]}
    nothing: Any = None
    with pytest.raises(Fail) as refused:
        await read_exam(Work(Upload(form={}), None, sources, pages=nothing, ctx=nothing, tools=nothing))
    assert refused.value.code == "no_files"
