"""A parse's calls of a model count against `llm_total` as a chat's do; a parse that makes none waits for none.

The tenant may make one call at a time here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
import redis.asyncio as redis_client

from app.engine.permits import SINCE_KEY, Permit
from app.kit import json
from app.kit.ids import uuid7
from app.workloads.uploads import filling
from app.workloads.uploads.parsing import MODEL_CALLS
from tests.support import assignments, exams
from tests.support.chat import chat_worker, ended, model_environment, say
from tests.support.deployment import ADMIN_KEY, TENANT, Deployment, serve_worker
from tests.support.fleet import KILLED, Fleet
from tests.support.provider import ScriptedProvider, Step, serve_provider
from tests.support.waiting import eventually

PAPER = "1. Why does ice float? (4 points)\n2. Say what you see.\n"
ADVICE = json.text({"questions": [{"question_id": "Q1", "knowledge_points": ["density"]}]})
CALLS = Permit(TENANT, MODEL_CALLS).key


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def one_call(api: httpx.AsyncClient) -> None:
    limits = {"limits": {MODEL_CALLS: 1}}
    answer = await api.put(f"/admin/tenants/{TENANT}", json=limits, headers={"X-Admin-Key": ADMIN_KEY})
    assert answer.status_code in (200, 201), answer.text


@pytest_asyncio.fixture(loop_scope="session")
async def shared(deployment: Deployment) -> AsyncIterator[Any]:
    """The Redis that the permits are in."""
    client = redis_client.Redis.from_url(deployment.settings().shared_redis_url)
    await client.set(SINCE_KEY, 1)  # it forgot nobody's
    yield client
    await client.delete(CALLS)
    await client.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def model() -> AsyncIterator[ScriptedProvider]:
    async with serve_provider() as provider:
        provider.default = Step(text=ADVICE, first_delay=0.3)
        yield provider


@pytest.fixture
def fleet(deployment: Deployment, ledger: asyncpg.Connection, tmp_path: Path) -> Fleet:
    return Fleet(deployment, ledger, tmp_path)


def points_of(draft: dict[str, Any]) -> list[str]:
    points: list[str] = draft["questions"][0]["knowledge_points"]
    return points


async def taken_by_another(shared: Any) -> None:
    """The one call that the tenant may make, for as long as a test goes on."""
    await shared.zadd(CALLS, {f"{uuid7()}:1": 1e15})


async def test_calls_of_chats_exams_and_assignments_are_counted_together(
    api: httpx.AsyncClient, deployment: Deployment, shared: Any, model: ScriptedProvider
) -> None:
    env = model_environment(model)
    async with (
        chat_worker(deployment, model),
        serve_worker(deployment, "exam", **env),
        serve_worker(deployment, "assignment", **env),
    ):
        jobs = [await exams.upload(api, exams.paper(PAPER), exam_id=f"counted-{number}") for number in range(2)]
        jobs += [await assignments.upload(api, PAPER, assignment_id="counted")]
        jobs += [await say(api, "Why does ice float?", student=student) for student in ("ada", "ben", "eve")]
        done = [await ended(api, job, within=90.0) for job in jobs]
    assert [job["status"] for job in done] == ["done"] * len(jobs)
    assert points_of(await exams.draft_of(api, done[0])) == ["density"]
    assert len(model.calls) >= len(jobs)
    assert model.most_at_once == 1
    assert await shared.zcard(CALLS) == 0


async def test_a_parse_without_a_model_needs_no_permit(
    api: httpx.AsyncClient, deployment: Deployment, shared: Any
) -> None:
    await taken_by_another(shared)
    async with serve_worker(deployment, "exam"):
        _, draft = await exams.parsed(api, exams.paper(PAPER), exam_id="without")
    assert "model_unavailable" not in exams.codes(draft)


async def test_a_parse_that_never_gets_its_turn_ends_without_the_model(
    api: httpx.AsyncClient,
    deployment: Deployment,
    shared: Any,
    model: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await taken_by_another(shared)
    monkeypatch.setattr(filling, "PATIENCE", 1.0)
    async with serve_worker(deployment, "exam", **model_environment(model)):
        _, draft = await exams.parsed(api, exams.paper(PAPER), exam_id="turnless")
    [warning] = [each for each in draft["warnings"] if each["code"] == "model_unavailable"]
    assert "was not free for it" in warning["detail"]
    assert len(draft["questions"]) == 2
    assert model.calls == []
    assert await shared.zcard(CALLS) == 1


async def test_the_permit_of_a_worker_that_is_killed_in_its_call_comes_back(
    api: httpx.AsyncClient, fleet: Fleet, shared: Any, model: ScriptedProvider
) -> None:
    model.script(Step(silent=True))
    env: dict[str, Any] = model_environment(model)
    async with fleet.worker("exam", **env) as doomed:
        job = await exams.upload(api, exams.paper(PAPER), exam_id="widowed")

        async def is_asking() -> bool:
            return len(model.calls) == 1

        await eventually(is_asking, within=60.0, what="the call")
        assert await shared.zcard(CALLS) == 1
        doomed.kill()
        assert await asyncio.wait_for(doomed.wait(), 30.0) == KILLED
    async with serve_worker(fleet.deployment, "exam", **env):
        job = await ended(api, job, within=90.0)
    assert (job["status"], job["attempt"]) == ("done", 2)
    assert points_of(await exams.draft_of(api, job)) == ["density"]
    assert await shared.zcard(CALLS) == 0
