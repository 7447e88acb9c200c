"""Keys over HTTP: shown once, rotated with an overlap, revoked at once, and never worth more than who made them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.deployment import ADMIN_KEY, Deployment

READS = {"name": "reader", "scopes": ["jobs:read"]}
BY_OPERATOR = {"Authorization": "", "X-Admin-Key": ADMIN_KEY}


def bearer(made: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['key']}"}


async def make(api: httpx.AsyncClient, tenant: str, **wish: Any) -> dict[str, Any]:
    """A key of the tenant, which is registered where it is not yet."""
    await api.put(f"/admin/tenants/{tenant}", json={}, headers=BY_OPERATOR)
    answer = await api.post(f"/admin/tenants/{tenant}/keys", json=READS | wish, headers=BY_OPERATOR)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def listed(api: httpx.AsyncClient, tenant: str) -> dict[str, dict[str, Any]]:
    keys = (await api.get(f"/admin/tenants/{tenant}/keys", headers=BY_OPERATOR)).json()["data"]
    return {key["key_id"]: key for key in keys}


async def works(api: httpx.AsyncClient, made: dict[str, Any]) -> bool:
    answer = await api.get("/v1/kinds", headers=bearer(made))
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


async def execute(deployment: Deployment, statement: str, *arguments: Any) -> None:
    """As the server's superuser, whom no policy binds."""
    connection = await asyncpg.connect(deployment.database_url)
    await connection.execute(statement, *arguments)
    await connection.close()


async def test_a_key_is_shown_once_and_works_at_once(api: httpx.AsyncClient, tenant: str) -> None:
    made = await make(api, tenant, scopes=["jobs:write", "jobs:read", "jobs:read"])
    assert set(made) == {"key", "key_id", "name", "scopes", "expires_at", "created_at"}
    assert (made["name"], made["scopes"], made["expires_at"]) == ("reader", ["jobs:read", "jobs:write"], None)
    assert made["key"].startswith(f"hr_{tenant}_{made['key_id']}.")
    assert await works(api, made)
    answer = await api.get(f"/admin/tenants/{tenant}/keys", headers=BY_OPERATOR)
    (key,) = answer.json()["data"]
    words = "key_id name scopes created_at created_by expires_at last_used_at revoked_at"
    assert set(key) == set(words.split())
    assert (key["created_by"], key["revoked_at"]) == ("admin key", None)
    assert key["last_used_at"] is not None
    assert made["key"].partition(".")[2] not in answer.text


async def test_the_answer_with_a_key_is_kept_by_nobody(api: httpx.AsyncClient, tenant: str) -> None:
    await make(api, tenant)
    answer = await api.post(f"/admin/tenants/{tenant}/keys", json=READS, headers=BY_OPERATOR)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_keys_are_listed_newest_first_a_page_at_a_time(api: httpx.AsyncClient, tenant: str) -> None:
    made = [(await make(api, tenant, name=f"key {n}"))["key_id"] for n in range(5)]
    seen: list[str] = []
    parameters: dict[str, Any] = {"limit": 2}
    while True:
        answer = await api.get(f"/admin/tenants/{tenant}/keys", params=parameters, headers=BY_OPERATOR)
        page = answer.json()
        seen += [key["key_id"] for key in page["data"]]
        if not page["has_more"]:
            break
        parameters["cursor"] = page["next_cursor"]
    assert seen == made[::-1]


async def test_a_revoked_key_stops_at_once_and_stays_listed(api: httpx.AsyncClient, tenant: str) -> None:
    made = await make(api, tenant)
    assert await works(api, made)
    path = f"/admin/tenants/{tenant}/keys/{made['key_id']}"
    revoked = await api.delete(path, headers=BY_OPERATOR)
    assert (revoked.status_code, revoked.json()["revoked_at"] is not None) == (200, True)
    assert not await works(api, made)
    again = await api.delete(path, headers=BY_OPERATOR)
    assert (again.status_code, again.json()) == (200, revoked.json())
    assert (await listed(api, tenant))[made["key_id"]] == revoked.json()


async def test_an_expired_key_is_none(api: httpx.AsyncClient, deployment: Deployment, tenant: str) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = await make(api, tenant, expires_at=soon)
    assert datetime.fromisoformat(made["expires_at"]) == datetime.fromisoformat(soon)
    await execute(
        deployment, "update api_keys set expires_at = now() - interval '1 s' where key_id = $1", made["key_id"]
    )
    assert not await works(api, made)


