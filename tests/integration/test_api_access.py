"""Who may ask for what: keys, scopes, tenants, operators."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.core.bootstrap import ensure_tenant
from app.kit.db import Database
from app.tenancy.keys import Pepper, issue_key
from tests.support.deployment import ADMIN_KEY, MASTER_KEY, Deployment

IDLE = {"kind": "diagnostics.echo", "queue": "exam"}
NOBODY = {"Authorization": ""}


@pytest.fixture(scope="module")
def stranger(deployment: Deployment) -> dict[str, str]:
    """The headers of another tenant's key."""
    keys = ensure_tenant(deployment.database_url, MASTER_KEY, "other", {})
    return {"Authorization": f"Bearer {keys['api_key']}"}


async def key_with(database: Database, *scopes: str) -> dict[str, str]:
    async with database.session("demo") as session:
        key = await issue_key(session, Pepper(MASTER_KEY), "demo", name="test", scopes=scopes)
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic ZGVtbzpkZW1v", "Bearer nonsense", f"Bearer hr_demo_{'0' * 12}.{'x' * 43}"],
)
async def test_without_a_valid_key_nothing_is_told(api: httpx.AsyncClient, header: str) -> None:
    for path in ("/v1/jobs", "/t/demo/v1/jobs", "/t/no-such/v1/jobs", "/v1/kinds", "/admin/queues"):
        answer = await api.get(path, headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_key_does_what_its_scopes_say(api: httpx.AsyncClient, database: Database) -> None:
    reader, writer = await key_with(database, "jobs:read"), await key_with(database, "jobs:write")
    job = (await api.post("/v1/jobs", json=IDLE, headers=writer)).json()
    assert (await api.get(job["links"]["self"], headers=reader)).status_code == 200
    refused = [
        await api.get("/v1/jobs", headers=writer),
        await api.get(job["links"]["events"], headers=writer),
        await api.post("/v1/jobs", json=IDLE, headers=reader),
        await api.post("/v1/jobs/bulk", json={"jobs": [IDLE]}, headers=reader),
        await api.post(job["links"]["cancel"], headers=reader),
        await api.post(job["links"]["retry"], headers=reader),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "missing_scope")}


async def test_another_tenants_jobs_do_not_exist(api: httpx.AsyncClient, stranger: dict[str, str]) -> None:
    job = (await api.post("/v1/jobs", json=IDLE)).json()
    answers = [
        await api.get(job["links"]["self"], headers=stranger),
        await api.get(job["links"]["events"], headers=stranger),
        await api.get(f"{job['links']['self']}/attempts", headers=stranger),
        await api.post(job["links"]["cancel"], headers=stranger),
        await api.post(job["links"]["retry"], headers=stranger),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "job_not_found")}
    assert (await api.get("/v1/jobs", headers=stranger)).json()["data"] == []
    assert (await api.get(job["links"]["self"])).json()["status"] == "queued"


async def test_another_tenants_idempotency_keys_do_not_exist(api: httpx.AsyncClient, stranger: dict[str, str]) -> None:
    key = {"Idempotency-Key": "shared by chance"}
    mine = await api.post("/v1/jobs", json=IDLE, headers=key)
    theirs = await api.post("/v1/jobs", json=IDLE | {"input": 1}, headers=key | stranger)
    assert theirs.status_code == 202
    assert theirs.json()["job_id"] != mine.json()["job_id"]


async def test_another_tenants_address_looks_like_one_that_does_not_exist(
    api: httpx.AsyncClient, stranger: dict[str, str]
) -> None:
    existing = await api.get("/t/demo/v1/jobs", headers=stranger)
    missing = await api.get("/t/no-such/v1/jobs", headers=stranger)
    nowhere = await api.get("/nowhere", headers=stranger)
    bodies: list[dict[str, Any]] = [answer.json() | {"request_id": ""} for answer in (existing, missing, nowhere)]
    assert bodies[0] == bodies[1] == bodies[2]
    assert (existing.status_code, bodies[0]["code"]) == (404, "not_found")
    assert (await api.get("/t/other/v1/jobs", headers=stranger)).status_code == 200


async def test_every_v1_route_answers_under_the_tenants_prefix(api: httpx.AsyncClient) -> None:
    job = (await api.post("/t/demo/v1/jobs", json=IDLE)).json()
    path = job["links"]["self"]
    assert (await api.get("/t/demo/v1/kinds")).status_code == 200
    assert (await api.get("/t/demo/v1/jobs")).status_code == 200
    assert (await api.get(f"{path}/attempts")).status_code == 200
    assert (await api.post("/t/demo/v1/jobs/bulk", json={"jobs": [IDLE]})).status_code == 202
    assert (await api.post(job["links"]["cancel"])).status_code == 200
    assert "event: cancelled" in (await api.get(job["links"]["events"])).text
    assert (await api.post(job["links"]["retry"])).status_code == 409


async def test_operators_come_by_the_admin_key_or_by_the_scope(api: httpx.AsyncClient, deployment: Deployment) -> None:
    by_scope = await api.get("/admin/queues", headers=deployment.headers("operator_key"))
    by_key = await api.get("/admin/queues", headers=NOBODY | {"X-Admin-Key": ADMIN_KEY})
    assert (by_scope.status_code, by_key.status_code) == (200, 200)
    wrong = await api.get("/admin/queues", headers={"X-Admin-Key": ADMIN_KEY + "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "unauthorized")
    tenant = await api.get("/admin/queues")
    assert (tenant.status_code, tenant.json()["code"]) == (403, "missing_scope")
    for path in ("/admin/queues/base/pause", "/admin/queues/base/resume"):
        assert (await api.post(path)).status_code == 403


async def test_an_operators_key_is_no_key_to_jobs(api: httpx.AsyncClient, deployment: Deployment) -> None:
    answer = await api.get("/v1/jobs", headers=deployment.headers("operator_key"))
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


async def test_a_disabled_tenants_key_is_none(
    api: httpx.AsyncClient, deployment: Deployment, database: Database
) -> None:
    keys = await asyncio.to_thread(ensure_tenant, deployment.database_url, MASTER_KEY, "closed", {})
    async with database.session("closed") as session:
        await session.execute(text("update tenants set enabled = false"))
    answer = await api.get("/v1/jobs", headers={"Authorization": f"Bearer {keys['api_key']}"})
    assert answer.status_code == 401
    mine, closed = await api.get("/t/no-such/v1/jobs"), await api.get("/t/closed/v1/jobs")
    assert mine.json() | {"request_id": ""} == closed.json() | {"request_id": ""}
