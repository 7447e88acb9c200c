"""Confirmed exams: what a confirmation writes and what follows from it, how it is replaced, and who may see what."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import event

from app.documents.values import Paper
from app.kit import json
from app.kit.db import Connection, Database
from app.library.documents import Viewer
from app.library.search import Search
from app.tenancy.tenants import create_tenant
from app.workloads.exam.confirming import confirm as write_record
from app.workloads.exam.drawing import drawn
from app.workloads.uploads.kind import Draft
from app.workloads.uploads.models import Upload
from tests.support.deployment import Deployment, serve_api
from tests.support.exam_drafts import choice, chosen, parse, question, ready, row, sheet
from tests.support.tokens import TRUSTED, token_of

PAPER = Paper(
    questions=[
        choice("Q1", max_score=2.0, answer="B", stem="Which of these is measured in ohms?"),
        question("Q2", max_score=4.0, stem="State Ohm's law.", answer="I is proportional to U."),
        question("Q3", max_score=4.0, stem="What does a fuse do?"),
    ],
)
ABSENT = row("emil", Q1=None, Q2=None, Q3=None).model_copy(update={"absent": True})
CLASS = (row("ada", Q1=2, Q2=4, Q3=4), row("ben", Q1=2, Q2=1, Q3=4), row("carl", Q1=0, Q2=1, Q3=0), ABSENT)
EXAM = parse(PAPER, sheet(*CLASS))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def school(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    """The API, trusting the school's sign-in."""
    async with serve_api(deployment, **TRUSTED) as client:
        yield client


async def confirmed(school: httpx.AsyncClient, database: Database, parsed: Draft = EXAM, **exam: Any) -> dict[str, Any]:
    job_id = await ready(database, parsed, **exam)
    answer = await school.post(f"/v1/exams/uploads/{job_id}/confirm")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = (await school.get(answer.json()["links"]["record"])).json()
    return document


async def effects(ledger: Connection, exam_id: str) -> list[dict[str, Any]]:
    rows = await ledger.fetch(
        "select payload::text as payload from outbox where payload #>> '{input,source,id}' = $1 order by effect_id",
        exam_id,
    )
    return [json.loads(each["payload"])["input"] for each in rows]


async def test_a_confirmed_draft_is_the_exam(school: httpx.AsyncClient, database: Database) -> None:
    exam = await confirmed(school, database, exam_id="midterm", title="Midterm")
    assert (exam["title"], exam["date"], exam["class_name"]) == ("Midterm", "2026-04-20", "7A")
    assert (exam["students"], exam["absent"], exam["max_total"], exam["mean"]) == (4, 1, 10, 6)
    assert [each["question_id"] for each in exam["questions"]] == ["Q1", "Q2", "Q3"]
    assert exam["questions"][0]["answer"] == "B"


async def test_a_draft_with_holes_is_refused_with_all_of_them_and_nothing_is_written(
    school: httpx.AsyncClient, database: Database, ledger: Connection
) -> None:
    parsed = parse(None, sheet(row("ada", Q1=1)))
    job_id = await ready(database, parsed, exam_id="holes", date=None)
    answer = await school.post(f"/v1/exams/uploads/{job_id}/confirm")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_confirmable")
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/exam/date", "/questions/0/max_score"}
    assert (await school.get("/v1/exams/holes")).status_code == 404
    assert await effects(ledger, "holes") == []


async def test_each_student_s_profile_is_told_once(
    school: httpx.AsyncClient, database: Database, ledger: Connection
) -> None:
    job_id = await ready(database, EXAM, exam_id="told", title="Told")
    for _ in range(2):
        assert (await school.post(f"/v1/exams/uploads/{job_id}/confirm")).status_code == 200
    told = await effects(ledger, "told")
    # Who was absent has shown nothing.
    assert Counter(each["student_id"] for each in told) == {"ada": 1, "ben": 1, "carl": 1}
    assert told[1]["results"][1] == {
        "question_id": "Q2",
        "knowledge_points": EXAM["questions"][1]["knowledge_points"],
        "score": 1,
        "max_score": 4,
    }
    assert told[0]["source"] | {"as_of": ""} == {"kind": "exam", "id": "told", "title": "Told", "as_of": ""}
    assert (told[0]["occurred_at"], told[0]["class_name"]) == ("2026-04-20T00:00:00+00:00", "7A")


