"""A tenant's jobs by the minute, whichever key and route they come by."""

from __future__ import annotations

from typing import Any

import httpx

from app.kit.db import Database
from tests.support.deployment import ADMIN_KEY, TENANT
from tests.support.waiting import eventually

ECHO = {"kind": "diagnostics.echo", "queue": "base", "input": {}}


async def allow(api: httpx.AsyncClient, jobs_per_minute: int) -> None:
    """Set the quota; a second mark in the policy tells when the API serves by it."""
    limits = {"jobs_per_minute": jobs_per_minute, "requests_per_minute": 500_000 + jobs_per_minute}
    answer = await api.put(f"/admin/tenants/{TENANT}", json={"limits": limits}, headers={"X-Admin-Key": ADMIN_KEY})
    assert answer.status_code == 200, answer.text

    async def is_live() -> bool:
        return (await api.get("/v1/kinds")).headers["RateLimit-Limit"] == str(500_000 + jobs_per_minute)

    await eventually(is_live, what="the new policy")


async def accepted(database: Database) -> int:
    async with database.ledger.acquire() as connection:
        count: int = await connection.fetchval("select count(*) from jobs")
        return count


async def bulk(api: httpx.AsyncClient, jobs: int) -> Any:
    return await api.post("/v1/jobs/bulk", json={"jobs": [ECHO] * jobs})


async def test_jobs_beyond_the_quota_are_refused_all_or_none_with_a_time_to_wait(
    api: httpx.AsyncClient, database: Database
) -> None:
    await allow(api, 10)
    assert (await bulk(api, 7)).status_code == 202
    refused = await bulk(api, 4)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_jobs")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert await accepted(database) == 7  # a refusal takes nothing, of the ledger or of the quota
    assert [(await api.post("/v1/jobs", json=ECHO)).status_code for _ in range(4)] == [202, 202, 202, 429]
    assert await accepted(database) == 10


async def test_one_tenant_s_quota_is_not_another_s(api: httpx.AsyncClient) -> None:
    admin = {"X-Admin-Key": ADMIN_KEY}
    await api.put("/admin/tenants/neighbour", json={}, headers=admin)
    wish = {"name": "n", "scopes": ["jobs:write"]}
    key = (await api.post("/admin/tenants/neighbour/keys", json=wish, headers=admin)).json()["key"]
    await allow(api, 1)
    while (await api.post("/v1/jobs", json=ECHO)).status_code == 202:
        pass  # until demo's own minute is used up
    answer = await api.post("/v1/jobs", json=ECHO, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 202
