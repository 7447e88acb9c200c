"""What operators do with queues and see of them: drain, samples, lanes, and jobs of all tenants."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.engine.ledger.begin import Verdict
from app.engine.ledger.census import count_jobs
from app.engine.ledger.finish import End
from app.engine.ledger.samples import read_samples, take_samples
from app.kit.db import Connection, Database
from tests.support.deployment import Deployment, serve_worker
from tests.support.jobs import begun, end, live_worker, queued, try_begin
from tests.support.waiting import eventually

ECHO = {"kind": "diagnostics.echo", "input": {"secret": "words"}}
SLEEP = {"kind": "diagnostics.sleep", "input": {"seconds": 60}}


@pytest.fixture(scope="module")
def operator(deployment: Deployment) -> dict[str, str]:
    return deployment.headers("operator_key")


async def get(api: httpx.AsyncClient, operator: dict[str, str], path: str, **query: Any) -> Any:
    answer = await api.get(f"/admin/{path}", params=query, headers=operator)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(api: httpx.AsyncClient, headers: dict[str, str], path: str) -> Any:
    answer = await api.post(path, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


async def test_a_drain_lets_end_what_runs_on_every_worker_and_begins_nothing(
    api: httpx.AsyncClient, operator: dict[str, str], deployment: Deployment
) -> None:
    async with serve_worker(deployment, "base"), serve_worker(deployment, "base"):
        running = [(await api.post("/v1/jobs", json=SLEEP)).json() for _ in range(3)]

        async def all_run() -> bool:
            found = await get(api, operator, "queues")
            return [each["processing"] for each in found["data"] if each["queue"] == "base"] == [3]

        await eventually(all_run)
        drain = await post(api, operator, "/admin/queues/base/drain")
        assert (drain["state"], drain["paused"], drain["processing"]) == ("draining", True, 3)
        assert {each["job_id"] for each in drain["running"]} == {each["job_id"] for each in running}
        assert {each["tenant_id"] for each in drain["running"]} == {"demo"}
        assert all(each["deadline_at"] for each in drain["running"])

        late = (await api.post("/v1/jobs", json=ECHO | {"queue": "base"})).json()
        waiting = asyncio.create_task(post(api, operator | {"Prefer": "wait=30"}, "/admin/queues/base/drain"))
        for job in running:
            await post(api, {}, job["links"]["cancel"])
        drained = await waiting
        assert (drained["state"], drained["running"], drained["queued"]) == ("drained", [], 1)
        assert (await api.get(late["links"]["self"])).json()["status"] == "queued"

        assert (await post(api, operator, "/admin/queues/base/resume"))["state"] == "running"
        done = await api.get(late["links"]["self"], headers={"Prefer": "wait=20"})
        assert done.json()["status"] == "done"


async def test_a_drain_outlives_everything_and_is_on_record(
    api: httpx.AsyncClient, operator: dict[str, str], ledger: Connection
) -> None:
    job = await queued(ledger, queue="profile")
    worker = await live_worker(ledger, queue="profile")
    await post(api, operator, "/admin/queues/profile/drain")
    assert (await try_begin(ledger, job, worker)).verdict is Verdict.LATER  # whatever Redis says or forgets
    assert (await post(api, operator, "/admin/queues/profile/pause"))["state"] == "paused"
    await post(api, operator, "/admin/queues/profile/resume")
    assert (await try_begin(ledger, job, worker)).verdict is Verdict.RUN
    deeds = (await get(api, operator, "audit"))["data"][:3]
    assert [(each["action"], each["target"]) for each in deeds] == [
        ("queue.resume", "profile"),
        ("queue.pause", "profile"),
        ("queue.drain", "profile"),
    ]


async def test_a_lane_s_head_is_ready_since_the_one_before_it_ended(ledger: Connection) -> None:
    worker = await live_worker(ledger, queue="chat")
    first, second, _ = [await queued(ledger, queue="chat", lane_id="lane") for _ in range(3)]
    delivery = await begun(ledger, first, worker)
    await ledger.execute(
        "update jobs set created_at = created_at - interval '1 hour' where job_id = any($1)",
        [first.job_id, second.job_id],
    )
    (held,) = await count_jobs(ledger, ["chat"])
    assert (held.queued, held.ready, held.blocked, held.processing) == (2, 0, 2, 1)
    assert held.oldest_ready_seconds is None
    await end(ledger, delivery, End.DONE)
    (free,) = await count_jobs(ledger, ["chat"])
    assert (free.queued, free.ready, free.blocked, free.processing) == (2, 1, 1, 0)
    assert free.oldest_ready_seconds is not None
    assert free.oldest_ready_seconds < 1800  # it waited for its lane for an hour, and for a slot since just now


MOMENT = "date_bin('10 seconds', now() - interval '1 second', 'epoch')"


async def test_a_moment_is_sampled_once_whoever_asks(database: Database, ledger: Connection) -> None:
    worker = await live_worker(ledger)
    failed = await begun(ledger, await queued(ledger, queue="sampled-0"), worker)
    await end(ledger, failed, End.FAILED)
    queues = (f"sampled-{number}" for number in range(1, 100))

    async def sample(queue: str) -> bool:
        async with database.ledger.acquire() as connection:
            return await take_samples(connection, [queue])

    async def samples_of_one_moment() -> list[dict[str, Any]]:
        queue = next(queues)
        await queued(ledger, queue=queue)
        moment = await ledger.fetchval(
            f"update jobs set queue = $2, finished_at = {MOMENT} - interval '1 s' where job_id = $1 returning {MOMENT}",
            failed.job_id,
            queue,
        )
        assert any(await asyncio.gather(*(sample(queue) for _ in range(4))))
        found = await read_samples(ledger, queue, 60)
        return found if {each["sampled_at"] for each in found} == {moment} else []  # the next moment had come

    (found,) = await eventually(samples_of_one_moment)
    assert (found["queued"], found["ready"], found["processing"]) == (1, 1, 0)
    assert (found["done"], found["failed"]) == (0, 1)


async def test_samples_are_kept_for_two_hours(ledger: Connection) -> None:
    await ledger.execute(
        "insert into queue_samples select 'old', now() - make_interval(mins => age), 0, 0, 0, 0, 0, null, 0, 0 "
        "from unnest(array[30, 110, 130]) as made (age)"
    )
    assert len(await read_samples(ledger, "old", 60)) == 1
    assert await take_samples(ledger, ["another"])
    assert await ledger.fetchval("select count(*) from queue_samples where queue = 'old'") == 2


async def test_the_base_worker_samples_every_queue(
    api: httpx.AsyncClient, operator: dict[str, str], deployment: Deployment
) -> None:
    async with serve_worker(deployment, "base"), serve_worker(deployment, "base"):

        async def sampled() -> list[dict[str, Any]]:
            data: list[dict[str, Any]] = (await get(api, operator, "samples"))["data"]
            return data if all(each["samples"] for each in data) else []

        found = await eventually(sampled)
    assert {"chat", "exam", "assignment", "profile", "base"} <= {each["queue"] for each in found}
    alone = await get(api, operator, "samples", queue="exam", minutes=5)
    assert [each["queue"] for each in alone["data"]] == ["exam"]


async def test_lanes_tell_who_waits_for_whom(
    api: httpx.AsyncClient, operator: dict[str, str], ledger: Connection, tenant: str
) -> None:
    worker = await live_worker(ledger, queue="exam")
    held = [await queued(ledger, tenant_id=tenant, queue="exam", lane_id="held") for _ in range(3)]
    await begun(ledger, held[0], worker)
    free = await queued(ledger, tenant_id=tenant, queue="assignment", lane_id="free")
    everything = (await get(api, operator, "lanes", tenant=tenant))["data"]
    assert [(lane["queue"], lane["lane_id"], lane["waiting"]) for lane in everything] == [
        ("assignment", "free", 0),
        ("exam", "held", 2),
    ]
    assert everything[0]["head"]["job_id"] == str(free.job_id)
    assert everything[0]["head"]["status"] == "queued"
    assert everything[0]["oldest_wait_seconds"] is None
    assert everything[1]["head"]["job_id"] == str(held[0].job_id)
    assert (everything[1]["head"]["status"], everything[1]["head"]["worker_id"]) == ("processing", str(worker))
    assert everything[1]["oldest_wait_seconds"] >= 0

    first = await get(api, operator, "lanes", tenant=tenant, limit=1)
    second = await get(api, operator, "lanes", tenant=tenant, limit=1, cursor=first["next_cursor"])
    assert [lane["lane_id"] for lane in first["data"] + second["data"]] == ["free", "held"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    crowded = (await get(api, operator, "lanes", tenant=tenant, waiting=2))["data"]
    assert [lane["lane_id"] for lane in crowded] == ["held"]
    assert (await get(api, operator, "lanes", tenant=tenant, queue="chat"))["data"] == []


async def test_operators_see_all_tenants_jobs_and_not_what_is_in_them(
    api: httpx.AsyncClient, operator: dict[str, str], ledger: Connection, tenant: str
) -> None:
    mine = await queued(ledger, tenant_id=tenant, kind="seen.kind")
    other = await queued(ledger, tenant_id=f"not-{tenant}", kind="seen.kind")
    page = await get(api, operator, "jobs", kind="seen.kind")
    assert [(each["tenant_id"], each["job_id"]) for each in page["data"]] == [
        (f"not-{tenant}", str(other.job_id)),
        (tenant, str(mine.job_id)),
    ]
    assert {"input", "result"}.isdisjoint(page["data"][0])
    alone = await get(api, operator, "jobs", tenant=tenant, status="queued")
    assert [each["job_id"] for each in alone["data"]] == [str(mine.job_id)]
    first = await get(api, operator, "jobs", kind="seen.kind", limit=1)
    second = await get(api, operator, "jobs", kind="seen.kind", limit=1, cursor=first["next_cursor"])
    assert [each["job_id"] for each in first["data"] + second["data"]] == [str(other.job_id), str(mine.job_id)]
    assert not second["has_more"]


async def test_whoever_reads_content_is_written_into_the_tenant_s_log(
    api: httpx.AsyncClient, operator: dict[str, str], deployment: Deployment
) -> None:
    job = (await api.post("/v1/jobs", json=ECHO | {"queue": "assignment"})).json()
    plain = await get(api, operator, f"jobs/{job['job_id']}")
    assert (plain["tenant_id"], plain["status"], plain["attempts"]) == ("demo", "queued", [])
    assert {"input", "result"}.isdisjoint(plain)
    assert (await get(api, operator, "audit", tenant="demo", action="job.read_content"))["data"] == []

    shown = await get(api, operator, f"jobs/{job['job_id']}", include=["input", "result"])
    assert (shown["input"], shown["result"]) == ({"secret": "words"}, None)
    (deed,) = (await get(api, operator, "audit", tenant="demo", action="job.read_content"))["data"]
    assert (deed["target"], deed["detail"]) == (job["job_id"], {"include": ["input", "result"]})
    assert deed["actor"].startswith("key ")


async def test_a_job_that_never_was_is_not_found(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    for job in (UUID(int=0), "replay"):
        answer = await api.get(f"/admin/jobs/{job}", headers=operator)
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
    wrong = await api.get(f"/admin/jobs/{UUID(int=0)}", params={"include": "everything"}, headers=operator)
    assert wrong.status_code == 422