async def test_rotation_gives_a_new_key_and_lets_the_old_one_work_on(api: httpx.AsyncClient, tenant: str) -> None:
    old = await make(api, tenant, scopes=["jobs:read", "admin"], name="the service")
    path = f"/admin/tenants/{tenant}/keys/{old['key_id']}/rotate"
    answer = await api.post(path, json={"overlap_seconds": 3600}, headers=BY_OPERATOR)
    assert answer.status_code == 201
    new = answer.json()
    assert (new["name"], new["scopes"], new["expires_at"]) == ("the service", ["admin", "jobs:read"], None)
    assert new["key_id"] != old["key_id"]
    assert await works(api, old)
    assert await works(api, new)
    ends = datetime.fromisoformat((await listed(api, tenant))[old["key_id"]]["expires_at"])
    assert ends - datetime.fromisoformat(new["created_at"]) == timedelta(hours=1)


async def test_rotation_without_an_overlap_ends_the_old_key_at_once(api: httpx.AsyncClient, tenant: str) -> None:
    old = await make(api, tenant)
    assert await works(api, old)
    path = f"/admin/tenants/{tenant}/keys/{old['key_id']}/rotate"
    new = (await api.post(path, json={"overlap_seconds": 0}, headers=BY_OPERATOR)).json()
    assert (await works(api, old), await works(api, new)) == (False, True)
    again = await api.post(path, json={"overlap_seconds": 0}, headers=BY_OPERATOR)
    assert (again.status_code, again.json()["code"]) == (409, "key_not_active")


async def test_rotation_keeps_a_key_s_lifetime_and_never_lengthens_the_old_one_s(
    api: httpx.AsyncClient, tenant: str
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=2)
    old = await make(api, tenant, expires_at=soon.isoformat())
    path = f"/admin/tenants/{tenant}/keys/{old['key_id']}/rotate"
    new = (await api.post(path, json={"overlap_seconds": 30 * 24 * 3600}, headers=BY_OPERATOR)).json()
    moments = [datetime.fromisoformat(each[name]) for each in (old, new) for name in ("created_at", "expires_at")]
    assert moments[3] - moments[2] == moments[1] - moments[0]
    assert (await listed(api, tenant))[old["key_id"]]["expires_at"] == old["expires_at"]


async def test_a_revoked_key_cannot_be_rotated(api: httpx.AsyncClient, tenant: str) -> None:
    made = await make(api, tenant)
    path = f"/admin/tenants/{tenant}/keys/{made['key_id']}"
    await api.delete(path, headers=BY_OPERATOR)
    answer = await api.post(f"{path}/rotate", json={}, headers=BY_OPERATOR)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_not_active")
    assert len(await listed(api, tenant)) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scopes": []}, "/body/scopes"),
        ({"scopes": ["root"]}, "/body/scopes/0"),
        ({"scopes": None}, "/body/scopes"),
        ({"name": ""}, "/body/name"),
        ({"name": "a\0b"}, "/body/name"),
        ({"name": "x" * 201}, "/body/name"),
        ({"expires_at": 7}, "/body/expires_at"),
        ({"expires_at": "2999-01-01T00:00:00"}, "/body/expires_at"),
        ({"secret": "mine"}, "/body/secret"),
    ],
)
async def test_an_invalid_key_is_pointed_at_and_not_made(
    api: httpx.AsyncClient, tenant: str, body: Any, pointer: str
) -> None:
    await api.put(f"/admin/tenants/{tenant}", json={}, headers=BY_OPERATOR)
    answer = await api.post(f"/admin/tenants/{tenant}/keys", json=READS | body, headers=BY_OPERATOR)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]
    assert await listed(api, tenant) == {}


async def test_a_key_that_would_have_expired_already_is_refused(api: httpx.AsyncClient, tenant: str) -> None:
    await api.put(f"/admin/tenants/{tenant}", json={}, headers=BY_OPERATOR)
    body = READS | {"expires_at": "2020-01-01T00:00:00Z"}
    answer = await api.post(f"/admin/tenants/{tenant}/keys", json=body, headers=BY_OPERATOR)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_key")


