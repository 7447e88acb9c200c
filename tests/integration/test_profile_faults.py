"""What waits for a student's run, and a run that dies: nothing is lost, nothing is merged twice."""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

import httpx
import pytest

from app.kit.db import Connection, Database
from tests.support.chat import ended
from tests.support.deployment import Deployment, serve_worker
from tests.support.jobs import attempts
from tests.support.processes import running
from tests.support.profiles import exam, profile, result, rows, tell

KILLED = -9
WORKER = (sys.executable, "run_profile_worker.py")


@pytest.fixture
def student(tenant: str) -> str:
    return f"student-of-{tenant}"


async def test_the_first_run_takes_all_that_waits_along(
    api: httpx.AsyncClient, deployment: Deployment, student: str
) -> None:
    jobs = [await tell(api, student, exam(f"e{number}", result("Q1", 3, 5, "p"))) for number in range(5)]
    assert {each["lane_id"] for each in jobs} == {f"student:{student}"}
    async with serve_worker(deployment, "profile"):
        results = [(await ended(api, each, within=90))["result"] for each in jobs]
    assert [(each["version"], each["merged"]) for each in results] == [(1, 5), *[(1, 0)] * 4]
    assert {tuple(each["next_focus"]) for each in results} == {()}  # 0.6: medium, and nobody assigned it


async def test_a_cancelled_update_is_not_merged(api: httpx.AsyncClient, deployment: Deployment, student: str) -> None:
    kept, dropped = [await tell(api, student, exam(each, result("Q1", 5, 5, each))) for each in ("kept", "dropped")]
    assert (await api.post(dropped["links"]["cancel"])).json()["status"] == "cancelled"
    async with serve_worker(deployment, "profile"):
        assert (await ended(api, kept))["result"]["merged"] == 1
    assert [each["name"] for each in (await profile(api, student))["knowledge_points"]] == ["kept"]


async def test_an_update_that_cannot_be_read_holds_up_no_other(
    api: httpx.AsyncClient, database: Database, deployment: Deployment, student: str
) -> None:
    bad, good = [await tell(api, student, exam(each, result("Q1", 5, 5, each))) for each in ("bad", "good")]
    async with database.tenant("demo") as connection:  # as a later release might find it
        await connection.execute(
            "update profile_updates set content = '{\"source\": 5}' where job_id = $1::uuid", bad["job_id"]
        )
    async with serve_worker(deployment, "profile"):
        failed = await ended(api, bad)
        assert (failed["status"], failed["error"]) == ("failed", "update_not_readable")
        assert (await ended(api, good))["result"]["merged"] == 1
    assert [each["name"] for each in (await profile(api, student))["knowledge_points"]] == ["good"]


@pytest.mark.parametrize(
    ("place", "merged"),
    [("profile.merged", 0), ("complete.committed", 1)],
    ids=["before the commit", "after the commit"],
)
async def test_a_worker_killed_while_it_merges(
    *,
    api: httpx.AsyncClient,
    database: Database,
    ledger: Connection,
    deployment: Deployment,
    student: str,
    place: str,
    merged: int,
) -> None:
    jobs = [await tell(api, student, exam(f"e{number}", result("Q1", 2, 5, "p"))) for number in range(3)]
    environment = deployment.environment(FAILPOINTS=f"{place}=kill", LEASE_SECONDS="1")
    async with running(WORKER, environment=environment) as doomed:
        assert await asyncio.wait_for(doomed.wait(), 120) == KILLED
    assert await rows(database, "profiles", student) == merged
    assert await rows(database, "profile_updates", student) == (0 if merged else 3)
    async with serve_worker(deployment, "profile"):
        results = [(await ended(api, each, within=90))["result"] for each in jobs]
    assert [each["merged"] for each in results] == [3, 0, 0]
    found = await profile(api, student)
    assert (found["version"], found["overall"]["results"]) == (1, 3)
    tried = await attempts(ledger, UUID(jobs[0]["job_id"]))
    assert (tried[-1], tried.count("success"), "lost" in tried) == ("success", 1, not merged)
