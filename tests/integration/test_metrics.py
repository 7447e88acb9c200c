"""GET /metrics: what operators alert on is there, is right, and names no tenant, job or worker."""

from __future__ import annotations

from uuid import uuid4

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.core.manifests import keda
from app.engine.auditor import INVARIANTS
from app.kit.db import Connection
from app.workloads import WORKLOADS
from tests.support.jobs import live_worker
from tests.support.kustomize import documents
from tests.support.waiting import eventually

QUEUES = {workload.name for workload in WORKLOADS}
JOB = {"kind": "diagnostics.echo", "queue": "exam", "input": None}


async def figures(api: httpx.AsyncClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by its name and labels, read as Prometheus reads it."""
    answer = await api.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


async def test_queues_stand_there_as_the_ledger_has_them(api: httpx.AsyncClient, ledger: Connection) -> None:
    await live_worker(ledger, queue="exam")
    await ledger.execute("insert into queue_controls (queue, paused) values ('chat', true)")
    for _ in range(3):
        assert (await api.post("/v1/jobs", json=JOB)).status_code == 202

    async def counted() -> bool:
        found = await figures(api)
        return found[key("homeroom_queue_jobs", queue="exam", state="ready")] == 3

    await eventually(counted, what="three ready jobs in the figures")
    found = await figures(api)
    assert found[key("homeroom_queue_oldest_ready_seconds", queue="exam")] > 0
    assert found[key("homeroom_queue_oldest_ready_seconds", queue="profile")] == 0
    assert found[key("homeroom_queue_workers", queue="exam")] == 1
    assert {queue for queue in QUEUES if found[key("homeroom_queue_paused", queue=queue)]} == {"chat"}


async def test_what_scales_a_queue_heeds_neither_lanes_nor_what_is_paused(
    api: httpx.AsyncClient, ledger: Connection
) -> None:
    """As KEDA reads it: by the very places that the manifests name."""
    triggers = [
        trigger["metadata"]["valueLocation"]
        for text in keda.render(WORKLOADS).values()
        for document in documents(text)
        for trigger in document.get("spec", {}).get("triggers", ())
    ]
    await ledger.execute("delete from jobs")
    for queue in ("exam", "assignment"):
        for lane in (None, "one", "one", "one"):
            answer = await api.post("/v1/jobs", json=JOB | {"queue": queue} | ({"lane": lane} if lane else {}))
            assert answer.status_code == 202, answer.text
    await ledger.execute("insert into queue_controls (queue, paused) values ('assignment', true)")
    await ledger.execute("update jobs set created_at = now() - interval '1 hour'")

    async def read() -> dict[str, float]:
        text = (await api.get("/metrics")).text
        found = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {each: float(found[each]) for each in triggers}

    async def settled() -> bool:
        return (await read())['homeroom_queue_demand{queue="exam"}'] == 2  # one is free, one heads its lane

    await eventually(settled, what="the demand of the exam queue")
    found = await read()
    assert len(found) == 2 * len(WORKLOADS)
    assert found['homeroom_queue_lag_seconds{queue="exam"}'] > 3000
    assert found['homeroom_queue_demand{queue="assignment"}'] == 0
    assert found['homeroom_queue_lag_seconds{queue="assignment"}'] == 0


async def test_the_upkeep_is_there(api: httpx.AsyncClient, ledger: Connection) -> None:
    await ledger.execute(
        "insert into outbox (effect_id, tenant_id, topic, payload, created_at) "
        "values (gen_random_uuid(), 'demo', 't', '{}', now() - interval '1 hour')"
    )
    await ledger.execute(
        "insert into audit_findings (invariant, name, subject, detail) values ('I5', 'two_successes', $1, '')", uuid4()
    )

    async def told() -> bool:
        return (await figures(api))[key("homeroom_outbox_pending")] == 1

    await eventually(told, what="the effect in the figures")
    found = await figures(api)
    assert found[key("homeroom_outbox_oldest_seconds")] >= 3600
    violations = {each: found[key("homeroom_audit_violations", invariant=each)] for each in INVARIANTS}
    assert violations == dict.fromkeys(INVARIANTS, 0) | {"I5": 1}
    assert found[key("homeroom_server_up", server="postgres")] == 1
    assert found[key("homeroom_server_up", server="redis:chat")] == 1


async def test_requests_are_timed_by_route_and_never_by_address(api: httpx.AsyncClient) -> None:
    for _ in range(2):
        await api.get(f"/v1/jobs/{uuid4()}")
    await api.get(f"/t/demo/v1/jobs/{uuid4()}")
    await api.get(f"/nowhere/{uuid4()}")
    await api.request("PROPFIND", "/v1/jobs")
    await api.post("/admin/queues/exam/pause")
    await api.get("/v1/jobs")

    found = await figures(api)

    def timed(route: str) -> float:
        labels = {"http_request_method": "GET", "http_route": route, "http_response_status_code": "404"}
        return found[key("http_server_request_duration_seconds_count", **labels)]

    assert timed("/v1/jobs/{job_id}") == 2
    assert timed("/t/{tenant_id}/v1/jobs/{job_id}") == 1
    assert timed("none") == 1
    assert ("http_route", "/v1/jobs") in {label for _, labels in found for label in labels}
    assert ("http_route", "/admin/queues/{name}/pause") in {label for _, labels in found for label in labels}
    assert {labels for name, labels in found if "PROPFIND" in str(labels)} == set()
    assert any(("http_request_method", "_OTHER") in labels for _, labels in found)


async def test_no_label_is_unbounded(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/jobs", json=JOB)
    job_id = answer.json()["job_id"]
    found = await figures(api)
    values = {value for _, labels in found for _, value in labels}
    assert job_id not in values
    assert "demo" not in values
    assert {name for _, labels in found for name, _ in labels} == {
        "http_request_method",
        "http_response_status_code",
        "http_route",
        "invariant",
        "le",
        "queue",
        "server",
        "state",
        "version",
    }
