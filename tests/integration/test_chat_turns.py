"""A turn's way through the real API and a real worker: stored with its job, answered in order, once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import pytest_asyncio

from app.kit.db import Database
from app.workloads.chat.service import answering
from tests.support.chat import ask, chat_worker, ended, listen, messages, say
from tests.support.deployment import Deployment
from tests.support.provider import ScriptedProvider, Step, serve_provider
from tests.support.waiting import eventually


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with serve_provider() as running:
        yield running


@pytest.fixture
def student(tenant: str) -> str:
    """A person of the test's own."""
    return f"student-of-{tenant}"


async def test_a_turn_is_stored_with_its_job_and_its_reply_with_the_end(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    job = await say(api, "What is a fraction?", student=student, request_id=f"r-{student}")
    lane = f"student:{student}:main"
    assert (job["kind"], job["queue"], job["session_id"], job["lane_id"]) == ("chat.reply", "chat", "main", lane)
    assert (job["lane_queue_position"], job["lane_queue_size"], job["lane_active"]) == (0, 0, True)
    assert job["request_id"] == f"r-{student}"
    [question] = await messages(api, lane)
    assert (question["role"], question["content"], question["job_id"]) == ("user", "What is a fraction?", job["job_id"])

    async with chat_worker(deployment, provider):
        job = await ended(api, job)
    assert job["status"] == "done"
    reply = job["result"]
    assert (reply["reply"], reply["partial"], reply["turn"]) == ("You said: What is a fraction?", False, 1)
    assert reply["usage"] == {"input_tokens": reply["usage"]["input_tokens"], "output_tokens": 6, "estimated": False}
    said = await messages(api, lane)
    assert [(each["turn"], each["role"], each["content"]) for each in said] == [
        (1, "user", "What is a fraction?"),
        (1, "assistant", "You said: What is a fraction?"),
    ]


async def test_the_turns_of_a_session_are_answered_in_order_and_know_what_was_said(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    jobs = [await say(api, f"question {number}", student=student) for number in range(4)]
    assert [job["lane_queue_position"] for job in jobs] == [0, 1, 2, 3]
    provider.script(*(Step(text=f"answer {number}") for number in range(4)))
    async with chat_worker(deployment, provider):
        assert [(await ended(api, job))["result"]["reply"] for job in jobs] == [f"answer {n}" for n in range(4)]
    asked = provider.asked("question 3").messages
    assert [each["role"] for each in asked] == ["system", *["user", "assistant"] * 3, "user"]
    assert [each["content"] for each in asked[1:]] == [
        *(text for number in range(3) for text in (f"question {number}", f"answer {number}")),
        "question 3",
    ]


async def test_a_failed_reply_is_retried_into_its_own_place(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    provider.script(Step(status=400, error={"code": "bad", "message": "no"}), Step(text="second"), Step(text="first"))
    async with chat_worker(deployment, provider):
        failed = await ask(api, "first?", student=student)
        assert failed["status"] == "failed"
        await ask(api, "second?", student=student)
        retried = await ended(api, (await api.post(failed["links"]["retry"])).json())
    assert (retried["status"], retried["job_id"]) == ("done", failed["job_id"])
    said = await messages(api, failed["lane_id"])
    assert [each["content"] for each in said] == ["first?", "first", "second?", "second"]
    assert len(provider.asked("first?").messages) == 2  # what came later is no part of its past


async def test_a_busy_provider_is_asked_again_and_the_lane_waits(
    api: httpx.AsyncClient,
    deployment: Deployment,
    provider: ScriptedProvider,
    student: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "LONGEST_WAIT", 1.0)  # the test has less time than a lane
    provider.script(Step(status=429, retry_after="60"), Step(text="at last"), Step(text="next"))
    async with chat_worker(deployment, provider, LLM_TIMEOUT_SECONDS="5"):
        first, second = [await say(api, text, student=student) for text in ("one", "two")]

        async def waits() -> bool:
            attempts = (await api.get(f"{first['links']['self']}/attempts")).json()["data"]
            return [each["error"] for each in attempts] == ["provider_busy"]

        await eventually(waits, what="a first attempt that met a busy provider")
        assert (await api.get(second["links"]["self"])).json()["status"] == "queued"
        assert (await ended(api, first))["result"]["reply"] == "at last"
        assert (await ended(api, second))["result"]["reply"] == "next"


async def test_usage_is_kept_for_every_attempt(
    api: httpx.AsyncClient, deployment: Deployment, database: Database, provider: ScriptedProvider, student: str
) -> None:
    provider.script(Step(text="broken off here", piece=5, after=2, end="cut"), Step(text="three whole words"))
    async with chat_worker(deployment, provider):
        job = await ask(api, "Well?", student=student)
    assert job["result"]["reply"] == "three whole words"
    connection = await asyncpg.connect(deployment.database_url)
    try:
        rows = await connection.fetch("select * from llm_usage where job_id = $1 order by attempt", job["job_id"])
    finally:
        await connection.close()
    assert [(row["attempt"], row["estimated"], row["output_tokens"] > 0) for row in rows] == [
        (1, True, True),
        (2, False, True),
    ]


async def test_a_turn_that_is_cancelled_while_it_waits_has_no_reply_and_the_lane_goes_on(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    jobs = [await say(api, f"question {number}", student=student) for number in range(3)]
    assert (await api.post(jobs[1]["links"]["cancel"])).json()["status"] == "cancelled"
    async with chat_worker(deployment, provider):
        statuses = [(await ended(api, job))["status"] for job in jobs]
    assert statuses == ["done", "cancelled", "done"]
    said = await messages(api, jobs[0]["lane_id"])
    assert [(each["turn"], each["role"]) for each in said] == [
        (1, "user"),
        (1, "assistant"),
        (2, "user"),
        (3, "user"),
        (3, "assistant"),
    ]


async def test_a_worker_that_must_stop_hands_its_reply_back_unspoiled(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    provider.script(Step(text="half and more", piece=5, after=1, end="stall"), Step(text="whole"))
    async with chat_worker(deployment, provider, CHAT_GRACE_SECONDS="0"):
        job = await say(api, "Well?", student=student)
        async for event in listen(api, job):
            if event.event == "delta":
                break
    async with chat_worker(deployment, provider):
        job = await ended(api, job)
    assert (job["status"], job["result"]["reply"], job["result"]["partial"]) == ("done", "whole", False)
    said = await messages(api, job["lane_id"])
    assert [each["content"] for each in said] == ["Well?", "whole"]
