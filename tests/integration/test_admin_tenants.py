"""The registry of tenants over HTTP: whatever operators change holds for the very next request."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.tenancy.limits import TenantLimits
from tests.support.deployment import ADMIN_KEY, Deployment, serve_api
from tests.support.waiting import eventually

WORKS = {"scopes": ["jobs:read", "jobs:write"], "name": "test"}


@pytest.fixture
def operator() -> dict[str, str]:
    return {"Authorization": "", "X-Admin-Key": ADMIN_KEY}


async def registered(
    api: httpx.AsyncClient, operator: dict[str, str], tenant: str, **wish: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """A new tenant, and the headers of a key of its own."""
    answer = await api.put(f"/admin/tenants/{tenant}", json=wish, headers=operator)
    assert answer.status_code == 201, answer.text
    key = await api.post(f"/admin/tenants/{tenant}/keys", json=WORKS, headers=operator)
    return answer.json(), {"Authorization": f"Bearer {key.json()['key']}"}


async def test_a_tenant_is_served_from_the_next_request_on(
    api: httpx.AsyncClient, operator: dict[str, str], tenant: str
) -> None:
    made, key = await registered(api, operator, tenant)
    assert made["tenant_id"] == tenant
    assert (made["enabled"], made["data_dir"], made["uploads_dir"], made["erased_at"]) == (True, None, None, None)
    assert made["limits"] == TenantLimits().model_dump()
    assert (await api.get(f"/t/{tenant}/v1/jobs", headers=key)).json()["data"] == []
    read = await api.get(f"/admin/tenants/{tenant}", headers=operator)
    assert (read.status_code, read.json()) == (200, made)


async def test_a_second_put_changes_the_tenant_as_a_whole(
    api: httpx.AsyncClient, operator: dict[str, str], tenant: str
) -> None:
    wish = {"data_dir": "/srv/a", "uploads_dir": "/srv/a/uploads/", "limits": {"llm_total": 3, "weight": 2}}
    made, _ = await registered(api, operator, tenant, **wish)
    assert (made["data_dir"], made["uploads_dir"]) == ("/srv/a", "/srv/a/uploads")
    assert made["limits"] == TenantLimits(llm_total=3, weight=2).model_dump()
    changed = await api.put(f"/admin/tenants/{tenant}", json={"limits": {"ocr": 1}}, headers=operator)
    assert changed.status_code == 200
    assert changed.json()["limits"] == TenantLimits(ocr=1).model_dump()
    assert (changed.json()["data_dir"], changed.json()["created_at"]) == (None, made["created_at"])
    assert changed.json()["updated_at"] > made["updated_at"]
    assert (await api.get(f"/admin/tenants/{tenant}", headers=operator)).json() == changed.json()


async def test_a_limit_holds_for_the_very_next_request(
    api: httpx.AsyncClient, operator: dict[str, str], tenant: str
) -> None:
    _, key = await registered(api, operator, tenant)
    by_default = str(TenantLimits().requests_per_minute)
    assert (await api.get("/v1/jobs", headers=key)).headers["RateLimit-Limit"] == by_default
    await api.put(f"/admin/tenants/{tenant}", json={"limits": {"requests_per_minute": 77}}, headers=operator)
    assert (await api.get("/v1/jobs", headers=key)).headers["RateLimit-Limit"] == "77"


async def test_a_disabled_tenant_s_keys_stop_at_once_and_work_again_when_it_is_enabled(
    api: httpx.AsyncClient, operator: dict[str, str], tenant: str
) -> None:
    made, key = await registered(api, operator, tenant, data_dir="/srv/kept")
    job = (await api.post("/v1/jobs", json={"kind": "diagnostics.echo", "queue": "exam"}, headers=key)).json()
    disabled = await api.delete(f"/admin/tenants/{tenant}", headers=operator)
    assert (disabled.status_code, disabled.json()["enabled"]) == (200, False)
    assert (await api.get("/v1/jobs", headers=key)).status_code == 401
    again = await api.delete(f"/admin/tenants/{tenant}", headers=operator)
    assert (again.status_code, again.json()) == (200, disabled.json())
    await api.put(f"/admin/tenants/{tenant}", json={}, headers=operator)
    assert (await api.get(job["links"]["self"], headers=key)).status_code == 200  # nothing was erased
    assert made["created_at"] == disabled.json()["created_at"]


async def test_other_processes_heed_a_disabled_tenant_soon(
    api: httpx.AsyncClient, deployment: Deployment, operator: dict[str, str], tenant: str
) -> None:
    _, key = await registered(api, operator, tenant)
    async with serve_api(deployment) as elsewhere:
        assert (await elsewhere.get("/v1/jobs", headers=key)).status_code == 200
        await api.delete(f"/admin/tenants/{tenant}", headers=operator)

        async def refused() -> bool:
            return (await elsewhere.get("/v1/jobs", headers=key)).status_code == 401

        await eventually(refused)


@pytest.mark.parametrize(
    "tenant_id", ["-", "_x", "x" * 65, "a.b", "a b", "ä", "%00", "a%0A", "a%20", "demo%00", "*", "a,b"]
)
async def test_what_cannot_be_an_id_is_refused_everywhere(
    api: httpx.AsyncClient, operator: dict[str, str], tenant_id: str
) -> None:
    path = f"/admin/tenants/{tenant_id}"
    answers = [
        await api.get(path, headers=operator),
        await api.put(path, json={}, headers=operator),
        await api.delete(path, headers=operator),
        await api.get(f"{path}/export", headers=operator),
        await api.post(f"{path}/erase", json={"confirm": "x"}, headers=operator),
        await api.get(f"{path}/keys", headers=operator),
        await api.post(f"{path}/keys", json=WORKS, headers=operator),
        await api.delete(f"{path}/keys/{'0' * 12}", headers=operator),
        await api.post(f"{path}/keys/{'0' * 12}/rotate", json={}, headers=operator),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "invalid_tenant")}


async def test_an_unknown_tenant_is_not_found_and_not_made(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    path = "/admin/tenants/no-such"
    answers = [
        await api.get(path, headers=operator),
        await api.delete(path, headers=operator),
        await api.get(f"{path}/export", headers=operator),
        await api.post(f"{path}/erase", json={"confirm": "no-such"}, headers=operator),
        await api.get(f"{path}/keys", headers=operator),
        await api.post(f"{path}/keys", json=WORKS, headers=operator),
        await api.delete(f"{path}/keys/{'0' * 12}", headers=operator),
        await api.post(f"{path}/keys/{'0' * 12}/rotate", json={}, headers=operator),
        await api.get("/admin/audit?tenant=no-such", headers=operator),
        await api.get("/admin/audit/verify?tenant=no-such", headers=operator),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "tenant_not_found")}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"limits": {"no_such": 1}}, "/body/limits/no_such"),
        ({"limits": {"ocr": 0}}, "/body/limits/ocr"),
        ({"limits": {"ocr": "5"}}, "/body/limits/ocr"),
        ({"limits": {"ocr": True}}, "/body/limits/ocr"),
        ({"limits": {"max_queued": 10**18}}, "/body/limits/max_queued"),
        ({"limits": {"weight": 0}}, "/body/limits/weight"),
        ({"limits": None}, "/body/limits"),
        ({"enabled": "yes"}, "/body/enabled"),
        ({"data_dir": 7}, "/body/data_dir"),
        ({"data_dir": "/" + "x" * 1000}, "/body/data_dir"),
        ({"tenant_id": "other"}, "/body/tenant_id"),
        ([], "/body"),
    ],
)
async def test_an_invalid_wish_is_pointed_at_and_changes_nothing(
    api: httpx.AsyncClient, operator: dict[str, str], tenant: str, body: Any, pointer: str
) -> None:
    answer = await api.put(f"/admin/tenants/{tenant}", json=body, headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]
    assert (await api.get(f"/admin/tenants/{tenant}", headers=operator)).status_code == 404


@pytest.mark.parametrize("folder", ["relative", "/", "", "/a/../b", "/a\0b", "C:\\x"])
async def test_a_folder_must_be_an_absolute_path(
    api: httpx.AsyncClient, operator: dict[str, str], tenant: str, folder: str
) -> None:
    for name in ("data_dir", "uploads_dir"):
        answer = await api.put(f"/admin/tenants/{tenant}", json={name: folder}, headers=operator)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_tenant")


async def test_tenants_are_listed_by_id_a_page_at_a_time(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    names = ["Zoo", "page-1", "page-2", "page_3", "0"]
    for name in names:
        await api.put(f"/admin/tenants/{name}", json={}, headers=operator)
    await api.delete("/admin/tenants/page-2", headers=operator)
    seen: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {"limit": 2}
    while True:
        page = (await api.get("/admin/tenants", params=parameters, headers=operator)).json()
        assert len(page["data"]) <= 2
        seen += page["data"]
        if not page["has_more"]:
            break
        parameters["cursor"] = page["next_cursor"]
    ids = [each["tenant_id"] for each in seen]
    assert ids == sorted(ids)
    assert {*names, "demo"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert next(each for each in seen if each["tenant_id"] == "page-2")["enabled"] is False


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "WyJhYiBjIl0", "bnVsbA", "WyJhIiwiYiJd"])
async def test_a_cursor_that_was_not_given_out_is_refused(
    api: httpx.AsyncClient, operator: dict[str, str], cursor: str
) -> None:
    for path in ("/admin/tenants", "/admin/tenants/demo/keys"):
        answer = await api.get(path, params={"cursor": cursor}, headers=operator)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), path


async def test_only_operators_are_let_in(api: httpx.AsyncClient, deployment: Deployment) -> None:
    requests: list[tuple[str, str, Any]] = [
        ("GET", "/admin/tenants", None),
        ("GET", "/admin/tenants/demo", None),
        ("PUT", "/admin/tenants/demo", {"enabled": False}),
        ("DELETE", "/admin/tenants/demo", None),
        ("GET", "/admin/tenants/demo/export", None),
        ("POST", "/admin/tenants/demo/erase", {"confirm": "demo"}),
        ("GET", "/admin/tenants/demo/keys", None),
        ("POST", "/admin/tenants/demo/keys", WORKS),
        ("DELETE", f"/admin/tenants/demo/keys/{'0' * 12}", None),
        ("POST", f"/admin/tenants/demo/keys/{'0' * 12}/rotate", {}),
        ("GET", "/admin/audit", None),
        ("GET", "/admin/audit/verify", None),
    ]
    for method, path, body in requests:
        stranger = await api.request(method, path, json=body, headers={"Authorization": ""})
        assert (stranger.status_code, stranger.json()["code"]) == (401, "unauthorized"), path
        tenants_own = await api.request(method, path, json=body)
        assert (tenants_own.status_code, tenants_own.json()["code"]) == (403, "missing_scope"), path
    by_scope = await api.get("/admin/tenants/demo", headers=deployment.headers("operator_key"))
    assert (by_scope.status_code, by_scope.json()["enabled"]) == (200, True)
