"""Two tenants on one deployment: to each, nothing of the other exists, at any address and by any id."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.kit.db import Database
from app.kit.ids import uuid7
from app.tenancy.keys import Pepper, issue_key
from app.tenancy.tenants import create_tenant
from tests.support.assignment_rows import ASSIGNMENT, fill_assignments
from tests.support.deployment import MASTER_KEY, Deployment, serve_api, serve_worker
from tests.support.exam_rows import EXAM, fill_exams
from tests.support.routes import Route, all_routes, unserved_app

ECHO = {"kind": "diagnostics.echo"}
IDLE = ECHO | {"queue": "exam"}  # no worker of these tests runs this queue
FAIL = {"kind": "diagnostics.fail", "input": {"times": 1, "transient": False}}
SECRET = "only the other tenant knows"
KEY = {"Idempotency-Key": "the same by chance"}
TWIN = "/t/{tenant_id}"

ROUTES = [route for route in all_routes(unserved_app()) if route.path.startswith(("/v1/", f"{TWIN}/v1/"))]
# Make a thing under a name that the client chooses: a name that is taken elsewhere is as good as any.
NAMING = {"PUT /v1/agents/{agent}", "POST /v1/profiles/{student_id}/updates"}
WITH_ID = [
    route
    for route in ROUTES
    if "{" in route.path.removeprefix(TWIN) and f"{route.method} {route.path.removeprefix(TWIN)}" not in NAMING
]
TWINS = [route for route in ROUTES if route.path.startswith(TWIN)]
LISTS = [route for route in ROUTES if route not in WITH_ID and route.method == "GET"]

# What a route with an id takes as its body, so that the id is all that can be wrong with the request.
BODIES: dict[str, Any] = {
    "PUT /v1/chat/sessions/{session}": {"title": "mine now"},
    "PUT /v1/agents/{agent}": {"prompt": "mine"},
    "POST /v1/profiles/{student_id}/updates": {"source": {"kind": "teacher"}, "notes": ["mine"]},
    "PUT /v1/exams/uploads/{job_id}/draft": {},
    "POST /v1/exams/uploads/{job_id}/reparse": {},
    "PUT /v1/assignments/uploads/{job_id}/draft": {},
    "POST /v1/assignments/uploads/{job_id}/reparse": {},
}
IF_ANY = {"If-Match": "*"}  # what changes a draft says which version is meant; nothing else heeds it
# Ids of the other tenant, and ids that never were, by the name of the path's part.
NEVER = {
    "job_id": [str(uuid7()), "17", "not-an-id"],
    "key_id": ["0" * 12],
    "session": [str(uuid7()), "never-was"],
    "agent": ["never-was"],
    "student_id": ["never-was"],
    "exam_id": ["never-was"],
    "assignment_id": ["never-was"],
}


@dataclass
class Side:
    """One tenant: its client, and everything of it that has an id."""

    tenant: str
    client: httpx.AsyncClient
    ids: dict[str, list[str]] = field(default_factory=dict)
    etags: list[str] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mine(deployment: Deployment, database: Database) -> AsyncIterator[Side]:
    async with serve_api(deployment) as client:
        client.headers["Authorization"] = f"Bearer {await every_scope(database, 'demo')}"
        yield Side("demo", client)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def theirs(deployment: Deployment, database: Database, mine: Side) -> AsyncIterator[Side]:
    """The other tenant, with jobs in every status and a key of its own."""
    await create_tenant(database, "other")
    key = await every_scope(database, "other")
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        serve_worker(deployment, "base"),
        serve_worker(deployment, "profile"),
        httpx.AsyncClient(base_url=mine.client.base_url, headers=headers, timeout=30.0) as client,
    ):
        side = Side("other", client)
        side.ids["key_id"] = [key.partition(".")[0].rpartition("_")[2]]
        wait = {"Prefer": "wait=20"}
        done = await client.post("/v1/jobs", json=ECHO | {"input": SECRET}, headers=wait)
        failed = await client.post("/v1/jobs", json=FAIL, headers=wait)
        queued = await client.post("/v1/jobs", json=IDLE | {"input": SECRET, "lane": SECRET}, headers=KEY)
        cancelled = await client.post("/v1/jobs", json=IDLE)
        await client.post(cancelled.json()["links"]["cancel"])
        said = {"role": "teacher", "teacher_id": "t", "messages": [{"role": "user", "content": SECRET}]}
        assert (await client.post("/v1/chat", json=said)).status_code == 202
        sessions = (await client.get("/v1/chat/sessions")).json()["data"]
        side.ids["session"] = [session["id"] for session in sessions]
        assert (await client.put("/v1/agents/theirs-alone", json={"prompt": SECRET})).is_success
        side.ids["agent"] = ["theirs-alone"]
        told = {"name": SECRET, "source": {"kind": "teacher"}, "notes": [SECRET]}
        assert (await client.post("/v1/profiles/theirs-alone/updates", json=told, headers=wait)).status_code == 200
        side.ids["student_id"] = ["theirs-alone"]
        paper = {"paper_files": ("paper.txt", f"1. {SECRET}?".encode())}
        uploaded = await client.post("/v1/exams/uploads", files=paper, data={"title": SECRET})
        async with database.tenant("other") as connection:
            await fill_exams(connection, "other")
            await fill_assignments(connection, "other")
        side.ids["exam_id"] = [EXAM]
        side.ids["assignment_id"] = [ASSIGNMENT]
        jobs = [answer.json() for answer in (done, failed, queued, cancelled, uploaded)]
        assert [job["status"] for job in jobs] == ["done", "failed", "queued", "queued", "queued"]
        side.ids["job_id"] = [job["job_id"] for job in jobs]
        for job in jobs:
            side.etags.append((await client.get(job["links"]["self"])).headers["ETag"])
        stream = (await client.get(jobs[0]["links"]["events"])).text
        side.event_ids = re.findall("^id: (.+)$", stream, re.MULTILINE)
        assert side.event_ids
        yield side


async def every_scope(database: Database, tenant: str) -> str:
    """A key for everything that a tenant can do."""
    async with database.session(tenant) as session:
        scopes = ("jobs:read", "jobs:write", "admin")
        return await issue_key(session, Pepper(MASTER_KEY), tenant, name="everything", scopes=scopes)


def address(route: Route, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda match: ids[match[1]], route.path)


async def ask(side: Side, route: Route, ids: dict[str, str], **more: Any) -> tuple[int, dict[str, Any]]:
    """Status and problem, without the id that every request has of its own."""
    body = BODIES.get(f"{route.method} {route.path.removeprefix(TWIN)}")
    headers = IF_ANY | more.pop("headers", {})
    where = address(route, {"tenant_id": side.tenant, "n": "1"} | ids)
    answer = await side.client.request(route.method, where, json=body, headers=headers, **more)
    return answer.status_code, answer.json() | {"request_id": ""}


async def snapshot(side: Side) -> list[Any]:
    return [(await side.client.get(f"/v1/jobs/{job_id}")).json() for job_id in side.ids["job_id"]]


def test_every_kind_of_id_is_tried() -> None:
    names = {re.findall(r"\{(\w+)", route.path.removeprefix(TWIN))[0] for route in WITH_ID}
    assert names <= set(NEVER), "make one of the other tenant in `theirs`, and name ids that never were in NEVER"


@pytest.mark.parametrize("route", WITH_ID, ids=lambda route: f"{route.method} {route.path}")
async def test_an_id_of_the_other_tenant_is_an_id_that_never_was(mine: Side, theirs: Side, route: Route) -> None:
    name, *_ = re.findall(r"\{(\w+)", route.path.removeprefix(TWIN))
    before = await snapshot(theirs)
    never = [await ask(mine, route, {name: each}) for each in NEVER[name]]
    others = [await ask(mine, route, {name: each}) for each in theirs.ids[name]]
    assert all(answer == never[0] for answer in [*never, *others])
    assert never[0][0] == 404
    assert await snapshot(theirs) == before


@pytest.mark.parametrize("route", WITH_ID, ids=lambda route: f"{route.method} {route.path}")
async def test_headers_tell_nothing_of_it_either(mine: Side, theirs: Side, route: Route) -> None:
    name, *_ = re.findall(r"\{(\w+)", route.path.removeprefix(TWIN))
    headers = {"If-None-Match": theirs.etags[0], "Last-Event-ID": theirs.event_ids[-1], "Prefer": "wait=1"}
    other = await ask(mine, route, {name: theirs.ids[name][0]}, headers=headers | KEY)
    assert other == await ask(mine, route, {name: NEVER[name][0]}, headers=headers | KEY)
    assert other[0] == 404


@pytest.mark.parametrize("route", TWINS, ids=lambda route: f"{route.method} {route.path}")
async def test_the_other_tenants_address_is_nowhere(mine: Side, theirs: Side, route: Route) -> None:
    ids = {name: values[0] for name, values in theirs.ids.items()} | {"n": "1"}
    body = BODIES.get(f"{route.method} {route.path.removeprefix(TWIN)}", IDLE if route.method == "POST" else None)
    there, nowhere = [
        await mine.client.request(route.method, address(route, ids | {"tenant_id": tenant}), json=body)
        for tenant in (theirs.tenant, "never-was")
    ]
    assert (there.status_code, there.json()["code"]) == (404, "not_found")
    assert there.json() | {"request_id": ""} == nowhere.json() | {"request_id": ""}


@pytest.mark.parametrize("route", LISTS, ids=lambda route: f"{route.method} {route.path}")
async def test_lists_show_nothing_of_the_other_tenant(mine: Side, theirs: Side, route: Route) -> None:
    shown = (await mine.client.get(address(route, {"tenant_id": mine.tenant}), params={"limit": 100})).text
    assert SECRET not in shown
    assert not [each for values in theirs.ids.values() for each in values if each in shown]


async def test_a_name_that_the_other_tenant_uses_is_free(mine: Side, theirs: Side) -> None:
    (name,) = theirs.ids["agent"]
    assert (await mine.client.put(f"/v1/agents/{name}", json={"prompt": "mine"})).is_success
    assert (await mine.client.get(f"/v1/agents/{name}")).json()["prompt"] == "mine"
    assert (await theirs.client.get(f"/v1/agents/{name}")).json()["prompt"] == SECRET
    assert (await mine.client.delete(f"/v1/agents/{name}")).is_success
    assert (await theirs.client.get(f"/v1/agents/{name}")).status_code == 200


async def test_filters_find_nothing_of_the_other_tenant(mine: Side, theirs: Side) -> None:
    own = (await mine.client.post("/v1/jobs", json=IDLE)).json()
    page = (await mine.client.get("/v1/jobs", params={"limit": 100})).json()
    assert own["job_id"] in [job["job_id"] for job in page["data"]]
    queries: list[dict[str, str]] = [{"lane": SECRET}, {"status": "failed"}, {"kind": "diagnostics.fail"}]
    for query in queries:
        assert (await theirs.client.get("/v1/jobs", params=query)).json()["data"], query
        assert (await mine.client.get("/v1/jobs", params=query)).json()["data"] == [], query


async def test_a_cursor_of_the_other_tenant_gives_nothing_of_it(mine: Side, theirs: Side) -> None:
    first = (await theirs.client.get("/v1/jobs", params={"limit": 1})).json()
    page = await mine.client.get("/v1/jobs", params={"limit": 100, "cursor": first["next_cursor"]})
    assert not set(theirs.ids["job_id"]) & {job["job_id"] for job in page.json().get("data", [])}


async def test_idempotency_keys_and_lanes_are_each_tenants_own(mine: Side, theirs: Side) -> None:
    queued = theirs.ids["job_id"][2]
    own = await mine.client.post("/v1/jobs", json=IDLE | {"input": "another", "lane": SECRET}, headers=KEY)
    assert (own.status_code, "Idempotency-Replayed" in own.headers) == (202, False)
    assert own.json()["job_id"] != queued
    assert (own.json()["lane_queue_position"], own.json()["lane_queue_size"]) == (0, 0)
    bulk = await mine.client.post("/v1/jobs/bulk", json={"jobs": [IDLE | {"idempotency_key": KEY["Idempotency-Key"]}]})
    assert queued not in bulk.text
    again = await theirs.client.post("/v1/jobs", json=IDLE | {"input": SECRET, "lane": SECRET}, headers=KEY)
    assert (again.json()["job_id"], again.headers["Idempotency-Replayed"]) == (queued, "true")
