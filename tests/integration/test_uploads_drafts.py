"""From a draft to a record: read, corrected, read anew, confirmed once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from app.core.bootstrap import ensure_tenant
from app.kit import json
from tests.support.chat import ended
from tests.support.deployment import MASTER_KEY, Deployment
from tests.support.uploads import Paper, serve_trials, trial_worker, upload

PARSED = ["1. What is a half?", "2. What is a third?"]
EFFECTS = "select payload->'input' from outbox where payload->'input'->>'confirmed' = $1"
UNREADABLE = ("paper_files", ("paper.txt", b"unreadable"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    async with serve_trials(deployment) as client, trial_worker(deployment):
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def superuser(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def parsed(api: httpx.AsyncClient, *files: Any) -> Paper:
    job = await ended(api, (await upload(api, *files)).json())
    return Paper(api, job)


async def test_a_draft_has_the_version_that_its_tag_names(api: httpx.AsyncClient) -> None:
    paper = await parsed(api)
    answer = await paper.draft()
    assert answer.json() == {
        "job_id": paper.job_id,
        "draft_version": 1,
        "draft_status": "draft",
        "questions": PARSED,
        "notes": "",
        "total": 2,
    }
    assert (await paper.draft(**{"If-None-Match": answer.headers["ETag"]})).status_code == 304
    job = (await api.get(f"/v1/jobs/{paper.job_id}")).json()
    assert (job["draft_status"], job["links"]["draft"]) == ("draft", f"{paper.address}/draft")
    listed = (await api.get("/v1/jobs", params={"kind": "trial.parse", "limit": 1})).json()["data"][0]
    assert (listed["job_id"], listed["draft_status"]) == (paper.job_id, "draft")


async def test_what_is_edited_stands_over_what_was_parsed(api: httpx.AsyncClient) -> None:
    paper = await parsed(api)
    first = await paper.put({"questions": ["1. Half of what?"], "no such section": 1})
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    assert (first.json()["questions"], first.json()["total"], first.json()["notes"]) == (["1. Half of what?"], 1, "")
    second = await paper.put({"notes": "checked"})
    assert (second.json()["draft_version"], second.json()["questions"]) == (3, ["1. Half of what?"])
    assert (await paper.draft()).json() == second.json()


async def test_what_says_the_same_is_no_edit(api: httpx.AsyncClient, superuser: asyncpg.Connection) -> None:
    paper = await parsed(api)
    whole = (await paper.draft()).json()
    assert (await paper.put(whole)).headers["ETag"] == '"1"'
    await paper.put(whole | {"notes": "checked"})
    edits = "select edits::text from uploads where job_id = $1"
    assert json.loads(await superuser.fetchval(edits, paper.job_id)) == {"notes": "checked"}
    back = await paper.put({"notes": ""})
    assert (back.json()["draft_version"], json.loads(await superuser.fetchval(edits, paper.job_id))) == (3, {})
    await paper.put({"questions": ["x"]})
    assert (await paper.put({"questions": None})).json()["questions"] == PARSED


async def test_an_edit_names_the_version_that_it_changes(api: httpx.AsyncClient) -> None:
    paper = await parsed(api)
    unnamed = await api.put(f"{paper.address}/draft", json={"notes": "x"})
    assert (unnamed.status_code, unnamed.json()["code"]) == (428, "precondition_required")
    assert (await paper.put({"notes": "mine"}, tag='"1"')).status_code == 200
    for tag in ('"1"', '"99"', "2", "nonsense", 'W/"x"'):
        stale = await paper.put({"notes": "too late"}, tag=tag)
        assert (stale.status_code, stale.json()["code"], stale.json()["draft_version"]) == (412, "draft_changed", 2)
    assert (await paper.put({"notes": "either"}, tag='"1", "2"')).status_code == 200
    assert (await paper.put({"notes": "any"}, tag="*")).json()["notes"] == "any"
    wrong = await paper.put({"questions": [5]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/body/questions/0")


async def test_of_edits_that_come_at_once_one_is_taken(api: httpx.AsyncClient) -> None:
    paper = await parsed(api)
    answers = await asyncio.gather(*(paper.put({"notes": str(number)}, tag='"1"') for number in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
    taken = next(answer for answer in answers if answer.status_code == 200)
    assert (await paper.draft()).json() == taken.json()


async def test_a_draft_is_confirmed_once_however_often_it_is_asked(
    api: httpx.AsyncClient, superuser: asyncpg.Connection
) -> None:
    paper = await parsed(api)
    await paper.put({"questions": ["1. Half of what?"]})
    answers = await asyncio.gather(*(paper.confirm() for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    document = answers[0].json()
    assert (document["draft_status"], document["draft_version"], document["record_id"]) == (
        "confirmed",
        2,
        paper.job_id,
    )
    effects = await superuser.fetch(
        "select payload->'input' from outbox where payload->'input'->>'confirmed' = $1", paper.job_id
    )
    assert [json.loads(each[0])["questions"] for each in effects] == [["1. Half of what?"]]
    tag = (await paper.draft()).headers["ETag"]
    assert (tag, (await paper.draft(**{"If-None-Match": '"2"'})).status_code) == ('"2-confirmed"', 200)
    assert (await paper.confirm({"draft_version": 2}, **{"If-Match": tag})).text == answers[0].text
    for refused in (await paper.put({"notes": "x"}), await paper.reparse()):
        assert (refused.status_code, refused.json()["code"]) == (409, "draft_confirmed")


async def test_a_confirmation_names_the_version_that_it_means(api: httpx.AsyncClient) -> None:
    paper = await parsed(api)
    await paper.put({"notes": "checked"})
    for stale in (await paper.confirm({"draft_version": 1}), await paper.confirm(**{"If-Match": '"1"'})):
        assert (stale.status_code, stale.json()["code"]) == (412, "draft_changed")
    assert await paper.state() == ("draft", 2)
    assert (await paper.confirm({"draft_version": 2}, **{"If-Match": '"2"'})).status_code == 200


async def test_what_is_missing_is_named_and_nothing_is_confirmed(
    api: httpx.AsyncClient, superuser: asyncpg.Connection
) -> None:
    paper = await parsed(api)
    await paper.put({"questions": ["1. A?", "", ""]})
    refused = await paper.confirm()
    assert (refused.status_code, refused.json()["code"]) == (422, "not_confirmable")
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/questions/1", "/questions/2"]
    assert await paper.state() == ("draft", 2)
    assert await superuser.fetch(EFFECTS, paper.job_id) == []


async def test_files_are_read_anew_by_another_candidate(api: httpx.AsyncClient) -> None:
    paper = await parsed(api)
    await paper.put({"questions": ["dropped, as the files are read anew"], "notes": "stays"})
    answer = await paper.reparse("wide", **{"Idempotency-Key": f"again-{paper.job_id}"})
    assert (answer.status_code, answer.json()["links"]["draft"]) == (202, f"{paper.address}/draft")
    assert answer.json()["job_id"] != paper.job_id
    await ended(api, answer.json())
    replayed = await paper.reparse("wide", **{"Idempotency-Key": f"again-{paper.job_id}"})
    assert (replayed.json()["job_id"], replayed.headers["Idempotency-Replayed"]) == (answer.json()["job_id"], "true")
    draft = (await paper.draft()).json()
    assert (draft["questions"], draft["notes"]) == ([f"wide: {line}" for line in PARSED], "stays")
    assert (draft["job_id"], draft["draft_version"]) == (paper.job_id, 3)
    document = (await api.get(paper.address)).json()
    assert (document["job_id"], document["upload"]["upload_id"]) == (answer.json()["job_id"], paper.job_id)


async def test_files_that_cannot_be_read_have_no_draft(api: httpx.AsyncClient) -> None:
    paper = await parsed(api, UNREADABLE)
    for refused in (await paper.draft(), await paper.put({}, tag="*"), await paper.confirm()):
        assert (refused.status_code, refused.json()["code"]) == (409, "parse_failed")
        assert refused.json()["error"] == "no_questions"
        assert "there is no question in it" in refused.json()["detail"]
    assert await paper.state() == ("failed", 0)
    assert (await paper.reparse()).status_code == 202


async def test_a_source_is_shown_as_it_arrived_and_runs_nowhere(api: httpx.AsyncClient) -> None:
    content = b"<script>alert(1)</script>"
    sent = [("paper_files", ("a.txt", b"1. A?")), ("paper_files", ('q"\u00e4.html', content))]
    paper = Paper(api, (await upload(api, *sent)).json())
    shown, saved = [await api.get(f"{paper.address}/files/{number}") for number in (1, 2)]
    assert (shown.content, shown.headers["Content-Type"]) == (b"1. A?", "text/plain; charset=utf-8")
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert (saved.content, saved.headers["Content-Type"]) == (content, "application/octet-stream")
    assert saved.headers["Content-Disposition"] == (
        "attachment; filename=\"02.html\"; filename*=UTF-8''q%2522%C3%A4.html"
    )
    for answer in (shown, saved):
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for number in ("3", "1000"):
        answer = await api.get(f"{paper.address}/files/{number}")
        assert (answer.status_code, answer.json()["code"]) == (404, "file_not_found")


@pytest.fixture(scope="module")
def theirs(deployment: Deployment) -> dict[str, str]:
    """The headers of a tenant of its own."""
    return {"Authorization": f"Bearer {ensure_tenant(deployment.database_url, MASTER_KEY, 'lister', {})['api_key']}"}


async def test_uploads_are_listed_newest_first_and_by_status(api: httpx.AsyncClient, theirs: dict[str, str]) -> None:
    jobs = [await ended_for(api, theirs, *files) for files in ([], [UNREADABLE], [], [])]
    assert (await api.post(f"/v1/trials/uploads/{jobs[2]}/confirm", headers=theirs)).status_code == 200
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await api.get("/v1/trials/uploads", params=query, headers=theirs)).json()
        found += [each["upload_id"] for each in page["data"]]
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
    assert found == jobs[::-1]
    for status, expected in (("draft", [3, 0]), ("failed", [1]), ("confirmed", [2]), ("parsing", [])):
        page = (await api.get("/v1/trials/uploads", params={"draft_status": status}, headers=theirs)).json()
        assert [each["upload_id"] for each in page["data"]] == [jobs[number] for number in expected], status
    assert (await api.get(f"/v1/trials/uploads/{jobs[0]}")).status_code == 404  # by another tenant's key


async def ended_for(api: httpx.AsyncClient, headers: dict[str, str], *files: Any) -> str:
    job = (await upload(api, *files, headers=headers)).json()
    while job["status"] in ("queued", "processing"):
        job = (await api.get(f"/v1/jobs/{job['job_id']}", headers=headers | {"Prefer": "wait=10"})).json()
    job_id: str = job["job_id"]
    return job_id