async def test_an_exam_that_comes_again_replaces_the_former_one(
    school: httpx.AsyncClient, database: Database, ledger: Connection
) -> None:
    await confirmed(school, database, exam_id="again")
    corrected = parse(PAPER, sheet(row("ada", Q1=0, Q2=0, Q3=0), row("dora", Q1=2, Q2=4, Q3=4)))
    exam = await confirmed(school, database, corrected, exam_id="again", date="2026-05-01")
    assert (exam["students"], exam["mean"], exam["date"]) == (2, 5, "2026-05-01")
    report = (await school.get("/v1/exams/again/report")).json()
    assert [(each["student_id"], each["total"]) for each in report["results"]["data"]] == [("dora", 10), ("ada", 0)]
    latest = {each["student_id"]: each for each in await effects(ledger, "again")}
    assert latest["ben"]["results"] == []  # what they had is taken back
    assert latest["ada"]["results"][0]["score"] == 0
    assert latest["ben"]["source"]["as_of"] == latest["dora"]["source"]["as_of"]


async def test_the_class_finds_the_paper_once_it_was_sat(school: httpx.AsyncClient, database: Database) -> None:
    seen = Viewer("student", student_id="ada", class_name="5Z")
    of_class: dict[str, Any] = {"exam_id": "shelved", "class_name": "5Z", "title": "Zymurgy"}
    await confirmed(school, database, parse(PAPER, None), **of_class)
    async with database.tenant("demo") as connection:
        assert not await Search().find(connection, "demo", "zymurgy fuse", seen)
    await confirmed(school, database, **of_class)
    async with database.tenant("demo") as connection:
        found = await Search().find(connection, "demo", "zymurgy fuse", seen)
        assert "fuse" in found[0].text
        assert not await Search().find(connection, "demo", "zymurgy fuse", Viewer("student", "zoe", "8B"))


async def test_of_several_classes_those_who_sat_it_find_the_paper(
    school: httpx.AsyncClient, database: Database
) -> None:
    several = parse(PAPER, sheet(*(each.model_copy(update={"class_name": f"8{each.name}"}) for each in CLASS)))
    await confirmed(school, database, several, exam_id="several", class_name="Grade 8", title="Xylography")
    async with database.tenant("demo") as connection:
        found = await Search().find(connection, "demo", "xylography", Viewer("student", "ada", "8Ada"))
        assert {each.document_id for each in found} == {"several"}
        assert not await Search().find(connection, "demo", "xylography", Viewer("student", "emil", "8Emil"))


async def test_the_report_has_the_figures_and_everybody_by_rank(school: httpx.AsyncClient, database: Database) -> None:
    await confirmed(school, database, exam_id="reported")
    report = (await school.get("/v1/exams/reported/report")).json()
    assert (report["totals"]["mean"], report["totals"]["median"], report["totals"]["pass_rate"]) == (6, 7, 0.6667)
    assert sum(each["students"] for each in report["totals"]["distribution"]) == 3
    figures = {each["question_id"]: each for each in report["questions"]}
    assert (figures["Q2"]["difficulty"], figures["Q2"]["mean"]) == (0.5, 2)
    # Q2 is 4, 1, 1 beside rests of 6, 6 and 0 of 6: (2 * 2) / sqrt(6 * 24) of the sums of squares
    assert figures["Q2"]["discrimination"] == 0.5
    ranks = [(each["student_id"], each["rank"], each["absent"]) for each in report["results"]["data"]]
    assert ranks == [("ada", 1, False), ("ben", 2, False), ("carl", 3, False), ("emil", None, True)]
    assert report["results"]["data"][1]["scores"]["Q2"] == {"score": 1, "answer": None, "exempt": False}
    first = (await school.get("/v1/exams/reported/report", params={"limit": 3})).json()["results"]
    assert (len(first["data"]), first["has_more"]) == (3, True)
    rest = await school.get("/v1/exams/reported/report", params={"limit": 3, "cursor": first["next_cursor"]})
    assert [each["student_id"] for each in rest.json()["results"]["data"]] == ["emil"]


async def test_what_was_chosen_is_counted(school: httpx.AsyncClient, database: Database) -> None:
    letters = parse(PAPER, sheet(chosen("ada", Q1="B"), chosen("ben", Q1="B"), chosen("carl", Q1="D")))
    await confirmed(school, database, letters, exam_id="letters")
    report = (await school.get("/v1/exams/letters/report")).json()
    assert report["questions"][0]["answers"] == {"B": 2, "D": 1}
    assert report["results"]["data"][2]["scores"]["Q1"] == {"score": 0, "answer": "D", "exempt": False}


@pytest.mark.parametrize(
    ("query", "accept"), [({"format": "csv"}, "*/*"), ({}, "text/csv")], ids=["by the query", "by Accept"]
)
async def test_the_report_is_a_table_too_and_runs_nothing(
    school: httpx.AsyncClient, database: Database, query: dict[str, str], accept: str
) -> None:
    lurking = row("ada", Q1=2, Q2=4, Q3=4).model_copy(update={"name": '=HYPERLINK("http://evil")'})
    await confirmed(school, database, parse(PAPER, sheet(lurking, ABSENT)), exam_id="table")
    answer = await school.get("/v1/exams/table/report", params=query, headers={"Accept": accept})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0] == ["rank", "student_id", "name", "class_name", "total", "max_total", "Q1", "Q2", "Q3"]
    assert lines[1][6:] == ["2.0", "4.0", "4.0"]
    assert lines[-2] == ["1", "ada", '\'=HYPERLINK("http://evil")', "7A", "10.0", "10.0", "2", "4", "4"]
    assert lines[-1] == ["", "emil", "Emil", "7A", "absent", "10.0", "", "", ""]


