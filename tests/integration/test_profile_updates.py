"""Updates of a student become one profile: merged in the lane's order, none lost, each source counted once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.engine.outbox import SUBMIT, emit
from app.kit.db import Connection, Database
from tests.support.chat import ended
from tests.support.deployment import Deployment, serve_worker
from tests.support.profiles import exam, profile, result, rows, tell, told
from tests.support.waiting import eventually

OVERLAPS = """
select count(*) from job_attempts a join job_attempts b using (tenant_id) join jobs ja on ja.job_id = a.job_id
join jobs jb on jb.job_id = b.job_id
where ja.lane_id = $1 and jb.lane_id = $1 and a.job_id <> b.job_id
  and a.started_at < b.finished_at and b.started_at < a.finished_at
"""


@pytest.fixture
def student(tenant: str) -> str:
    return f"学生-{tenant}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def workers(deployment: Deployment) -> AsyncIterator[None]:
    """Three of them, so that whatever could come at once does."""
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(serve_worker(deployment, "profile"))
        await stack.enter_async_context(serve_worker(deployment, "base"))
        yield


async def submit_in_bulk(api: httpx.AsyncClient, student: str, contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    body = {"jobs": [{"kind": "profile.update", "input": {"student_id": student, **each}} for each in contents]}
    answers = (await api.post("/v1/jobs/bulk", json=body)).json()["data"]
    assert {each["status"] for each in answers} == {202}, answers
    return [each["job"] for each in answers]


async def emit_all(database: Database, student: str, contents: list[dict[str, Any]]) -> None:
    """As a confirmation does: effects that commit with it, and that the base worker relays."""
    async with database.session("demo") as session:
        for each in contents:
            job = {"kind": "profile.update", "input": {"student_id": student, **each}}
            await emit(session, "demo", SUBMIT, job)


async def wait_for(api: httpx.AsyncClient, student: str, count: int) -> list[dict[str, Any]]:
    """All jobs of the student's lane, when there are so many and all have ended."""

    async def all_ended() -> list[dict[str, Any]] | None:
        page = (await api.get("/v1/jobs", params={"lane": f"student:{student}", "limit": 100})).json()
        jobs: list[dict[str, Any]] = page["data"]
        live = [each for each in jobs if each["status"] in ("queued", "processing")]
        return jobs if len(jobs) == count and not live else None

    return await eventually(all_ended, within=120, what=f"the end of {count} updates") or []


async def test_thirty_updates_from_several_doors_at_once(
    api: httpx.AsyncClient, database: Database, ledger: Connection, workers: None, student: str
) -> None:
    """More than a lane holds of what is bounded: nothing is turned away, nothing lost, nothing counted twice."""
    contents = [exam(f"e{number}", result("Q1", number % 6, 5, "p")) for number in range(30)]
    await asyncio.gather(
        *(tell(api, student, each) for each in contents[:10]),
        submit_in_bulk(api, student, contents[10:20]),
        emit_all(database, student, contents[20:]),
    )
    jobs = await wait_for(api, student, 30)
    assert {each["status"] for each in jobs} == {"done"}
    assert sum(each["result"]["merged"] for each in jobs) == 30
    found = await profile(api, student)
    assert (found["overall"]["results"], found["overall"]["points"]) == (30, 150)
    assert found["overall"]["mastery"] == pytest.approx(0.5, abs=0.001)  # all of one day: 75 of 150 points
    assert found["version"] == len([each for each in jobs if each["result"]["merged"]])
    assert await ledger.fetchval(OVERLAPS, f"student:{student}") == 0
    assert await rows(database, "profile_updates", student) == 0


async def test_a_source_that_is_told_anew_is_counted_once(
    api: httpx.AsyncClient, database: Database, workers: None, student: str
) -> None:
    await told(api, student, exam("e", result("Q1", 0, 5, "p"), result("Q2", 5, 5, "q"), class_name="7B"))
    await told(api, student, exam("other", result("Q1", 5, 5, "q")))
    merged = await told(api, student, exam("e", result("Q1", 4, 5, "p"), class_name="7A"))
    assert (merged["version"], merged["merged"], merged["weak"]) == (3, 1, [])
    found = await profile(api, student)
    assert {each["name"]: (each["mastery"], each["results"]) for each in found["knowledge_points"]} == {
        "p": (0.8, 1),
        "q": (1.0, 1),
    }
    assert found["class_name"] == "7A"
    assert await rows(database, "profile_results", student) == 2


async def test_the_same_word_of_the_outbox_again_changes_nothing(
    api: httpx.AsyncClient, ledger: Connection, database: Database, workers: None, student: str
) -> None:
    await emit_all(database, student, [exam("e", result("Q1", 1, 5, "p"), notes=["Slow start"])])
    [job] = await wait_for(api, student, 1)
    before = await profile(api, student)
    await ledger.execute("update outbox set delivered_at = null where payload #>> '{input,student_id}' = $1", student)

    async def delivered() -> bool:
        query = "select bool_and(delivered_at is not null) from outbox where payload #>> '{input,student_id}' = $1"
        return bool(await ledger.fetchval(query, student))

    await eventually(delivered, what="the second delivery")
    assert [each["job_id"] for each in await wait_for(api, student, 1)] == [job["job_id"]]
    assert await profile(api, student) == before


async def test_an_idempotency_key_names_one_update(api: httpx.AsyncClient, workers: None, student: str) -> None:
    content = {"source": {"kind": "teacher"}, "results": [result("Q1", 1, 5, "p")]}
    first = await tell(api, student, content, **{"Idempotency-Key": f"once-{student.encode().hex()}"})
    again = await tell(api, student, content, **{"Idempotency-Key": f"once-{student.encode().hex()}"})
    assert again["job_id"] == first["job_id"]
    await ended(api, first)
    assert (await profile(api, student))["overall"]["results"] == 1


async def test_notes_and_misconceptions_are_the_last_twenty(
    api: httpx.AsyncClient, workers: None, student: str
) -> None:
    for number in range(3):
        said = {"source": {"kind": "chat", "id": "main"}, "notes": [f"n{number}-{each}" for each in range(10)]}
        await told(api, student, {**said, "misconceptions": ["1/2 + 1/3 = 2/5"]})
    found = await profile(api, student)
    assert [each["text"] for each in found["notes"]] == [f"n{number}-{each}" for number in (1, 2) for each in range(10)]
    assert [each["text"] for each in found["misconceptions"]] == ["1/2 + 1/3 = 2/5"]
    assert found["notes"][0]["source"] | {"occurred_at": ""} == {
        "kind": "chat",
        "id": "main",
        "title": None,
        "occurred_at": "",
    }