@pytest.mark.parametrize("overlap", [-1, 30 * 24 * 3600 + 1, "5", 1.5, None])
async def test_an_overlap_beyond_thirty_days_is_refused(api: httpx.AsyncClient, tenant: str, overlap: Any) -> None:
    made = await make(api, tenant)
    path = f"/admin/tenants/{tenant}/keys/{made['key_id']}/rotate"
    answer = await api.post(path, json={"overlap_seconds": overlap}, headers=BY_OPERATOR)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/overlap_seconds")


@pytest.mark.parametrize("key_id", ["0" * 12, "x", "a%00b", "..%5c", "é"])
async def test_an_unknown_key_is_not_found(api: httpx.AsyncClient, tenant: str, key_id: str) -> None:
    admin = await make(api, tenant, scopes=["admin"])
    path = f"/admin/tenants/{tenant}/keys/{key_id}"
    answers = [
        await api.delete(path, headers=BY_OPERATOR),
        await api.post(f"{path}/rotate", json={}, headers=BY_OPERATOR),
        await api.delete(f"/v1/keys/{key_id}", headers=bearer(admin)),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "key_not_found")}


async def test_another_tenant_s_key_is_not_found(api: httpx.AsyncClient, tenant: str) -> None:
    made, admin = await make(api, tenant), await make(api, f"{tenant}-b", scopes=["admin"])
    answers = [
        await api.delete(f"/admin/tenants/{tenant}-b/keys/{made['key_id']}", headers=BY_OPERATOR),
        await api.delete(f"/v1/keys/{made['key_id']}", headers=bearer(admin)),
        await api.delete(f"/t/{tenant}-b/v1/keys/{made['key_id']}", headers=bearer(admin)),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "key_not_found")}
    elsewhere = await api.get(f"/t/{tenant}/v1/keys", headers=bearer(admin))
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "not_found")
    assert await works(api, made)


async def test_a_tenant_s_admin_manages_its_own_keys(api: httpx.AsyncClient, tenant: str) -> None:
    admin = await make(api, tenant, scopes=["admin"])
    answer = await api.post("/v1/keys", json=READS | {"scopes": ["jobs:write", "admin"]}, headers=bearer(admin))
    assert answer.status_code == 201
    made = answer.json()
    assert await works(api, made)
    keys = (await api.get("/v1/keys", headers=bearer(admin))).json()["data"]
    assert [key["key_id"] for key in keys] == [made["key_id"], admin["key_id"]]
    assert keys[0]["created_by"] == f"key {admin['key_id']} of {tenant}"
    assert {key["key_id"]: key for key in keys}.keys() == (await listed(api, tenant)).keys()
    revoked = await api.delete(f"/v1/keys/{made['key_id']}", headers=bearer(admin))
    assert (revoked.status_code, await works(api, made)) == (200, False)


async def test_a_tenant_s_admin_cannot_escalate(api: httpx.AsyncClient, tenant: str) -> None:
    admin = await make(api, tenant, scopes=["admin", "jobs:read"])
    both = await make(api, tenant, scopes=["admin", "operator"])
    before = (await listed(api, tenant)).keys()
    for key in (admin, both):
        for scopes in (["operator"], ["jobs:read", "operator"]):
            answer = await api.post("/v1/keys", json=READS | {"scopes": scopes}, headers=bearer(key))
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_beyond_yours")
    other = await api.post(f"/admin/tenants/{tenant}/keys", json=READS, headers=bearer(admin))
    assert (other.status_code, other.json()["code"]) == (403, "missing_scope")
    revoke = await api.delete(f"/v1/keys/{both['key_id']}", headers=bearer(admin))
    assert (revoke.status_code, revoke.json()["code"]) == (403, "scope_beyond_yours")
    assert (await listed(api, tenant)).keys() == before
    assert await works(api, both)


async def test_without_the_scope_admin_a_tenant_s_keys_are_out_of_reach(api: httpx.AsyncClient, tenant: str) -> None:
    for scopes in (["jobs:read", "jobs:write"], ["operator"]):
        key = await make(api, tenant, scopes=scopes)
        answers = [
            await api.get("/v1/keys", headers=bearer(key)),
            await api.post("/v1/keys", json=READS, headers=bearer(key)),
            await api.delete(f"/v1/keys/{key['key_id']}", headers=bearer(key)),
        ]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "missing_scope")}
        assert (await api.get("/v1/keys", headers={"Authorization": ""})).status_code == 401
