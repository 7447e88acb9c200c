"""A worker's probe as it is built for production: health by real signs of life, figures of real jobs."""

from __future__ import annotations

import asyncio
import time

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.engine.ledger.heartbeat import deregister
from app.kit.db import Connection, Database
from app.kit.ids import uuid7
from tests.support.deployment import Deployment, free_port, serve_worker
from tests.support.waiting import eventually

QUEUE = "exam"


async def figures(probe: httpx.AsyncClient) -> dict[tuple[str, frozenset[str]], float]:
    """Samples by name and the values of their labels."""
    answer = await probe.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def submit(api: httpx.AsyncClient, kind: str, **given: object) -> str:
    body = {"kind": f"diagnostics.{kind}", "queue": QUEUE, "input": given}
    answer = await api.post("/v1/jobs", json=body)
    assert answer.status_code == 202
    return str(answer.json()["job_id"])


async def ended(api: httpx.AsyncClient, job_id: str) -> None:
    answer = await api.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=20"})
    assert answer.json()["finished_at"] is not None, answer.text


async def test_a_worker_tells_of_its_jobs_and_of_its_health(
    deployment: Deployment, api: httpx.AsyncClient, ledger: Connection
) -> None:
    port = free_port()
    async with (
        serve_worker(deployment, QUEUE, EXAM_PROBE_PORT=str(port)) as runtime,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10.0) as probe,
    ):
        assert (await probe.get("/healthz")).json()["status"] == "alive"
        assert (await probe.get("/readyz")).status_code == 200
        for kind, given in (("sleep", {"seconds": 0.0}), ("progress", {"steps": 2}), ("fail", {"times": 1})):
            await ended(api, await submit(api, kind, **given))

        async def counted() -> bool:
            found = await figures(probe)
            return ("homeroom_jobs_ended_total", frozenset({QUEUE, "diagnostics.fail", "success"})) in found

        await eventually(counted, what="the last end in the figures")
        found = await figures(probe)
        assert found["homeroom_jobs_ended_total", frozenset({QUEUE, "diagnostics.sleep", "success"})] == 1
        assert found["homeroom_jobs_ended_total", frozenset({QUEUE, "diagnostics.fail", "retry"})] == 1
        assert found["homeroom_jobs_begun_total", frozenset({QUEUE, "diagnostics.fail"})] == 2
        assert found["homeroom_pickup_seconds_count", frozenset({QUEUE})] == 3  # retries wait by design
        ran = frozenset({QUEUE, "homeroom", "diagnostics.progress", "success"})
        assert found["messaging_process_duration_seconds_count", ran] == 1
        assert found["messaging_process_duration_seconds_sum", ran] > 0
        assert found["messaging_client_consumed_messages_total", frozenset({QUEUE, "homeroom"})] >= 4
        assert found["homeroom_worker_slots", frozenset({QUEUE})] == runtime.max_jobs
        values = {value for _, labels in found for value in labels}
        assert not values & {"demo", str(runtime.ctx["worker_id"])}

        runtime.drain()

        async def not_ready() -> bool:
            return (await probe.get("/readyz")).status_code == 503

        await eventually(not_ready, what="a draining worker that is not ready")
        assert (await probe.get("/healthz")).status_code == 200


async def test_what_was_rescued_and_swept_is_counted(
    deployment: Deployment, api: httpx.AsyncClient, database: Database, ledger: Connection
) -> None:
    port = free_port()
    job_id = await submit(api, "echo")
    gone = uuid7()  # a worker that left nothing behind but a job
    await ledger.execute(
        "update jobs set status = 'processing', attempt = 1, worker_id = $2, claim_token = $2, begun_at = now(), "
        "deadline_at = now() + interval '1 hour' where job_id = $1",
        job_id,
        gone,
    )
    await deregister(ledger, gone)
    async with (
        serve_worker(deployment, QUEUE, WORKER_PROBE_PORT=str(port)),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10.0) as probe,
    ):
        await ended(api, job_id)
        found = await figures(probe)
        assert found["homeroom_jobs_rescued_total", frozenset({QUEUE})] == 1
        assert found["homeroom_hints_swept_total", frozenset({QUEUE})] >= 1


async def test_a_job_that_blocks_the_loop_turns_the_probe_red_after_the_limit_and_keeps_its_lease(
    deployment: Deployment, api: httpx.AsyncClient, ledger: Connection
) -> None:
    port = free_port()
    async with (
        serve_worker(deployment, QUEUE, EXAM_PROBE_PORT=str(port), WORKER_STALL_SECONDS="0.8"),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10.0) as probe,
    ):
        assert (await probe.get("/healthz")).status_code == 200
        asking = asyncio.create_task(asyncio.to_thread(_ask_while_blocked, port))
        await asyncio.sleep(0)
        time.sleep(2.5)  # noqa: ASYNC251 - the loop stands still, longer than its lease of 2 s
        assert 503 in await asking

        async def recovered() -> bool:
            return (await probe.get("/healthz")).status_code == 200

        await eventually(recovered, what="a green probe")
        held = await ledger.fetchval("select lease_until > clock_timestamp() from workers where queue = $1", QUEUE)
        assert held  # the thread that keeps the lease went on


def _ask_while_blocked(port: int) -> list[int]:
    """What a kubelet hears within the next two seconds."""
    heard = []
    until = time.monotonic() + 2.0
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5.0) as kubelet:
        while time.monotonic() < until:
            heard.append(kubelet.get("/healthz").status_code)
            time.sleep(0.1)
    return heard
