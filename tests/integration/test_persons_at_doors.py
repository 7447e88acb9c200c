"""Students and teachers at the doors of uploads and profiles: what each may, and what neither door lets by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.support import assignments, exams
from tests.support.deployment import Deployment, serve_api
from tests.support.profiles import exam, result, tell
from tests.support.tokens import TRUSTED, token_of

TEACHER, ANOTHER = token_of("ms-kim", "teacher"), token_of("mr-lee", "teacher")
SYSTEM = token_of("school-office", None)  # a token without a role: as a key, it acts for everybody

Sent = Callable[[httpx.AsyncClient], Awaitable[dict[str, Any]]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def edge(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    """No worker runs: what is submitted waits."""
    async with serve_api(deployment, **TRUSTED) as client:
        yield client


async def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 403, answer.text
    code: str = answer.json()["code"]
    return code


UPLOADS = [
    pytest.param("exams", lambda api: exams.upload(api, exams.paper()), id="exams"),
    pytest.param("assignments", assignments.upload, id="assignments"),
]


@pytest.mark.parametrize(("path", "send"), UPLOADS)
async def test_uploads_are_for_teachers_by_every_door(edge: httpx.AsyncClient, path: str, send: Sent) -> None:
    job, student = await send(edge), token_of("ada")
    uploads = f"/v1/{path}/uploads"
    one = f"{uploads}/{job['job_id']}"
    doors = [("POST", uploads), ("GET", uploads), ("GET", one), ("GET", f"{one}/draft"), ("PUT", f"{one}/draft")]
    doors += [("POST", f"{one}/confirm"), ("POST", f"{one}/reparse"), ("GET", f"{one}/files/1")]
    for method, address in doors:
        body: dict[str, str] | None = {} if method in ("PUT", "POST") else None
        answer = await edge.request(method, address, headers=student, json=body)
        assert await refused(answer) == "teachers_only", address
    for _, address in doors[1:3]:
        assert (await edge.get(address, headers=TEACHER)).status_code == 200, address
    assert (await edge.get(f"{one}/files/1", headers=TEACHER)).status_code == 200
    waiting = await edge.get(f"{one}/draft", headers=TEACHER)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "job_not_ready")  # nobody has read it yet


@pytest.mark.parametrize(("path", "send"), UPLOADS)
async def test_so_is_the_job_that_reads_one(edge: httpx.AsyncClient, path: str, send: Sent) -> None:
    job, student = await send(edge), token_of("ada")
    links = job["links"]
    reading = [links["self"], f"{links['self']}/attempts", links["events"]]
    for address in reading:
        assert await refused(await edge.get(address, headers=student)) == "not_yours", address
    for verb in ("cancel", "retry"):
        assert await refused(await edge.post(links[verb], headers=student)) == "not_yours"
    for headers, sees in ((student, False), (TEACHER, True), (SYSTEM, True)):
        page = (await edge.get("/v1/jobs", params={"kind": job["kind"], "limit": 100}, headers=headers)).json()
        assert (job["job_id"] in [each["job_id"] for each in page["data"]]) == sees
    for headers in (TEACHER, ANOTHER, SYSTEM):
        for address in reading[:2]:
            assert (await edge.get(address, headers=headers)).status_code == 200
    cancelled = await edge.post(links["cancel"], headers=ANOTHER)  # whoever has uploaded
    assert cancelled.json()["status"] == "cancelled", path


async def test_a_student_follows_what_is_told_of_them_and_of_nobody_else(edge: httpx.AsyncClient, tenant: str) -> None:
    ada, bob = f"ada-{tenant}", f"bob-{tenant}"
    own, other = [await tell(edge, each, exam("e", result("Q1", 3))) for each in (ada, bob)]
    student = token_of(ada)
    for address in (own["links"]["self"], f"{own['links']['self']}/attempts"):
        assert (await edge.get(address, headers=student)).status_code == 200
    for address in (other["links"]["self"], f"{other['links']['self']}/attempts", other["links"]["events"]):
        assert await refused(await edge.get(address, headers=student)) == "not_yours", address
    page = (await edge.get("/v1/jobs", params={"kind": "profile.update", "limit": 100}, headers=student)).json()
    assert [each["job_id"] for each in page["data"]] == [own["job_id"]]
    assert await refused(await edge.get(f"/v1/profiles/{bob}", headers=student)) == "not_yours"
    assert (await edge.get(f"/v1/profiles/{ada}", headers=student)).status_code == 404  # allowed; not merged yet
    # A teacher of the same name as a student is no student, and the other way round.
    assert (await edge.get(other["links"]["self"], headers=token_of(ada, "teacher"))).status_code == 200


async def test_a_student_tells_ends_and_repeats_nothing(edge: httpx.AsyncClient, tenant: str) -> None:
    ada = f"ada-{tenant}"
    links = (await tell(edge, ada, exam("e", result("Q1", 3))))["links"]
    content = exam("f", result("Q1", 5))
    body = {"kind": "profile.update", "input": {"student_id": ada, **content}}
    student = token_of(ada)
    for verb in ("cancel", "retry"):
        assert await refused(await edge.post(links[verb], headers=student)) == "not_yours"
    assert await refused(await edge.post("/v1/jobs", json=body, headers=student)) == "not_yours"
    told = await edge.post(f"/v1/profiles/{ada}/updates", json=content, headers=student)
    assert await refused(told) == "not_yours"
    bulk = await edge.post("/v1/jobs/bulk", json={"jobs": [body]}, headers=student)
    assert [each["status"] for each in bulk.json()["data"]] == [403]
    lane = (await edge.get("/v1/jobs", params={"lane": f"student:{ada}"})).json()["data"]
    assert len(lane) == 1
    for headers in (TEACHER, SYSTEM):
        assert (await edge.post("/v1/jobs", json=body, headers=headers)).status_code == 202
    assert (await edge.post(links["cancel"], headers=TEACHER)).json()["status"] == "cancelled"


async def test_the_events_of_a_student_s_own_update_are_theirs(edge: httpx.AsyncClient, tenant: str) -> None:
    links = (await tell(edge, f"ada-{tenant}", exam("e", result("Q1", 3))))["links"]
    assert (await edge.post(links["cancel"])).json()["status"] == "cancelled"  # its stream ends
    heard = await edge.get(links["events"], headers=token_of(f"ada-{tenant}"))
    assert heard.status_code == 200
    assert "event: cancelled" in heard.text
