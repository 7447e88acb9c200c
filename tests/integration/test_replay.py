"""Dead letters: found by what they have in common, and queued again without losing order or doubling work."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from app.engine import replay as engine_replay
from app.engine.ledger.finish import End
from app.engine.ledger.replay import DeadLetters, count_failed, oldest_failed
from app.engine.ledger.retry import retry_many
from app.kit.db import Connection
from tests.support.deployment import Deployment, serve_worker
from tests.support.jobs import attempts, begun, end, live_worker, queued, row
from tests.support.waiting import eventually


@pytest_asyncio.fixture(loop_scope="session")
async def worker(ledger: Connection) -> UUID:
    return await live_worker(ledger)


@pytest.fixture(scope="module")
def operator(deployment: Deployment) -> dict[str, str]:
    return deployment.headers("operator_key")


@pytest.fixture
def batches_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_replay, "BATCH", 4)


async def failed(ledger: Connection, worker: UUID, error: str = "broken", **fields: Any) -> UUID:
    delivery = await begun(ledger, await queued(ledger, **fields), worker)
    await end(ledger, delivery, End.FAILED, error=error, error_detail="why")
    return delivery.job_id


async def letters(ledger: Connection, **wanted: Any) -> DeadLetters:
    return DeadLetters(**{"failed_before": await ledger.fetchval("select now()")} | wanted)


async def ask(api: httpx.AsyncClient, operator: dict[str, str], **wanted: Any) -> dict[str, Any]:
    answer = await api.post("/admin/jobs/replay", json=wanted, headers=operator)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_filter_finds_what_failed_so_and_nothing_else(ledger: Connection, tenant: str, worker: UUID) -> None:
    timeout = await failed(ledger, worker, "timeout", tenant_id=tenant)
    other_kind = await failed(ledger, worker, "timeout", tenant_id=tenant, kind="other.kind")
    broken = await failed(ledger, worker, tenant_id=tenant)
    await failed(ledger, worker, "timeout", tenant_id=f"not-{tenant}")
    await queued(ledger, tenant_id=tenant)

    async def found(**wanted: Any) -> list[UUID]:
        chosen = await letters(ledger, tenant_id=tenant, **wanted)
        listed = [letter.job_id for letter in await oldest_failed(ledger, chosen, 10)]
        assert len(listed) == await count_failed(ledger, chosen)
        return listed

    assert await found() == [timeout, other_kind, broken]
    assert await found(error="timeout") == [timeout, other_kind]
    assert await found(error="timeout", kind="other.kind") == [other_kind]
    assert await found(queue="chat") == []
    when = (await row(ledger, broken))["finished_at"]
    assert await found(failed_after=when) == [broken]
    assert await found(failed_before=when) == [timeout, other_kind]


async def test_a_lane_keeps_its_order_and_goes_to_its_own_tail(ledger: Connection, tenant: str, worker: UUID) -> None:
    jobs = [await failed(ledger, worker, tenant_id=tenant, lane_id="lane") for _ in range(3)]
    elsewhere = await failed(ledger, worker, tenant_id=tenant, lane_id="other")
    waiting = await queued(ledger, tenant_id=tenant, lane_id="lane")
    async with ledger.transaction():
        retried = await retry_many(ledger, [tenant] * 4, [elsewhere, *reversed(jobs)])
    assert [(job.lane_id, job.job_id) for job in retried] == [("lane", job) for job in jobs] + [("other", elsewhere)]
    assert [job.lane_seq for job in retried] == [5, 6, 7, 2]
    later = await queued(ledger, tenant_id=tenant, lane_id="lane")
    assert (waiting.lane_seq, later.lane_seq) == (4, 8)


async def test_a_job_that_failed_again_after_the_moment_is_left_alone(
    ledger: Connection, tenant: str, worker: UUID
) -> None:
    old, again = [await failed(ledger, worker, tenant_id=tenant) for _ in range(2)]
    moment = (await row(ledger, again))["finished_at"]
    async with ledger.transaction():
        retried = await retry_many(ledger, [tenant] * 2, [old, again], failed_before=moment)
    assert [job.job_id for job in retried] == [old]
    assert (await row(ledger, again))["status"] == "failed"


async def test_a_dry_run_counts_and_changes_nothing(
    api: httpx.AsyncClient, operator: dict[str, str], ledger: Connection, tenant: str, worker: UUID
) -> None:
    jobs = [await failed(ledger, worker, tenant_id=tenant) for _ in range(25)]
    answer = await ask(api, operator, tenant=tenant, dry_run=True)
    assert (answer["matched"], answer["replayed"], answer["remaining"]) == (25, 0, 25)
    assert [each["job_id"] for each in answer["sample"]] == [str(job) for job in jobs[:20]]
    assert {"input", "result"}.isdisjoint(answer["sample"][0])
    assert (await row(ledger, jobs[0]))["status"] == "failed"


@pytest.mark.usefixtures("batches_of_four")
async def test_a_replay_queues_again_in_batches_and_says_how_many(
    api: httpx.AsyncClient, operator: dict[str, str], ledger: Connection, tenant: str, worker: UUID
) -> None:
    jobs = [await failed(ledger, worker, tenant_id=tenant) for _ in range(10)]
    answer = await ask(api, operator, tenant=tenant, error="broken", limit=6)
    assert (answer["matched"], answer["replayed"], answer["remaining"]) == (10, 6, 4)
    assert [(await row(ledger, job))["retries"] for job in jobs] == [1] * 6 + [0] * 4
    rest = await ask(api, operator, tenant=tenant, error="broken", failed_before=answer["failed_before"])
    assert (rest["matched"], rest["replayed"], rest["remaining"], rest["sample"]) == (4, 4, 0, [])
    again = await ask(api, operator, tenant=tenant, error="broken", failed_before=answer["failed_before"])
    assert (again["matched"], again["replayed"]) == (0, 0)

    log = (await api.get("/admin/audit", params={"action": "jobs.replay", "limit": 10}, headers=operator)).json()[
        "data"
    ]
    mine = [entry["detail"] for entry in log if entry["detail"]["filter"]["tenant"] == tenant]
    assert [detail["replayed"] for detail in mine] == [4, 2, 4]  # newest first
    assert mine[0]["filter"]["error"] == "broken"


async def test_replayed_jobs_run_once_more_in_their_lane_s_order(
    api: httpx.AsyncClient, operator: dict[str, str], deployment: Deployment, ledger: Connection
) -> None:
    fails = {"kind": "diagnostics.fail", "queue": "exam", "input": {"times": 1, "transient": False}}
    jobs = []
    async with serve_worker(deployment, "exam"):
        for lane in ("a", "a", None):
            answer = await api.post("/v1/jobs", json=fails | {"lane": lane}, headers={"Prefer": "wait=20"})
            assert answer.json()["status"] == "failed", answer.text
            jobs.append(UUID(answer.json()["job_id"]))
        first = await ask(api, operator, queue="exam", tenant="demo")
        assert first["replayed"] == 3

        async def failed_again() -> bool:
            return [await attempts(ledger, job) for job in jobs] == [["failure", "failure"]] * 3

        await eventually(failed_again, what="the second end of the replayed jobs")
        again = await ask(api, operator, queue="exam", tenant="demo", failed_before=first["failed_before"])
        assert (again["matched"], again["replayed"]) == (0, 0)  # to repeat the request does the work once
    ahead, behind = [
        await ledger.fetchrow("select * from job_attempts where job_id = $1 and attempt = 2", job) for job in jobs[:2]
    ]
    assert ahead is not None
    assert behind is not None
    assert ahead["finished_at"] <= behind["started_at"]


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 10_001}, {"failed_after": "yesterday"}, {"status": "done"}])
async def test_a_replay_that_cannot_be_meant_is_refused(
    api: httpx.AsyncClient, operator: dict[str, str], wrong: dict[str, Any]
) -> None:
    answer = await api.post("/admin/jobs/replay", json=wrong, headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
