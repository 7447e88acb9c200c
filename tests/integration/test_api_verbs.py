"""Cancel and retry: what they do to the job, to its lane and to whoever listens."""

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
from tests.support.waiting import eventually

IDLE = {"kind": "diagnostics.echo", "queue": "exam"}  # no worker of these tests runs this queue
FAIL = {"kind": "diagnostics.fail", "input": {"times": 1, "transient": False}}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worker(deployment: Deployment) -> AsyncIterator[Runtime]:
    async with serve_worker(deployment, "base") as runtime:
        yield runtime


async def submit(api: httpx.AsyncClient, body: dict[str, Any], *, wait: int | None = None) -> dict[str, Any]:
    answer = await api.post("/v1/jobs", json=body, headers={} if wait is None else {"Prefer": f"wait={wait}"})
    assert answer.is_success, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def status_of(api: httpx.AsyncClient, job: dict[str, Any], *, wait: int = 20) -> str:
    answer = await api.get(job["links"]["self"], headers={"Prefer": f"wait={wait}"})
    return str(answer.json()["status"])


async def test_a_queued_job_is_cancelled_at_once(api: httpx.AsyncClient) -> None:
    job = await submit(api, IDLE)
    answer = await api.post(job["links"]["cancel"])
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["finished_at"] is not None
    again = await api.post(job["links"]["cancel"])
    assert (again.status_code, again.json()["code"]) == (409, "job_not_cancellable")
    assert again.json()["job_status"] == "cancelled"


async def test_a_running_job_is_stopped_by_its_worker(api: httpx.AsyncClient, worker: Runtime) -> None:
    job = await submit(api, {"kind": "diagnostics.sleep", "input": {"seconds": 60}})

    async def runs() -> bool:
        return bool((await api.get(job["links"]["self"])).json()["status"] == "processing")

    await eventually(runs)
    first, second = await api.post(job["links"]["cancel"]), await api.post(job["links"]["cancel"])
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["status"] == "processing"
    assert await status_of(api, job) == "cancelled"


async def test_a_cancelled_head_lets_its_lane_go_on_at_once(api: httpx.AsyncClient, deployment: Deployment) -> None:
    jobs = [await submit(api, IDLE | {"queue": "chat", "lane": "cancelled-head"}) for _ in range(3)]
    assert (await api.post(jobs[0]["links"]["cancel"])).json()["lane_active"] is False
    assert (await api.get(jobs[1]["links"]["self"])).json()["lane_queue_position"] == 0
    async with serve_worker(deployment, "chat"):
        assert [await status_of(api, job) for job in jobs] == ["cancelled", "done", "done"]


async def test_a_failed_job_runs_again_with_a_fresh_budget(api: httpx.AsyncClient, worker: Runtime) -> None:
    job = await submit(api, FAIL, wait=20)
    assert (job["status"], job["error"], job["attempt"]) == ("failed", "diagnostics_failed", 1)
    answer = await api.post(job["links"]["retry"])
    retried = answer.json()
    assert (answer.status_code, retried["status"], retried["error"]) == (202, "queued", None)
    assert retried["job_id"] == job["job_id"]
    assert await status_of(api, job) == "failed"
    attempts = (await api.get(f"{job['links']['self']}/attempts")).json()["data"]
    assert [each["attempt"] for each in attempts] == [1, 2]


async def test_a_retried_job_of_a_lane_takes_its_turn(api: httpx.AsyncClient, worker: Runtime) -> None:
    failed = await submit(api, FAIL | {"lane": "retried"}, wait=20)
    sleeping = await submit(api, {"kind": "diagnostics.sleep", "input": {"seconds": 0.5}, "lane": "retried"})
    retried = (await api.post(failed["links"]["retry"])).json()
    assert (retried["lane_queue_position"], retried["lane_queue_size"]) == (1, 1)
    assert [await status_of(api, job) for job in (sleeping, failed)] == ["done", "failed"]
    attempts = (await api.get(f"{failed['links']['self']}/attempts")).json()["data"]
    ended = (await api.get(sleeping["links"]["self"])).json()["finished_at"]
    assert attempts[1]["started_at"] >= ended


async def test_only_a_failed_job_can_be_retried(api: httpx.AsyncClient, worker: Runtime) -> None:
    for job in (await submit(api, IDLE), await submit(api, {"kind": "diagnostics.echo"}, wait=20)):
        answer = await api.post(job["links"]["retry"])
        assert (answer.status_code, answer.json()["code"]) == (409, "job_not_retryable")


@pytest.mark.parametrize("verb", ["cancel", "retry"])
async def test_verbs_on_no_job_of_this_tenant_find_nothing(api: httpx.AsyncClient, verb: str) -> None:
    for job_id in (uuid7(), "17"):
        answer = await api.post(f"/v1/jobs/{job_id}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


async def test_of_many_cancels_and_one_retry_each_is_answered_for_what_it_found(
    api: httpx.AsyncClient, worker: Runtime
) -> None:
    job = await submit(api, IDLE)
    answers = await asyncio.gather(*(api.post(job["links"]["cancel"]) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 9]
    assert (await api.post(job["links"]["retry"])).status_code == 409
