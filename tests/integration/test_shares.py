"""Who gets how much of a queue, and what operators do with one job of a tenant."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from app.engine.ledger.finish import End
from app.engine.ledger.samples import INTERVAL, read_samples, take_samples
from app.engine.ledger.shares import WAITING, tenant_shares
from app.kit.db import Connection, Database
from app.tenancy.tenants import create_tenant
from tests.support.deployment import Deployment, serve_worker
from tests.support.jobs import begun, end, live_worker, queued
from tests.support.waiting import eventually

SLEEP = {"kind": "diagnostics.sleep", "input": {"seconds": 60}}


@pytest.fixture(scope="module")
def operator(deployment: Deployment) -> dict[str, str]:
    return deployment.headers("operator_key")


async def shares(api: httpx.AsyncClient, operator: dict[str, str], queue: str) -> dict[str, Any]:
    answer = await api.get("/admin/shares", params={"queue": queue, "seconds": 3600}, headers=operator)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["data"]
    assert found["queue"] == queue
    of_tenants: dict[str, Any] = {each.pop("tenant_id"): each for each in found.pop("tenants")}
    return {**found, "tenants": of_tenants}


async def test_shares_are_judged_by_weight_among_those_that_wait(
    api: httpx.AsyncClient, operator: dict[str, str], database: Database, ledger: Connection
) -> None:
    for tenant in ("heavy", "light", "content"):
        await create_tenant(database, tenant)
    answer = await api.put("/admin/tenants/heavy", json={"limits": {"weight": 3.0}}, headers=operator)
    assert answer.status_code == 200
    worker = await live_worker(ledger, queue="exam")
    for tenant, jobs in (("heavy", 3), ("light", 1), ("content", 4)):
        for _ in range(jobs):
            await end(
                ledger, await begun(ledger, await queued(ledger, tenant_id=tenant, queue="exam"), worker), End.DONE
            )
    assert (await shares(api, operator, "exam"))["fairness"] is None  # nobody waits: nobody can be wronged
    await begun(ledger, await queued(ledger, tenant_id="content", queue="exam"), worker)
    for tenant in ("heavy", "light", "light"):
        await queued(ledger, tenant_id=tenant, queue="exam")

    found = await shares(api, operator, "exam")
    assert (found["ended"], found["fairness"]) == (8, 1.0)
    heavy, light, content = (found["tenants"][name] for name in ("heavy", "light", "content"))
    assert (heavy["weight"], heavy["waiting"], heavy["ended"], heavy["share"], heavy["due"]) == (3, 1, 3, 0.375, 0.75)
    assert (light["weight"], light["waiting"], light["waiting_more"], light["due"]) == (1, 2, False, 0.25)
    assert (content["waiting"], content["running"], content["share"], content["due"]) == (0, 1, 0.5, None)

    for _ in range(4):  # now one has had nearly all of it
        await end(ledger, await begun(ledger, await queued(ledger, tenant_id="light", queue="exam"), worker), End.DONE)
    assert (await shares(api, operator, "exam"))["fairness"] == pytest.approx((1 + 5) ** 2 / (2 * (1 + 25)))


async def test_no_more_are_counted_than_tell_something(ledger: Connection) -> None:
    await ledger.execute(
        "insert into jobs (job_id, tenant_id, queue, kind, max_attempts, input, timeout_seconds) "
        "select gen_random_uuid(), 'crowd', 'profile', 'test.kind', 3, '{}', 60 from generate_series(1, $1)",
        WAITING + 5,
    )
    found = (await tenant_shares(ledger, ["profile"], 60))["profile"]["crowd"]
    assert (found.waiting, found.waiting_more) == (WAITING, True)


async def test_a_sample_tells_how_long_jobs_took(ledger: Connection) -> None:
    worker = await live_worker(ledger)
    moment = f"date_bin('{INTERVAL} seconds', now() - interval '1 second', 'epoch') - interval '5 seconds'"
    for seconds in (1, 2, 3, 100):
        job = await begun(ledger, await queued(ledger), worker)
        await end(ledger, job, End.DONE)
        await ledger.execute(
            f"update jobs set queue = 'timed', finished_at = {moment}, retries = $3,"
            f" created_at = {moment} - make_interval(secs => $2) where job_id = $1",
            job.job_id,
            seconds,
            int(seconds == 100),  # one that somebody retried was not slow: it lay failed meanwhile
        )
    assert await take_samples(ledger, ["timed", "idle"])
    (timed,), (idle,) = await read_samples(ledger, "timed", 5), await read_samples(ledger, "idle", 5)
    assert (timed["latency_p50"], timed["latency_p95"]) == (pytest.approx(2), pytest.approx(2.9))
    assert (idle["latency_p50"], idle["latency_p95"]) == (None, None)


async def log_of(api: httpx.AsyncClient, operator: dict[str, str], job_id: str) -> list[str]:
    found = (await api.get("/admin/audit", params={"tenant": "demo"}, headers=operator)).json()["data"]
    return [each["action"] for each in found if each["target"] == job_id]


async def test_an_operator_cancels_and_retries_a_tenant_s_job_on_record(
    api: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    waiting = (await api.post("/v1/jobs", json=SLEEP | {"queue": "assignment"})).json()
    path = f"/admin/jobs/{waiting['job_id']}"
    early = await api.post(f"{path}/retry", headers=operator)
    assert (early.status_code, early.json()["code"]) == (409, "job_not_retryable")
    ended = await api.post(f"{path}/cancel", headers=operator)
    assert (ended.status_code, ended.json()["status"], ended.json()["tenant_id"]) == (200, "cancelled", "demo")
    again = await api.post(f"{path}/cancel", headers=operator)
    assert (again.status_code, again.json()["code"]) == (409, "job_not_cancellable")
    assert await log_of(api, operator, waiting["job_id"]) == ["job.cancel"]  # what was refused was no deed


async def test_a_failed_job_is_retried_and_a_running_one_stopped(
    api: httpx.AsyncClient, operator: dict[str, str], deployment: Deployment
) -> None:
    fail = {"kind": "diagnostics.fail", "input": {"times": 1, "transient": False}}
    async with serve_worker(deployment, "base"):
        failed = (await api.post("/v1/jobs", json=fail, headers={"Prefer": "wait=20"})).json()
        assert failed["status"] == "failed"
        retried = await api.post(f"/admin/jobs/{failed['job_id']}/retry", headers=operator)
        assert (retried.status_code, retried.json()["retries"]) == (202, 1)
        again = (await api.get(failed["links"]["self"], headers={"Prefer": "wait=20"})).json()
        assert (again["status"], again["attempt"]) == ("failed", 2)
        assert await log_of(api, operator, failed["job_id"]) == ["job.retry"]

        running = (await api.post("/v1/jobs", json=SLEEP)).json()

        async def stopped() -> bool:
            return (await api.post(f"/admin/jobs/{running['job_id']}/cancel", headers=operator)).status_code == 202

        async def runs() -> bool:
            return bool((await api.get(running["links"]["self"])).json()["status"] == "processing")

        await eventually(runs)
        await eventually(stopped)
        assert (await api.get(running["links"]["self"], headers={"Prefer": "wait=20"})).json()["status"] == "cancelled"


async def test_an_operator_hears_of_a_job_and_not_what_is_in_it(
    api: httpx.AsyncClient, operator: dict[str, str], deployment: Deployment
) -> None:
    said = {"role": "teacher", "teacher_id": "t", "messages": [{"role": "user", "content": "What is a fraction?"}]}
    async with serve_worker(deployment, "chat"):
        turn = (await api.post("/v1/chat", json=said)).json()
        answer = await api.get(f"/admin/jobs/{turn['job_id']}/events", headers=operator)
    frames = [dict(line.split(": ", 1) for line in part.split("\n")) for part in answer.text.strip().split("\n\n")]
    told = [(frame["event"], json.loads(frame["data"])) for frame in frames if "event" in frame]
    assert [event for event, _ in told if event != "delta"] == ["queued", "started", "done"]
    deltas = [data for event, data in told if event == "delta"]
    assert deltas
    assert all(data["size"] > 0 and "text" not in data for data in deltas)
    assert told[-1][1]["result"] is None
    own = (await api.get(turn["links"]["self"])).json()
    assert own["result"]["reply"]
    assert not any(line and line in answer.text for line in own["result"]["reply"].splitlines() if len(line) > 20)
    seen = await api.get(f"/admin/jobs/{turn['job_id']}/events", headers=operator | {"Last-Event-ID": frames[-1]["id"]})
    assert seen.status_code == 204
