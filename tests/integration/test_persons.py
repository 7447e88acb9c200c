"""A token that names a person speaks for that person alone, by whichever door it comes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
import pytest_asyncio

from tests.support.chat import say, turn
from tests.support.deployment import TENANT, Deployment, serve_api

SECRET = "a-secret-that-the-login-service-and-this-deployment-share"
ISSUER = {
    "issuer": "https://login.example",
    "audience": "homeroom",
    "algorithms": ["HS256"],
    "keys": {"k1": SECRET},
    "tenants": [TENANT],
}
STAFFS = {"kind": "diagnostics.echo", "queue": "exam", "input": {}}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def edge(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    """The API of a deployment where people log in elsewhere; without more, with the tenant's key."""
    async with serve_api(deployment, JWT_ISSUERS=json.dumps([ISSUER])) as client:
        yield client


def bearer(role: str, person: str) -> dict[str, str]:
    claims = {
        "iss": ISSUER["issuer"],
        "aud": "homeroom",
        "sub": person,
        "exp": datetime.now(UTC) + timedelta(minutes=5),
        "tenant": TENANT,
        "scope": "jobs:read jobs:write",
        "role": role,
    }
    token = jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": "k1"})
    return {"Authorization": f"Bearer {token}"}


def reply(text: str, student: str) -> dict[str, Any]:
    return {"kind": "chat.reply", "input": turn(text, student=student)}


Ask = Callable[[str, str], dict[str, Any]]


@pytest.mark.parametrize(
    ("door", "body"),
    [
        pytest.param("/v1/chat", lambda text, student: turn(text, student=student), id="chat"),
        pytest.param("/v1/jobs", reply, id="jobs"),
    ],
)
async def test_a_student_leads_no_conversation_but_their_own(
    edge: httpx.AsyncClient, tenant: str, door: str, body: Ask
) -> None:
    mine = await edge.post(door, json=body("Mine.", f"ada-{tenant}"), headers=bearer("student", f"ada-{tenant}"))
    assert mine.status_code == 202, mine.text
    for who in (bearer("student", f"bob-{tenant}"), bearer("teacher", f"ada-{tenant}")):
        theirs = await edge.post(door, json=body("Not mine.", f"ada-{tenant}"), headers=who)
        assert (theirs.status_code, theirs.json()["code"]) == (403, "not_yours")
    said = await edge.get(f"/v1/chat/sessions/student:ada-{tenant}:main/messages")
    assert [each["content"] for each in said.json()["data"]] == ["Mine."]


async def test_in_bulk_each_item_is_asked_for(edge: httpx.AsyncClient, tenant: str) -> None:
    ada, bob = f"ada-{tenant}", f"bob-{tenant}"
    jobs = [reply("Mine.", ada), reply("Not mine.", bob), STAFFS]
    answer = await edge.post("/v1/jobs/bulk", json={"jobs": jobs}, headers=bearer("student", ada))
    assert [each["status"] for each in answer.json()["data"]] == [202, 403, 403]
    assert {each["error"]["code"] for each in answer.json()["data"][1:]} == {"not_yours"}
    assert (await edge.get(f"/v1/chat/sessions/student:{bob}:main")).status_code == 404


async def test_a_kind_that_says_nothing_is_the_staff_s(edge: httpx.AsyncClient, tenant: str) -> None:
    assert (await edge.post("/v1/jobs", json=STAFFS, headers=bearer("student", tenant))).json()["code"] == "not_yours"
    made = await edge.post("/v1/jobs", json=STAFFS, headers=bearer("teacher", tenant))
    assert made.status_code == 202
    links = made.json()["links"]
    assert (await edge.get(links["self"], headers=bearer("student", tenant))).json()["code"] == "not_yours"
    assert (await edge.post(links["cancel"], headers=bearer("teacher", "another"))).status_code == 200


async def test_who_sees_a_job_and_who_ends_it(edge: httpx.AsyncClient, tenant: str) -> None:
    ada = f"ada-{tenant}"
    links = (await say(edge, "Well?", student=ada))["links"]
    reading = [("GET", links["self"]), ("GET", f"{links['self']}/attempts"), ("GET", links["events"])]
    acting = [("POST", links["retry"]), ("POST", links["cancel"])]
    for method, address in (*reading, *acting):
        refused = await edge.request(method, address, headers=bearer("student", f"bob-{tenant}"))
        assert (refused.status_code, refused.json()["code"]) == (403, "not_yours"), address
    for method, address in acting:
        refused = await edge.request(method, address, headers=bearer("teacher", "t1"))
        assert (refused.status_code, refused.json()["code"]) == (403, "not_yours"), address
    for _, address in reading[:2]:
        assert (await edge.get(address, headers=bearer("teacher", "t1"))).status_code == 200
    own = bearer("student", ada)
    assert (await edge.post(links["cancel"], headers=own)).json()["status"] == "cancelled"
    for _, address in reading:
        assert (await edge.get(address, headers=own)).status_code == 200
    missing = f"/v1/jobs/{uuid4()}"
    assert (await edge.get(missing, headers=own)).status_code == 404
    assert (await edge.post(f"{missing}/cancel", headers=own)).status_code == 404


async def test_a_list_shows_what_the_person_may_see(edge: httpx.AsyncClient, tenant: str) -> None:
    ada, bob, teacher = f"ada-{tenant}", f"bob-{tenant}", f"t-{tenant}"
    jobs = [(await say(edge, "Well?", student=name))["job_id"] for name in (ada, bob)]
    said = {"messages": [{"role": "user", "content": "Well?"}], "role": "teacher", "teacher_id": teacher}
    jobs += [(await edge.post("/v1/chat", json=said)).json()["job_id"]]
    jobs += [(await edge.post("/v1/jobs", json=STAFFS)).json()["job_id"]]

    async def seen(headers: dict[str, str], **query: str) -> list[int]:
        page = (await edge.get("/v1/jobs", params={"limit": "100", **query}, headers=headers)).json()["data"]
        return sorted(jobs.index(each["job_id"]) for each in page if each["job_id"] in jobs)

    assert await seen({}) == [0, 1, 2, 3]
    assert await seen(bearer("student", ada)) == [0]
    assert await seen(bearer("student", ada), lane=f"student:{bob}:main") == []
    assert await seen(bearer("teacher", teacher)) == [0, 1, 2, 3]
    assert await seen(bearer("teacher", "another")) == [0, 1, 3]
