"""Confirmed assignments: found by who they are for, page by page, and to students without their answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from app.kit.db import Database
from app.library.readers import put_reader
from app.tenancy.keys import Pepper, issue_key
from app.tenancy.tenants import create_tenant
from tests.support.assignments import REQUIREMENTS, confirm, edit, parsed
from tests.support.deployment import MASTER_KEY, Deployment, serve_api, serve_worker
from tests.support.tokens import TRUSTED, token_of

ADA, BEN = token_of("ada"), token_of("ben")
TEACHER = token_of("ms-kim", "teacher")

# By id: for whom, and until when.
GIVEN: dict[str, dict[str, str]] = {
    "for-all": {"due_at": "2026-05-01T12:00:00Z"},
    "for-7a": {"class_name": "7A", "due_at": "2026-05-02T12:00:00Z"},
    "for-7b": {"class_name": "7B"},
    "for-ada": {"student_ids": "ada,eve", "class_name": "7A", "due_at": "2026-05-03T12:00:00Z"},
    "for-ben": {"student_ids": "ben"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(deployment: Deployment, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A tenant with assignments, confirmed in the order of GIVEN; Ada is known to be in 7A."""
    async with serve_api(deployment, **TRUSTED) as client, serve_worker(deployment, "assignment"):
        for name, fields in GIVEN.items():
            job, _ = await parsed(client, assignment_id=name, date="2026-04-30", **fields)
            await edit(client, job, requirements=REQUIREMENTS)
            assert (await confirm(client, job)).status_code == 200
        async with database.tenant("demo") as connection:
            await put_reader(connection, "demo", "ada", class_names=["7A"], told={})
        yield client


async def listed(api: httpx.AsyncClient, headers: dict[str, str] | None = None, **query: Any) -> list[str]:
    answer = await api.get("/v1/assignments", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return [each["assignment_id"] for each in answer.json()["data"]]


async def test_the_latest_confirmed_comes_first(api: httpx.AsyncClient) -> None:
    assert await listed(api) == list(GIVEN)[::-1]
    assert await listed(api, TEACHER) == list(GIVEN)[::-1]


async def test_pages_go_on_where_the_last_one_ended(api: httpx.AsyncClient) -> None:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get("/v1/assignments", params={"limit": "2", **cursor})).json()
        found += [each["assignment_id"] for each in page["data"]]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == list(GIVEN)[::-1]
    answer = await api.get("/v1/assignments", params={"cursor": "nonsense"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


async def test_filters_say_whom_and_when(api: httpx.AsyncClient) -> None:
    assert await listed(api, scope="class") == ["for-7b", "for-7a"]
    assert await listed(api, class_name="7A") == ["for-ada", "for-7a"]
    assert await listed(api, student_id="eve") == ["for-ada"]
    assert await listed(api, due_after="2026-05-02T00:00:00Z", due_before="2026-05-03T00:00:00Z") == ["for-7a"]
    assert await listed(api, due_after="2026-05-02T00:00:00") == ["for-ada", "for-7a"]
    assert await listed(api, scope="public", class_name="7A") == []


async def test_a_student_sees_what_is_for_them(api: httpx.AsyncClient) -> None:
    assert await listed(api, ADA) == ["for-ada", "for-7a", "for-all"]
    assert await listed(api, BEN) == ["for-ben", "for-all"]  # nobody knows of a class of Ben's
    assert await listed(api, ADA, student_id="ada") == ["for-ada"]
    for name in ("for-7b", "for-ben"):
        answer = await api.get(f"/v1/assignments/{name}", headers=ADA)
        assert (answer.status_code, answer.json()["code"]) == (404, "assignment_not_found")
    others = await api.get("/v1/assignments", params={"student_id": "ben"}, headers=ADA)
    assert (others.status_code, others.json()["code"]) == (403, "not_yours")


async def test_a_student_sees_no_answers_and_nothing_of_others(api: httpx.AsyncClient) -> None:
    whole = await api.get("/v1/assignments/for-ada", headers=TEACHER)
    shown = await api.get("/v1/assignments/for-ada", headers=ADA)
    assert [question["answer"] for question in whole.json()["questions"]][1:] == ["B", "1 A"]
    assert whole.json()["requirements"]["class_level"] == "mixed"
    record = shown.json()
    assert {(question["answer"], question["solution"]) for question in record["questions"]} == {(None, None)}
    assert record["requirements"] is None
    assert record["student_ids"] == ["ada"]
    assert [question["stem"] for question in record["questions"]] == [
        question["stem"] for question in whole.json()["questions"]
    ]
    for secret in ("eve", "proportional to the voltage", "Current is used up"):
        assert secret in whole.text
        assert secret not in shown.text


async def test_a_student_has_no_part_in_uploads(api: httpx.AsyncClient) -> None:
    upload = (await api.get("/v1/assignments/for-ada")).json()["job_id"]
    for path in ("/v1/assignments/uploads", f"/v1/assignments/uploads/{upload}/draft"):
        assert (await api.get(path, headers=ADA)).status_code == 403
        assert (await api.get(path, headers=TEACHER)).status_code == 200
    refused = await api.post(f"/v1/assignments/uploads/{upload}/confirm", headers=ADA)
    assert refused.status_code == 403


async def test_to_another_tenant_there_is_nothing(api: httpx.AsyncClient, database: Database) -> None:
    await create_tenant(database, "elsewhere")
    async with database.session("elsewhere") as session:
        key = await issue_key(session, Pepper(MASTER_KEY), "elsewhere", name="all", scopes=("jobs:read", "jobs:write"))
    stranger = {"Authorization": f"Bearer {key}"}
    upload = (await api.get("/v1/assignments/for-all")).json()["job_id"]
    assert await listed(api, stranger) == []
    for path in ("for-all", f"uploads/{upload}", f"uploads/{upload}/draft"):
        assert (await api.get(f"/v1/assignments/{path}", headers=stranger)).status_code == 404
    assert (await api.post(f"/v1/assignments/uploads/{upload}/confirm", headers=stranger)).status_code == 404
