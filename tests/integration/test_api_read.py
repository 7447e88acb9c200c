"""GET /v1/jobs, /v1/jobs/{id} and /attempts, /v1/kinds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.engine.runtime import Runtime
from app.kit.ids import uuid7
from tests.support.deployment import Deployment, serve_worker

IDLE = {"kind": "diagnostics.echo", "queue": "exam"}  # no worker of these tests runs this queue


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worker(deployment: Deployment) -> AsyncIterator[Runtime]:
    async with serve_worker(deployment, "base") as runtime:
        yield runtime


async def submit(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/v1/jobs", json=IDLE | fields)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def test_pages_follow_each_other_without_gap_or_repetition(api: httpx.AsyncClient) -> None:
    made = [(await submit(api, lane="pages"))["job_id"] for _ in range(5)]
    found: list[str] = []
    query = {"lane": "pages", "limit": "2"}
    sizes = []
    while True:
        page = (await api.get("/v1/jobs", params=query)).json()
        sizes.append(len(page["data"]))
        found += [job["job_id"] for job in page["data"]]
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
        await submit(api, lane="pages")  # what comes meanwhile stands on no later page
    assert sizes == [2, 2, 1]
    assert found == made[::-1]


async def test_filters_combine(api: httpx.AsyncClient) -> None:
    old = await submit(api, lane="filters")
    new = await submit(api, lane="filters")

    async def ids(**query: str) -> list[str]:
        page = await api.get("/v1/jobs", params={"lane": "filters"} | query)
        return [job["job_id"] for job in page.json()["data"]]

    both = [new["job_id"], old["job_id"]]
    assert await ids() == both
    assert await ids(queue="exam", kind="diagnostics.echo", status="queued") == both
    assert await ids(created_after=old["created_at"]) == [new["job_id"]]
    assert await ids(queue="base") == await ids(kind="x") == await ids(status="done") == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"cursor": "tampered"}, 400, "invalid_cursor"),
        ({"limit": "0"}, 422, "invalid_request"),
        ({"limit": "101"}, 422, "invalid_request"),
        ({"status": "lost"}, 422, "invalid_request"),
        ({"created_after": "2026-01-01T00:00:00"}, 422, "invalid_request"),
        ({"created_after": "9999-12-31T23:59:59-23:59"}, 422, "invalid_request"),
        ({"lane": "a\x00b"}, 422, "invalid_request"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    api: httpx.AsyncClient, query: dict[str, str], status: int, code: str
) -> None:
    answer = await api.get("/v1/jobs", params=query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_what_is_no_job_of_this_tenant_is_not_found(api: httpx.AsyncClient) -> None:
    unknown = await api.get(f"/v1/jobs/{uuid7()}")
    malformed = await api.get("/v1/jobs/17")
    assert unknown.status_code == malformed.status_code == 404
    bodies = [answer.json() | {"request_id": ""} for answer in (unknown, malformed)]
    assert bodies[0] == bodies[1]
    assert bodies[0]["code"] == "job_not_found"


async def test_a_document_is_sent_again_only_when_it_changed(api: httpx.AsyncClient) -> None:
    job = await submit(api)
    first = await api.get(job["links"]["self"])
    tag = first.headers["ETag"]
    assert first.headers["Retry-After"] == "1"
    same = await api.get(job["links"]["self"], headers={"If-None-Match": f'"other", {tag}'})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    await api.post(job["links"]["cancel"])
    changed = await api.get(job["links"]["self"], headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["status"]) == (200, "cancelled")
    assert "Retry-After" not in changed.headers


async def test_waiting_with_a_tag_ends_when_the_document_changes(api: httpx.AsyncClient) -> None:
    job = await submit(api)
    tag = (await api.get(job["links"]["self"])).headers["ETag"]
    headers = {"If-None-Match": tag, "Prefer": "wait=20"}
    waiting = asyncio.create_task(api.get(job["links"]["self"], headers=headers))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await api.post(job["links"]["cancel"])
    answer = await asyncio.wait_for(waiting, 5)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.headers["Preference-Applied"] == "wait=20"
    at_once = await asyncio.wait_for(
        api.get(job["links"]["self"], headers=headers | {"If-None-Match": answer.headers["ETag"]}), 5
    )
    assert at_once.status_code == 304  # it has ended, and will not change any more


async def test_waiting_without_change_answers_304_when_the_time_is_over(api: httpx.AsyncClient) -> None:
    job = await submit(api)
    tag = (await api.get(job["links"]["self"])).headers["ETag"]
    answer = await api.get(job["links"]["self"], headers={"If-None-Match": tag, "Prefer": "wait=1"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (304, "wait=1")


async def test_waiting_without_a_tag_ends_with_the_job(api: httpx.AsyncClient, worker: Runtime) -> None:
    job = await submit(api, queue="base", kind="diagnostics.progress", input={"steps": 20})
    answer = await api.get(job["links"]["self"], headers={"Prefer": "wait=20"})
    assert (answer.json()["status"], answer.json()["progress"]) == ("done", 100)


async def test_attempts_tell_every_delivery(api: httpx.AsyncClient, worker: Runtime) -> None:
    job = await submit(api, queue="base", kind="diagnostics.fail", input={"times": 1})
    done = await api.get(job["links"]["self"], headers={"Prefer": "wait=20"})
    assert (done.json()["status"], done.json()["attempt"]) == ("done", 2)
    attempts = (await api.get(f"{job['links']['self']}/attempts")).json()["data"]
    assert [(each["attempt"], each["status"]) for each in attempts] == [(1, "retry"), (2, "success")]
    assert attempts[0]["error"] == "diagnostics_transient"
    words = "attempt worker_id status started_at finished_at duration_ms exit_code error error_detail"
    assert set(attempts[0]) == set(words.split())
    assert attempts[0]["started_at"].endswith("Z")


async def test_a_job_that_never_ran_has_no_attempts(api: httpx.AsyncClient) -> None:
    job = await submit(api)
    assert (await api.get(f"{job['links']['self']}/attempts")).json() == {"data": []}
    assert (await api.get(f"/v1/jobs/{uuid7()}/attempts")).status_code == 404


async def test_kinds_say_what_can_be_submitted(api: httpx.AsyncClient) -> None:
    kinds = {kind["kind"]: kind for kind in (await api.get("/v1/kinds")).json()["data"]}
    sleep = kinds["diagnostics.sleep"]
    assert sleep["queue"] is None
    assert sleep["input_schema"]["required"] == ["seconds"]
    words = "kind queue summary timeout_seconds max_attempts lanes input_schema result_schema"
    assert set(sleep) == set(words.split())