async def test_exams_are_listed_the_latest_first_by_class_and_day(
    school: httpx.AsyncClient, database: Database
) -> None:
    for exam_id, day in (("list-1", "2025-01-10"), ("list-2", "2025-02-10"), ("list-3", "2025-02-10")):
        await confirmed(school, database, parse(PAPER, None), exam_id=exam_id, date=day, class_name="9C")

    async def listed(**query: Any) -> list[str]:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await school.get("/v1/exams", params={"class_name": "9C", "limit": 1, **query, **cursor})
            assert answer.status_code == 200, answer.text
            found += [each["exam_id"] for each in answer.json()["data"]]
            if not answer.json()["has_more"]:
                return found
            cursor = {"cursor": answer.json()["next_cursor"]}

    assert await listed() == ["list-3", "list-2", "list-1"]
    assert await listed(date_from="2025-02-01") == ["list-3", "list-2"]
    assert await listed(date_to="2025-01-10") == ["list-1"]
    assert await listed(class_name="9D") == []


async def test_a_student_sees_what_they_sat_and_of_marks_only_their_own(
    school: httpx.AsyncClient, database: Database
) -> None:
    await confirmed(school, database, exam_id="private", class_name="6F")
    ben, emil, stranger = token_of("ben"), token_of("emil"), token_of("zoe")
    report = (await school.get("/v1/exams/private/report", headers=ben)).json()
    assert [each["student_id"] for each in report["results"]["data"]] == ["ben"]
    table = (await school.get("/v1/exams/private/report?format=csv", headers=ben)).text
    assert "ben" in table
    assert "ada" not in table
    assert "Ada" not in (await school.get("/v1/exams/private/report", headers=ben)).text
    listed = await school.get("/v1/exams", params={"class_name": "6F"}, headers=ben)
    assert [each["exam_id"] for each in listed.json()["data"]] == ["private"]
    for nobody in (emil, stranger):  # who was absent may sit it yet
        for path in ("/v1/exams/private", "/v1/exams/private/report"):
            assert (await school.get(path, headers=nobody)).status_code == 404
        assert (await school.get("/v1/exams", headers=nobody)).json()["data"] == []
    teacher = token_of("t1", role="teacher")
    assert len((await school.get("/v1/exams/private/report", headers=teacher)).json()["results"]["data"]) == 4


async def test_an_exam_is_its_tenant_s_own(school: httpx.AsyncClient, database: Database, tenant: str) -> None:
    await create_tenant(database, tenant)
    job_id = await ready(database, EXAM, tenant=tenant, exam_id="theirs")
    assert (await school.post(f"/v1/exams/uploads/{job_id}/confirm")).status_code == 404
    await _write(database, tenant, job_id)
    assert (await school.get("/v1/exams/theirs")).status_code == 404
    assert (await school.get("/v1/exams/theirs/report")).status_code == 404
    await confirmed(school, database, parse(PAPER, None), exam_id="theirs")
    async with database.tenant(tenant) as connection:
        assert len(await Search().find(connection, tenant, "fuse", Viewer("teacher"))) == 1


async def test_a_large_class_takes_as_many_statements_as_a_small_one(database: Database, tenant: str) -> None:
    await create_tenant(database, tenant)
    counts = []
    for size in (3, 300):
        students = [row(f"s{at}", Q1=2, Q2=at % 5, Q3=1) for at in range(size)]
        job_id = await ready(database, parse(PAPER, sheet(*students)), tenant=tenant, exam_id=f"of-{size}")
        with counting(database) as statements:
            await _write(database, tenant, job_id)
        counts.append(len(statements))
    assert counts[0] == counts[1]
    async with database.tenant(tenant) as connection:
        assert await connection.fetchval("select count(*) from exam_results where exam_id = 'of-300'") == 900


async def _write(database: Database, tenant: str, job_id: UUID) -> None:
    async with database.session(tenant) as session:
        upload = await session.get(Upload, (tenant, job_id))
        assert upload is not None
        assert upload.parsed is not None
        await write_record(session, upload, drawn(upload.parsed, {}))


@contextmanager
def counting(database: Database) -> Any:
    """The statements of tenants' sessions."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = database._app.sync_engine  # type: ignore[union-attr] # nobody else may reach it
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
