"""An assignment's way: files, a draft by rules, corrections, a confirmed record, what chat and profiles get of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from app.engine.runtime import Runtime
from app.kit import json
from app.kit.db import Connection, Database
from app.library.documents import Viewer
from app.library.search import Search
from tests.corpus.documents import writers
from tests.corpus.documents.papers import MIXED, STYLES, make_paper
from tests.support.assignments import REQUIREMENTS, WORKSHEET, confirm, edit, parsed, upload
from tests.support.chat import ended, listen
from tests.support.deployment import Deployment, serve_worker


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def worker(deployment: Deployment) -> AsyncIterator[Runtime]:
    async with serve_worker(deployment, "assignment") as running:
        yield running


async def effects(ledger: Connection, assignment_id: str) -> list[dict[str, Any]]:
    """What profiles were told of an assignment, in the order of the telling."""
    rows = await ledger.fetch("select payload::text from outbox order by effect_id")
    payloads: list[dict[str, Any]] = [json.loads(row["payload"]) for row in rows]
    return [each for each in payloads if each["input"]["source"]["id"] == assignment_id]


async def test_a_worksheet_becomes_a_draft(api: httpx.AsyncClient) -> None:
    job, draft = await parsed(api, WORKSHEET, assignment_id="draft-1", class_name="8B", date="2026-05-04")
    assert job["draft_status"] == "draft"
    assert job["result"] == {
        "question_count": 3,
        "requirements_missing": ["class_level", "misconceptions", "preferences"],
        "warnings": 0,
    }
    assert draft["assignment"] == {
        "assignment_id": "draft-1",
        "title": "Grade 8 Physics Homework",
        "date": "2026-05-04",
        "due_at": None,
        "scope": "class",
        "class_name": "8B",
        "student_ids": [],
    }
    assert draft["requirements"]["subject"] == "Physics"
    assert draft["requirements_missing"] == job["result"]["requirements_missing"]
    assert draft["autofilled"] == [
        *("core_concepts", "duration_minutes", "grade_level", "subject", "topic", "typical_problem"),
    ]
    second = draft["questions"][1]
    assert second["question_id"] == "Q2"
    assert (second["type"], second["answer"], second["score"]) == ("single", "B", 2.0)
    assert [option["text"] for option in second["options"]] == ["current", "resistance", "voltage", "charge"]
    assert second["knowledge_points"] == ["resistance", "units"]
    assert second["autofilled"] == ["difficulty"]
    assert second["source"] == {"file": "sheet.txt", "page": 1}


async def test_every_format_of_a_paper_gives_the_same_draft(api: httpx.AsyncClient) -> None:
    paper = make_paper("zh_inline", STYLES["zh_inline"], 7, MIXED)
    formats = {"txt": writers.text, "docx": writers.word, "pdf": writers.pdf}
    drafts = {}
    for suffix, write in formats.items():
        _, drafts[suffix] = await parsed(api, files=[("files", (f"paper.{suffix}", write(paper)))], language="zh")
    truth = [(each.question_id, each.answer, each.max_score) for each in paper.truth]
    for suffix, draft in drafts.items():
        read = [(each["question_id"], each["answer"], each["score"]) for each in draft["questions"]]
        assert read == truth, suffix
        assert draft["requirements"]["grade_level"] == "八年级", suffix


async def test_progress_is_told_while_files_are_read(api: httpx.AsyncClient) -> None:
    job = await upload(api, WORKSHEET)
    told = [each async for each in listen(api, job)]
    steps = [(each.data["step"], each.data["progress"]) for each in told if each.event == "progress"]
    assert steps[0] == ("extract", 10)
    assert ("parse", 55) in steps
    assert [progress for _, progress in steps] == sorted(progress for _, progress in steps)
    assert told[-1].event == "done"


async def test_a_key_of_its_own_is_applied_and_a_broken_one_only_warned_of(api: httpx.AsyncClient) -> None:
    paper = ("files", ("p.txt", b"1. What is 2 + 2?\n2. What is 3 + 3?\n"))
    _, draft = await parsed(api, files=[paper, ("answer_files", ("key.csv", b"1,4\n2,6\n"))])
    assert [question["answer"] for question in draft["questions"]] == ["4", "6"]
    _, draft = await parsed(api, files=[paper, ("answer_files", ("key.xlsx", b"PK\x03\x04 and then nothing"))])
    assert [question["answer"] for question in draft["questions"]] == [None, None]
    assert "key.xlsx" in [warning["file"] for warning in draft["warnings"]]


async def test_a_document_without_questions_fails_and_says_the_cure(api: httpx.AsyncClient) -> None:
    job = await ended(api, await upload(api, "Dear parents, there is no school on Friday."))
    assert (job["status"], job["error"], job["draft_status"]) == ("failed", "no_questions", "failed")
    assert "Number the questions" in job["error_detail"]
    assert (await ended(api, await upload(api)))["status"] == "done"  # the next one is served


async def test_confirming_is_refused_with_everything_that_is_missing(api: httpx.AsyncClient) -> None:
    job, draft = await parsed(api, assignment_id="holes", date="2026-05-04")
    first, second, _ = draft["questions"]
    broken = [first, first | {"stem": " "}, second | {"answer": "E"}]
    dates = {"due_at": "2026-05-01T08:00:00Z", "scope": "class", "student_ids": ["s1"]}
    await edit(api, job, questions=broken, assignment=dates, requirements={"core_concepts": ["one"]})
    refused = await confirm(api, job)
    assert (refused.status_code, refused.json()["code"]) == (422, "not_confirmable")
    assert [each["pointer"] for each in refused.json()["errors"]] == [
        "/assignment/class_name",
        "/assignment/due_at",
        "/questions/0/question_id",
        "/questions/1/question_id",
        "/questions/1/stem",
        "/questions/2/answer",
        "/requirements/class_level",
        "/requirements/core_concepts",
        "/requirements/misconceptions",
        "/requirements/preferences",
    ]
    assert (await api.get("/v1/assignments/holes")).status_code == 404
    await edit(api, job, questions=[], assignment=None, requirements=REQUIREMENTS)
    assert [each["pointer"] for each in (await confirm(api, job)).json()["errors"]] == ["/questions"]


async def test_edits_stand_apart_from_what_was_read(api: httpx.AsyncClient) -> None:
    job, read = await parsed(api, assignment_id="edits")
    changed = [question | {"score": 1, "knowledge_points": ["mine"]} for question in read["questions"]]
    draft = await edit(api, job, questions=changed, requirements={"topic": "Ohm", "class_level": "偏弱"})
    assert {question["score"] for question in draft["questions"]} == {1.0}
    assert (draft["requirements"]["topic"], draft["requirements"]["class_level"]) == ("Ohm", "weak")
    assert draft["requirements"]["subject"] == "Physics"  # what is not sent stays
    assert "topic" not in draft["autofilled"]
    assert "subject" in draft["autofilled"]
    back = await edit(api, job, questions=None, requirements=None)
    assert back["questions"] == read["questions"]
    assert back["requirements"] == read["requirements"]


async def test_confirming_writes_the_record_once(api: httpx.AsyncClient, ledger: Connection) -> None:
    job, _ = await parsed(api, assignment_id="once", student_ids=["s1, s2", "s1"], date="2026-05-04")
    await edit(api, job, requirements=REQUIREMENTS)
    first, second = await confirm(api, job), await confirm(api, job)
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    record = (await api.get(first.json()["links"]["record"])).json()
    assert (record["question_count"], record["total_score"], record["scope"]) == (3, 12.0, "student")
    assert record["requirements"]["misconceptions"] == REQUIREMENTS["misconceptions"]
    assert [question["answer"] for question in record["questions"]][1:] == ["B", "1 A"]
    told = await effects(ledger, "once")
    assert [each["input"]["student_id"] for each in told] == ["s1", "s2"]
    assert told[0]["kind"] == "profile.update"
    assert told[0]["input"]["assigned"] == ["Ohm's law", "resistance", "units", "series circuits"]
    assert told[0]["input"]["occurred_at"] == "2026-05-04T00:00:00+00:00"


async def test_confirming_another_upload_of_the_same_id_replaces_it(api: httpx.AsyncClient, ledger: Connection) -> None:
    records = []
    for text in (WORKSHEET, WORKSHEET.partition("2. Which")[0]):
        job, _ = await parsed(api, text, assignment_id="again", student_ids="s1")
        await edit(api, job, requirements=REQUIREMENTS | {"core_concepts": ["a", "b", "c"]})
        assert (await confirm(api, job)).status_code == 200
        records.append((await api.get("/v1/assignments/again")).json())
    earlier, later = records
    assert [len(record["questions"]) for record in records] == [3, 1]
    assert earlier["created_at"] == later["created_at"]
    assert earlier["confirmed_at"] < later["confirmed_at"]
    assert later["job_id"] != earlier["job_id"]
    # The profile tells the two apart by when they stood so, and lets the later replace the earlier.
    first, second = await effects(ledger, "again")
    assert first["input"]["source"]["as_of"] < second["input"]["source"]["as_of"]


async def test_chat_finds_what_is_asked_and_never_the_answers(api: httpx.AsyncClient, database: Database) -> None:
    job, _ = await parsed(api, assignment_id="shelf", student_ids="s7", title="Circuits in series")
    await edit(api, job, requirements=REQUIREMENTS)
    assert (await confirm(api, job)).status_code == 200
    async with database.tenant("demo") as connection:

        async def hits(query: str, student: str) -> list[Any]:
            found = await Search().find(connection, "demo", query, Viewer("student", student_id=student))
            return [hit for hit in found if hit.document_id == "shelf"]

        about = await hits("current of two lamps in a series circuit", "s7")
        assert (about[0].title, about[0].locator) == ("Circuits in series", "question 3")
        assert about[0].knowledge_points == ("series circuits",)
        assert await hits("current of two lamps in a series circuit", "s8") == []
        everything = await hits("Ohm's law circuit resistance current voltage lamps", "s7")
        assert not [hit for hit in everything if "proportional" in hit.text or "1 A" in hit.text]
