"""What operators see of queues and workers, and the pause."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.deployment import Deployment, serve_worker
from tests.support.waiting import eventually

ECHO = {"kind": "diagnostics.echo"}


@pytest.fixture(scope="module")
def operator(deployment: Deployment) -> dict[str, str]:
    return deployment.headers("operator_key")


async def queue(api: httpx.AsyncClient, operator: dict[str, str], name: str) -> dict[str, Any]:
    answer = await api.get("/admin/queues", headers=operator)
    found: dict[str, Any] = next(each for each in answer.json()["data"] if each["queue"] == name)
    return found


async def test_every_queue_is_listed_also_where_nothing_is(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    listed = (await api.get("/admin/queues", headers=operator)).json()["data"]
    assert {"chat", "exam", "assignment", "profile", "base"} <= {each["queue"] for each in listed}
    idle = await queue(api, operator, "profile")
    assert idle.pop("counted_at") is not None
    assert idle == {
        "queue": "profile",
        "state": "running",
        "paused": False,
        "draining": False,
        "queued": 0,
        "ready": 0,
        "scheduled": 0,
        "blocked": 0,
        "processing": 0,
        "oldest_ready_seconds": None,
        "workers": 0,
        "slots": 0,
    }


async def test_only_work_that_could_run_counts_as_ready(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    await api.post("/v1/jobs", json=ECHO | {"queue": "exam", "run_at": "2999-01-01T00:00:00Z"})
    waiting = await queue(api, operator, "exam")
    assert (waiting["queued"], waiting["oldest_ready_seconds"]) == (1, None)
    for _ in range(2):
        await api.post("/v1/jobs", json=ECHO | {"queue": "exam", "lane": "l"})
    ready = await queue(api, operator, "exam")
    assert ready["queued"] == 3
    assert (ready["ready"], ready["scheduled"], ready["blocked"]) == (1, 1, 1)
    assert 0 <= ready["oldest_ready_seconds"] < 60


async def test_a_paused_queue_accepts_and_does_not_run(
    api: httpx.AsyncClient, deployment: Deployment, operator: dict[str, str]
) -> None:
    paused = await api.post("/admin/queues/base/pause", headers=operator)
    assert (paused.status_code, paused.json()["paused"]) == (200, True)
    async with serve_worker(deployment, "base"):
        job = (await api.post("/v1/jobs", json=ECHO, headers={"Prefer": "wait=1"})).json()
        assert job["status"] == "queued"
        resumed = await api.post("/admin/queues/base/resume", headers=operator)
        assert (resumed.status_code, resumed.json()["paused"]) == (200, False)
        done = await api.get(job["links"]["self"], headers={"Prefer": "wait=20"})
        assert done.json()["status"] == "done"


@pytest.mark.parametrize("verb", ["pause", "drain", "resume"])
async def test_an_unknown_queue_is_not_found(api: httpx.AsyncClient, operator: dict[str, str], verb: str) -> None:
    answer = await api.post(f"/admin/queues/no-such/{verb}", headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (404, "queue_not_found")


async def test_workers_are_listed_while_they_live(
    api: httpx.AsyncClient, deployment: Deployment, operator: dict[str, str]
) -> None:
    async def listed() -> list[dict[str, Any]]:
        workers = (await api.get("/admin/workers", headers=operator)).json()["data"]
        return [each for each in workers if each["queue"] == "assignment"]

    async with serve_worker(deployment, "assignment"):
        (worker,) = await listed()
        assert (worker["alive"], worker["load"]) == (True, 0)
        assert worker["slots"] > 0
        words = "worker_id queue host pid version slots load started_at lease_until alive"
        assert set(worker) == set(words.split())
        assert (await queue(api, operator, "assignment"))["workers"] == 1

    async def gone() -> bool:
        return not await listed()

    await eventually(gone)
