"""POST /v1/jobs and /v1/jobs/bulk: what is accepted, what is refused, and what a repetition means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.engine.runtime import Runtime
from app.kit.ids import uuid7
from tests.support.deployment import Deployment, serve_worker

ECHO = {"kind": "diagnostics.echo", "input": {"hello": "world"}}
IDLE = ECHO | {"queue": "exam"}  # no worker of these tests runs this queue


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worker(deployment: Deployment) -> AsyncIterator[Runtime]:
    async with serve_worker(deployment, "base") as runtime:
        yield runtime


def pointers(problem: dict[str, Any]) -> list[str]:
    return [each["pointer"] for each in problem["errors"]]


async def test_an_accepted_job_is_answered_with_its_document_and_the_way_to_it(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/jobs", json=IDLE, headers={"X-Request-ID": "r-1"})
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == job["links"]["self"] == f"/v1/jobs/{job['job_id']}"
    assert answer.headers["Retry-After"] == "1"
    assert (job["status"], job["attempt"], job["queue"], job["request_id"]) == ("queued", 0, "exam", "r-1")
    assert (await api.get(job["links"]["self"])).json() == job


async def test_under_the_tenants_prefix_the_links_have_it_too(api: httpx.AsyncClient) -> None:
    job = (await api.post("/t/demo/v1/jobs", json=IDLE)).json()
    assert job["links"]["self"] == f"/t/demo/v1/jobs/{job['job_id']}"
    assert (await api.get(job["links"]["self"])).status_code == 200


async def test_waiting_answers_when_the_job_has_ended(api: httpx.AsyncClient, worker: Runtime) -> None:
    answer = await api.post("/v1/jobs", json=ECHO, headers={"Prefer": "wait=20"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=20")
    assert (answer.json()["status"], answer.json()["result"]) == ("done", {"hello": "world"})


async def test_waiting_ends_with_the_time(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/jobs", json=IDLE, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=1")
    assert answer.headers["Retry-After"] == "1"


async def test_a_preference_that_cannot_be_understood_is_ignored(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/jobs", json=IDLE, headers={"Prefer": "wait=soon"})
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


async def test_a_scheduled_job_says_for_when(api: httpx.AsyncClient) -> None:
    moment = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    job = (await api.post("/v1/jobs", json=IDLE | {"run_at": moment.isoformat()})).json()
    assert job["scheduled_for"] == moment.isoformat().replace("+00:00", "Z")


async def test_jobs_of_a_lane_say_where_they_stand(api: httpx.AsyncClient) -> None:
    first, second = [(await api.post("/v1/jobs", json=IDLE | {"lane": "l-1"})).json() for _ in range(2)]
    assert (first["lane_id"], first["lane_queue_position"], first["lane_active"]) == ("l-1", 0, True)
    assert (second["lane_queue_position"], second["lane_queue_size"]) == (1, 1)


async def test_a_repeated_key_answers_with_the_earlier_job(api: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": str(uuid7())}
    first, second = (
        await api.post("/v1/jobs", json=IDLE, headers=key),
        await api.post("/v1/jobs", json=IDLE, headers=key),
    )
    assert "Idempotency-Replayed" not in first.headers
    assert (second.status_code, second.headers["Idempotency-Replayed"]) == (202, "true")
    assert second.json() == first.json()
    assert second.headers["Location"] == first.headers["Location"]


async def test_a_key_that_stands_for_another_body_is_a_conflict(api: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": str(uuid7())}
    first = await api.post("/v1/jobs", json=IDLE, headers=key)
    answer = await api.post("/v1/jobs", json=IDLE | {"input": {"hello": "moon"}}, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
    assert answer.json()["job_id"] == first.json()["job_id"]


async def test_a_key_that_cannot_be_kept_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/jobs", json=IDLE, headers={"Idempotency-Key": "x" * 256})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "invalid_request", "/body/kind"),
        (IDLE | {"colour": "red"}, "invalid_request", "/body/colour"),
        (IDLE | {"priority": 101}, "invalid_request", "/body/priority"),
        (IDLE | {"run_at": "2030-01-01T00:00:00"}, "invalid_request", "/body/run_at"),
        ({"kind": "no.such"}, "unknown_kind", "/body/kind"),
        ({"kind": "diagnostics.sleep", "input": {"seconds": -1}}, "invalid_input", "/body/input/seconds"),
        (ECHO | {"queue": "no-such"}, "invalid_placement", "/body/queue"),
    ],
)
async def test_a_refusal_points_at_its_cause(
    api: httpx.AsyncClient, body: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await api.post("/v1/jobs", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert pointers(answer.json()) == [pointer]


@pytest.mark.parametrize("raw", [b'{"kind": "a"', b'{"kind": NaN}', b'"\\ud800"', b"\xff", b"[" * 2000])
async def test_what_is_not_json_is_told_so(api: httpx.AsyncClient, raw: bytes) -> None:
    answer = await api.post("/v1/jobs", content=raw, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")


async def test_json_that_is_not_declared_is_told_so(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/jobs", content=b'{"kind": "diagnostics.echo"}', headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_input_that_no_database_can_hold_is_refused(api: httpx.AsyncClient) -> None:
    nul = await api.post("/v1/jobs", json=IDLE | {"input": {"a": "x\x00y"}})
    assert (nul.status_code, nul.json()["code"]) == (422, "invalid_text")
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    answer = await api.post("/v1/jobs", json=IDLE | {"input": deep})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_a_deep_result_can_be_read_back(api: httpx.AsyncClient, worker: Runtime) -> None:
    deep: Any = 1
    for _ in range(250):
        deep = [deep]
    answer = await api.post("/v1/jobs", json=ECHO | {"input": deep}, headers={"Prefer": "wait=20"})
    assert (answer.status_code, answer.json()["result"]) == (200, deep)


async def test_a_large_body_is_refused_and_a_large_bulk_is_not(api: httpx.AsyncClient) -> None:
    large = IDLE | {"input": "x" * 3_000_000}
    single = await api.post("/v1/jobs", json=large)
    assert (single.status_code, single.json()["code"]) == (413, "body_too_large")
    assert (await api.post("/v1/jobs/bulk", json={"jobs": [large]})).status_code == 202


async def test_bulk_accepts_each_item_for_itself(api: httpx.AsyncClient) -> None:
    items: list[Any] = [
        IDLE,
        {"kind": "no.such"},
        5,
        {"kind": "diagnostics.sleep", "input": {"seconds": "long"}},
        IDLE | {"input": "x\x00y"},
        IDLE | {"input": "\\u0000 is not a NUL"},
        IDLE | {"lane": "bulk"},
        IDLE | {"idempotency_key": "käse"},
    ]
    answer = await api.post("/v1/jobs/bulk", json={"jobs": items})
    data = answer.json()["data"]
    assert answer.status_code == 202
    assert [each["index"] for each in data] == list(range(8))
    assert [each["status"] for each in data] == [202, 422, 422, 422, 422, 202, 202, 422]
    codes = ["unknown_kind", "invalid_request", "invalid_input", "invalid_text", "invalid_request"]
    assert [each["error"]["code"] for each in data if "error" in each] == codes
    assert pointers(data[1]["error"]) == ["/body/jobs/1/kind"]
    assert pointers(data[2]["error"]) == ["/body/jobs/2"]
    assert pointers(data[3]["error"]) == ["/body/jobs/3/input/seconds"]
    assert pointers(data[7]["error"]) == ["/body/jobs/7/idempotency_key"]
    assert data[6]["job"]["lane_id"] == "bulk"
    assert (await api.get(data[0]["job"]["links"]["self"])).json() == data[0]["job"]


async def test_a_bulk_request_repeated_with_its_key_submits_nothing_twice(api: httpx.AsyncClient) -> None:
    key, body = {"Idempotency-Key": str(uuid7())}, {"jobs": [IDLE, IDLE, IDLE | {"idempotency_key": str(uuid7())}]}
    first, second = [(await api.post("/v1/jobs/bulk", json=body, headers=key)).json()["data"] for _ in range(2)]
    assert len({each["job"]["job_id"] for each in first}) == 3
    assert [each["job"] for each in second] == [each["job"] for each in first]
    assert all(each["replayed"] for each in second)
    assert not any("replayed" in each for each in first)


async def test_an_items_own_key_is_the_same_as_the_header_of_a_single_submit(api: httpx.AsyncClient) -> None:
    key = str(uuid7())
    job = (await api.post("/v1/jobs", json=IDLE, headers={"Idempotency-Key": key})).json()
    bulk = await api.post("/v1/jobs/bulk", json={"jobs": [IDLE | {"idempotency_key": key}]})
    assert bulk.json()["data"][0]["job"] == job


async def test_a_thousand_jobs_in_one_request_all_run(api: httpx.AsyncClient, worker: Runtime) -> None:
    answer = await api.post("/v1/jobs/bulk", json={"jobs": [ECHO] * 1000})
    data = answer.json()["data"]
    assert {each["status"] for each in data} == {202}
    assert len({each["job"]["job_id"] for each in data}) == 1000
    for each in data[::100]:
        done = await api.get(each["job"]["links"]["self"], headers={"Prefer": "wait=30"})
        assert done.json()["status"] == "done"
    refused = await api.post("/v1/jobs/bulk", json={"jobs": [ECHO] * 1001})
    assert (refused.status_code, pointers(refused.json())) == (422, ["/body/jobs"])


async def test_bulk_requests_that_come_together_are_read_one_after_the_other(api: httpx.AsyncClient) -> None:
    """Their jobs' ids, which a process makes in order, tell in which order they were read."""
    answers = await asyncio.gather(*[api.post("/v1/jobs/bulk", json={"jobs": [IDLE] * 1000}) for _ in range(3)])
    read = [[entry["job"]["job_id"] for entry in answer.json()["data"]] for answer in answers]
    assert sorted(chain(*read)) == [*chain(*sorted(read))]
