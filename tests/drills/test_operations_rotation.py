"""The drill of docs/OPERATIONS.md: the master key is exchanged while everybody works."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from app.core.administration import rewrap_data_keys
from app.core.doctor.findings import Health
from app.core.doctor.vault import check_vault
from tests.support.chat import ask
from tests.support.deployment import MASTER_KEY, Deployment, only_environment, serve_api, serve_worker
from tests.support.doctor import look
from tests.support.provider import MODEL, ScriptedProvider, serve_provider

NEW_KEY = "the-master-key-that-shall-be-there-from-now-on"
BEFORE = {"MASTER_KEY": MASTER_KEY, "MASTER_KEY_PREVIOUS": NEW_KEY}
DURING = {"MASTER_KEY": NEW_KEY, "MASTER_KEY_PREVIOUS": MASTER_KEY}
AFTER = {"MASTER_KEY": NEW_KEY}


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with serve_provider() as running:
        yield running


async def opens(api: httpx.AsyncClient, key: str) -> bool:
    answer = await api.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


async def answers(api: httpx.AsyncClient, provider: ScriptedProvider, text: str) -> bool:
    """A turn is answered by the tenant's own model, under its own key."""
    job = await ask(api, text, session=text)
    assert job["status"] == "done", job
    return provider.calls[-1].headers.get("authorization") == "Bearer the-tenants-own-key"


async def test_the_master_key_is_exchanged_while_everybody_works(
    deployment: Deployment, provider: ScriptedProvider
) -> None:
    hosts = {"LLM_TENANT_HOSTS": "127.0.0.1"}
    used, idle = deployment.keys["api_key"], deployment.keys["operator_key"]
    async with serve_api(deployment, **hosts) as api:
        admin = {"X-Admin-Key": deployment.environment()["ADMIN_KEY"], "Authorization": ""}
        made = await api.post("/admin/tenants/demo/keys", json={"name": "owner", "scopes": ["admin"]}, headers=admin)
        owner = {"Authorization": f"Bearer {made.json()['key']}"}
        body = {"base_url": provider.url, "model": MODEL, "api_key": "the-tenants-own-key"}
        stored = await api.put("/v1/llm", json=body, headers=owner)
        assert stored.status_code == 200, stored.text

    # 1. Every process learns the new key, and goes on with the old one. 2. One by one they exchange the two.
    async with (
        serve_api(deployment, **BEFORE, **hosts) as first,
        serve_api(deployment, **DURING, **hosts) as second,
        serve_worker(deployment, "chat", **DURING, **hosts),
    ):
        assert [await opens(api, used) for api in (first, second, first, second)] == [True] * 4
        assert await answers(first, provider, "before")
        assert await answers(second, provider, "during")
        # 3. What the old key locked is locked anew.
        with only_environment(deployment.environment(**DURING)):
            assert await rewrap_data_keys() == 1
            assert await rewrap_data_keys() == 0
        assert await opens(first, used)  # who still has the old one as its own reads what was locked anew
        assert await answers(first, provider, "rewrapped")

    # 4. The old key is gone. Keys that were used meanwhile work, others never will again.
    report = await look(deployment, check_vault, **AFTER)
    assert report["master key"].health is Health.OK
    async with serve_api(deployment, **AFTER, **hosts) as api, serve_worker(deployment, "chat", **AFTER, **hosts):
        assert await opens(api, used)
        assert await answers(api, provider, "after")
        assert not await opens(api, idle)
