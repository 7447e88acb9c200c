"""The audit log: every deed is in it, nobody's hand but the database's writes it, and tampering shows."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.kit.db import Connection, Database
from app.tenancy.audit import PLATFORM, Hand, count_entries, first_broken, record, record_for_platform
from tests.support.deployment import ADMIN_KEY, Deployment

BY_OPERATOR = {"Authorization": "", "X-Admin-Key": ADMIN_KEY}
BY = Hand("test", "192.0.2.1", "r-1")


async def entries(api: httpx.AsyncClient, tenant: str = PLATFORM, **more: Any) -> list[dict[str, Any]]:
    """The log, oldest first."""
    parameters: dict[str, Any] = {"tenant": tenant, "limit": 100} | more
    answer = await api.get("/admin/audit", params=parameters, headers=BY_OPERATOR)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found[::-1]


async def verdict(api: httpx.AsyncClient, tenant: str) -> dict[str, Any]:
    answer: dict[str, Any] = (
        await api.get("/admin/audit/verify", params={"tenant": tenant}, headers=BY_OPERATOR)
    ).json()
    return answer


async def busy_tenant(api: httpx.AsyncClient, tenant: str) -> list[dict[str, Any]]:
    """A tenant with a history; the keys that were made for it."""
    path = f"/admin/tenants/{tenant}"
    body = {"name": "n", "scopes": ["admin"]}
    await api.put(path, json={"limits": {"ocr": 2}}, headers=BY_OPERATOR)
    first = (await api.post(f"{path}/keys", json=body, headers=BY_OPERATOR)).json()
    second = (await api.post(f"{path}/keys/{first['key_id']}/rotate", json={}, headers=BY_OPERATOR)).json()
    by_admin = {"Authorization": f"Bearer {second['key']}"}
    third = (await api.post("/v1/keys", json=body, headers=by_admin | {"X-Request-ID": "mine-7"})).json()
    await api.delete(f"/v1/keys/{third['key_id']}", headers=by_admin)
    await api.delete(path, headers=BY_OPERATOR)
    return [first, second, third]


@pytest.fixture
async def superuser(deployment: Deployment) -> Any:
    connection = await asyncpg.connect(deployment.database_url)
    yield connection
    await connection.close()


async def test_every_deed_is_recorded_with_who_what_where(api: httpx.AsyncClient, tenant: str) -> None:
    first, second, third = await busy_tenant(api, tenant)
    log = await entries(api, tenant)
    assert [(each["seq"], each["action"], each["target"]) for each in log] == [
        (1, "tenant.put", tenant),
        (2, "key.issue", first["key_id"]),
        (3, "key.rotate", first["key_id"]),
        (4, "key.issue", third["key_id"]),
        (5, "key.revoke", third["key_id"]),
        (6, "tenant.disable", tenant),
    ]
    actor = f"key {second['key_id']} of {tenant}"
    assert [each["actor"] for each in log] == ["admin key"] * 3 + [actor] * 2 + ["admin key"]
    assert {each["origin"] for each in log} == {"127.0.0.1"}
    assert log[3]["request_id"] == "mine-7"
    assert all(each["request_id"] for each in log)
    assert (log[0]["detail"]["created"], log[0]["detail"]["limits"]) == (True, {"ocr": 2})
    assert log[2]["detail"]["successor"] == second["key_id"]
    assert await verdict(api, tenant) == {"tenant": tenant, "entries": 6, "first_broken": None}


async def test_no_secret_is_in_the_log(api: httpx.AsyncClient, tenant: str) -> None:
    made = await busy_tenant(api, tenant)
    log = str(await entries(api, tenant))
    for each in made:
        assert each["key"].partition(".")[2] not in log


async def test_what_concerns_the_deployment_stands_in_its_own_log(
    api: httpx.AsyncClient, deployment: Deployment
) -> None:
    before = len(await entries(api))
    operator = deployment.headers("operator_key")
    await api.post("/admin/queues/profile/pause", headers=operator)
    await api.post("/admin/queues/profile/resume", headers=operator)
    log = (await entries(api))[before:]
    assert [(each["action"], each["target"]) for each in log] == [
        ("queue.pause", "profile"),
        ("queue.resume", "profile"),
    ]
    assert all(each["actor"].startswith("key ") and each["actor"].endswith(" of demo") for each in log)
    assert (await verdict(api, PLATFORM))["first_broken"] is None


async def test_a_deed_that_is_refused_leaves_no_entry(api: httpx.AsyncClient, tenant: str) -> None:
    await busy_tenant(api, tenant)
    before = await entries(api, tenant)
    path = f"/admin/tenants/{tenant}"
    body = {"name": "n", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z"}
    assert (await api.post(f"{path}/keys", json=body, headers=BY_OPERATOR)).status_code == 422
    assert (await api.put(path, json={"data_dir": "x"}, headers=BY_OPERATOR)).status_code == 422
    assert (await api.delete(f"{path}/keys/{'0' * 12}", headers=BY_OPERATOR)).status_code == 404
    assert (await api.post("/admin/queues/no-such/pause", headers=BY_OPERATOR)).status_code == 404
    assert await entries(api, tenant) == before


async def test_the_log_is_read_newest_first_a_page_at_a_time(api: httpx.AsyncClient, tenant: str) -> None:
    await busy_tenant(api, tenant)
    seen: list[int] = []
    parameters: dict[str, Any] = {"tenant": tenant, "limit": 4}
    while True:
        page = (await api.get("/admin/audit", params=parameters, headers=BY_OPERATOR)).json()
        seen += [each["seq"] for each in page["data"]]
        if not page["has_more"]:
            break
        parameters["cursor"] = page["next_cursor"]
    assert seen == [6, 5, 4, 3, 2, 1]
    issued = await entries(api, tenant, action="key.issue")
    assert [each["seq"] for each in issued] == [2, 4]
    assert await entries(api, tenant, action="no.such") == []


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"tenant": "a b"}, 422, "invalid_tenant"),
        ({"tenant": "a\0"}, 422, "invalid_tenant"),
        ({"tenant": ""}, 422, "invalid_tenant"),
        ({"action": "a\0"}, 422, "invalid_request"),
        ({"limit": 101}, 422, "invalid_request"),
        ({"cursor": "x"}, 400, "invalid_cursor"),
        ({"cursor": "WzBd"}, 400, "invalid_cursor"),  # [0]
        ({"cursor": "W3RydWVd"}, 400, "invalid_cursor"),  # [true]
        ({"cursor": "WzkyMjMzNzIwMzY4NTQ3NzU4MDhd"}, 400, "invalid_cursor"),  # [2^63]
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    api: httpx.AsyncClient, parameters: dict[str, Any], status: int, code: str
) -> None:
    answer = await api.get("/admin/audit", params=parameters, headers=BY_OPERATOR)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "column",
    [
        "actor = 'somebody else'",
        "action = 'key.issue'",
        "target = 'x'",
        "origin = null",
        "request_id = 'x'",
        "detail = '{}'",
        "at = at - interval '1 microsecond'",
        "hash = sha256(hash)",
    ],
)
async def test_a_changed_entry_is_found(
    api: httpx.AsyncClient, superuser: asyncpg.Connection, tenant: str, column: str
) -> None:
    await busy_tenant(api, tenant)
    await superuser.execute(f"update audit_log set {column} where tenant_id = $1 and seq = 3", tenant)
    assert await verdict(api, tenant) == {"tenant": tenant, "entries": 6, "first_broken": 3}


async def test_an_entry_that_was_taken_out_or_slipped_in_is_found(
    api: httpx.AsyncClient, superuser: asyncpg.Connection, tenant: str
) -> None:
    await busy_tenant(api, tenant)
    await superuser.execute("delete from audit_log where tenant_id = $1 and seq = 2", tenant)
    assert await verdict(api, tenant) == {"tenant": tenant, "entries": 5, "first_broken": 3}
    await superuser.execute("update audit_log set seq = seq - 1 where tenant_id = $1 and seq > 2", tenant)
    assert (await verdict(api, tenant))["first_broken"] == 2
    await superuser.execute(
        "insert into audit_log select tenant_id, 99, at, actor, action, target, origin, request_id, detail, hash "
        "from audit_log where tenant_id = $1 and seq = 1",
        tenant,
    )
    assert (await verdict(api, tenant))["first_broken"] == 2


async def test_an_entry_moved_from_another_tenant_s_log_is_found(
    api: httpx.AsyncClient, superuser: asyncpg.Connection, tenant: str
) -> None:
    await busy_tenant(api, tenant)
    await api.put(f"/admin/tenants/{tenant}-b", json={}, headers=BY_OPERATOR)
    await superuser.execute("delete from audit_log where tenant_id = $1", f"{tenant}-b")
    await superuser.execute(
        "update audit_log set tenant_id = $2 where tenant_id = $1 and seq = 1", tenant, f"{tenant}-b"
    )
    assert (await verdict(api, f"{tenant}-b"))["first_broken"] == 1
    assert (await verdict(api, tenant))["first_broken"] == 2


async def test_the_log_goes_on_after_it_was_tampered_with_and_still_tells(
    api: httpx.AsyncClient, superuser: asyncpg.Connection, tenant: str
) -> None:
    await busy_tenant(api, tenant)
    await superuser.execute("update audit_log set actor = 'x' where tenant_id = $1 and seq = 5", tenant)
    await api.put(f"/admin/tenants/{tenant}", json={}, headers=BY_OPERATOR)
    assert await verdict(api, tenant) == {"tenant": tenant, "entries": 7, "first_broken": 5}


@pytest.mark.parametrize(
    "statement",
    [
        "insert into audit_log values ('demo', 999, now(), 'x', 'x', 'x', null, null, '{}', '')",
        "update audit_log set actor = 'x'",
        "delete from audit_log",
        "truncate audit_log",
        "alter table audit_log disable row level security",
        "drop table audit_log",
        "drop function audit_hash(bytea, audit_log)",
    ],
)
async def test_the_application_cannot_write_the_log_itself(
    database: Database, ledger: Connection, statement: str
) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with database.session("demo") as session:
            await session.execute(text(statement))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ledger.execute(statement)


async def test_nobody_writes_into_another_tenant_s_log(database: Database, ledger: Connection, tenant: str) -> None:
    with pytest.raises(DBAPIError, match="not the tenant of this transaction"):
        async with database.session("demo") as session:
            await record(session, tenant, BY.deed("a.b", "x"))
    with pytest.raises(DBAPIError, match="not the tenant of this transaction"):
        async with database.session("") as session:
            await record(session, tenant, BY.deed("a.b", "x"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ledger.execute("select audit_append('demo', 'x', 'x', 'x', null, null, '{}')")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ledger.execute("select * from audit_log")


async def test_the_platform_s_entry_leaves_the_transaction_with_its_tenant(database: Database, tenant: str) -> None:
    async with database.session(tenant) as session:
        connection = await (await session.connection()).get_raw_connection()
        assert connection.driver_connection is not None
        await record_for_platform(connection.driver_connection, BY.deed("test.deed", tenant))
        assert await session.scalar(text("select current_setting('app.tenant')")) == tenant
        assert await count_entries(session, PLATFORM) == 0  # which this tenant does not see
    async with database.session(PLATFORM) as session:
        newest = await session.execute(text("select action, target, origin from audit_log order by seq desc limit 1"))
        assert tuple(newest.one()) == ("test.deed", tenant, "192.0.2.1")


async def test_an_entry_falls_with_the_transaction_of_its_deed(database: Database, tenant: str) -> None:
    async with database.session(tenant) as session:
        await record(session, tenant, BY.deed("a.b", "x"))
        await session.rollback()
    async with database.session(tenant) as session:
        assert await count_entries(session, tenant) == 0


async def test_many_at_once_make_one_chain_without_gaps(database: Database, tenant: str) -> None:
    async def add(number: int) -> None:
        async with database.session(tenant) as session:
            await record(session, tenant, BY.deed("a.b", str(number)))

    await asyncio.gather(*(add(number) for number in range(40)))
    async with database.session(tenant) as session:
        assert await count_entries(session, tenant) == 40
        assert await first_broken(session, tenant) is None
