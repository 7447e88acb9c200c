"""Erased is erased, in every table that there is; exported is everything, but no secret; the neighbour is untouched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.engine.ledger.finish import End
from app.kit import json
from app.kit.db import Connection, Database
from tests.support.assignment_rows import fill_assignments
from tests.support.chat_rows import fill_chat
from tests.support.deployment import ADMIN_KEY
from tests.support.exam_rows import fill_exams
from tests.support.jobs import begun, end, live_worker, queued
from tests.support.profile_rows import fill_profiles

BY_OPERATOR = {"Authorization": "", "X-Admin-Key": ADMIN_KEY}
KEPT = {"tenants", "audit_log"}
SECRET = b"wrapped by nobody"

TABLES = """
select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
where a.attname = 'tenant_id' and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
"""


@pytest_asyncio.fixture(loop_scope="session")
async def superuser(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Whom no policy binds: what this one does not see is not there."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def neighbour(api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str) -> str:
    return (await furnish(api, ledger, superuser, f"{tenant}-neighbour"))["tenant"]


async def furnish(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str
) -> dict[str, str]:
    """A tenant with rows in every table; its id and a key of its own."""
    await api.put(f"/admin/tenants/{tenant}", json={"data_dir": f"/srv/{tenant}"}, headers=BY_OPERATOR)
    body = {"name": "n", "scopes": ["jobs:read", "jobs:write"]}
    key = (await api.post(f"/admin/tenants/{tenant}/keys", json=body, headers=BY_OPERATOR)).json()["key"]
    job = await queued(ledger, tenant_id=tenant, lane_id="lane", idempotency_key="k", input=json.text({"of": tenant}))
    await end(ledger, await begun(ledger, job, await live_worker(ledger)), End.DONE)
    await queued(ledger, tenant_id=tenant)
    await superuser.execute(
        "insert into outbox (effect_id, tenant_id, topic, payload) values (gen_random_uuid(), $1, 't', '{}')", tenant
    )
    await superuser.execute(
        "insert into tenant_data_keys (tenant_id, kek_id, wrapped) values ($1, 'k', $2)", tenant, SECRET
    )
    await superuser.execute("insert into expired_jobs (tenant_id, job_id) values ($1, gen_random_uuid())", tenant)
    await fill_chat(superuser, tenant)
    await superuser.execute(
        "insert into uploads (tenant_id, job_id, kind, record_id, form, files, parse_job_id)"
        " select $1, id, 'exam', 'e', '{}', '[]', id from gen_random_uuid() id",
        tenant,
    )
    await fill_exams(superuser, tenant)
    await fill_assignments(superuser, tenant)
    await fill_profiles(superuser, tenant)
    await superuser.execute(
        "with document as (insert into library_documents (tenant_id, kind, document_id, title, language, scope)"
        " values ($1, 'lesson', 'd', 't', 'en', 'public')) insert into library_sections"
        " (tenant_id, kind, document_id, number, text, words, letters) values ($1, 'lesson', 'd', 1, 't', '', '{}')",
        tenant,
    )
    assert 0 not in (await counts(superuser, tenant)).values(), "furnish() must put a row into every table"
    return {"tenant": tenant, "key": key}


async def counts(superuser: asyncpg.Connection, tenant: str) -> dict[str, int]:
    tables = [record[0] for record in await superuser.fetch(TABLES)]
    return {
        table: await superuser.fetchval(f"select count(*) from {table} where tenant_id = $1", tenant)
        for table in tables
    }


async def content(superuser: asyncpg.Connection, tenant: str) -> dict[str, list[str]]:
    tables = [record[0] for record in await superuser.fetch(TABLES)]
    query = "select to_jsonb(t)::text from {} t where tenant_id = $1 order by 1"
    return {table: [row[0] for row in await superuser.fetch(query.format(table), tenant)] for table in tables}


async def disable(api: httpx.AsyncClient, tenant: str) -> None:
    await api.delete(f"/admin/tenants/{tenant}", headers=BY_OPERATOR)


async def erase(api: httpx.AsyncClient, tenant: str, confirm: str | None = None) -> httpx.Response:
    body = {"confirm": tenant if confirm is None else confirm}
    return await api.post(f"/admin/tenants/{tenant}/erase", json=body, headers=BY_OPERATOR)


async def test_of_an_erased_tenant_only_its_registration_and_its_log_are_left(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str, neighbour: str
) -> None:
    key = (await furnish(api, ledger, superuser, tenant))["key"]
    await disable(api, tenant)
    before, untouched = await counts(superuser, tenant), await content(superuser, neighbour)
    answer = await erase(api, tenant)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    after = await counts(superuser, tenant)
    assert {table for table, rows in after.items() if rows} == KEPT
    assert document["erased"] == {table: rows for table, rows in before.items() if table not in KEPT}
    assert (document["tenant"]["enabled"], document["tenant"]["data_dir"]) == (False, f"/srv/{tenant}")
    assert document["tenant"]["erased_at"] is not None
    assert await content(superuser, neighbour) == untouched
    await api.put(f"/admin/tenants/{tenant}", json={}, headers=BY_OPERATOR)
    assert (await api.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"})).status_code == 401


async def test_an_erasure_is_recorded_in_the_tenant_s_log_and_in_the_platform_s(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str
) -> None:
    await furnish(api, ledger, superuser, tenant)
    await disable(api, tenant)
    erased = (await erase(api, tenant)).json()["erased"]
    for log in (tenant, "-"):
        answer = await api.get("/admin/audit", params={"tenant": log, "limit": 1}, headers=BY_OPERATOR)
        (entry,) = answer.json()["data"]
        assert (entry["action"], entry["target"], entry["actor"]) == ("tenant.erase", tenant, "admin key")
        assert entry["detail"] == {"rows": erased}
        verdict = (await api.get("/admin/audit/verify", params={"tenant": log}, headers=BY_OPERATOR)).json()
        assert verdict["first_broken"] is None


async def test_an_erasure_can_be_repeated(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str
) -> None:
    await furnish(api, ledger, superuser, tenant)
    await disable(api, tenant)
    await erase(api, tenant)
    await queued(ledger, tenant_id=tenant)  # a request that was under way
    again = await erase(api, tenant)
    assert (again.status_code, again.json()["erased"]["jobs"], again.json()["erased"]["api_keys"]) == (200, 1, 0)
    assert (await counts(superuser, tenant))["jobs"] == 0


async def test_what_is_refused_erases_nothing(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str
) -> None:
    await furnish(api, ledger, superuser, tenant)
    before = await content(superuser, tenant)
    enabled = await erase(api, tenant)
    assert (enabled.status_code, enabled.json()["code"]) == (409, "tenant_enabled")
    assert await content(superuser, tenant) == before
    await disable(api, tenant)
    before = await content(superuser, tenant)
    for confirm in ("", "demo", tenant.upper(), f"{tenant} "):
        answer = await erase(api, tenant, confirm)
        assert (answer.status_code, answer.json()["code"]) == (422, "erasure_not_confirmed")
    unconfirmed = await api.post(f"/admin/tenants/{tenant}/erase", json={}, headers=BY_OPERATOR)
    assert unconfirmed.json()["errors"][0]["pointer"] == "/body/confirm"
    assert await content(superuser, tenant) == before


async def test_while_jobs_run_nothing_is_erased(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str
) -> None:
    await furnish(api, ledger, superuser, tenant)
    delivery = await begun(ledger, await queued(ledger, tenant_id=tenant), await live_worker(ledger))
    await disable(api, tenant)
    before = await content(superuser, tenant)
    answer = await erase(api, tenant)
    assert (answer.status_code, answer.json()["code"]) == (409, "tenant_busy")
    assert answer.headers["Retry-After"] == "5"
    assert await content(superuser, tenant) == before
    await end(ledger, delivery, End.DONE)
    assert (await erase(api, tenant)).status_code == 200


async def test_a_job_that_is_being_begun_is_not_pulled_from_under_its_worker(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str
) -> None:
    await furnish(api, ledger, superuser, tenant)
    await disable(api, tenant)
    async with superuser.transaction():
        await superuser.execute("select from jobs where tenant_id = $1 for update", tenant)
        answer = await erase(api, tenant)
        assert (answer.status_code, answer.json()["code"]) == (409, "tenant_busy")
    assert (await erase(api, tenant)).status_code == 200


async def test_a_table_that_is_added_later_is_erased_and_exported_too(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str
) -> None:
    await furnish(api, ledger, superuser, tenant)
    await disable(api, tenant)
    walls = "using (tenant_id = nullif(current_setting('app.tenant', true), ''))"
    try:
        # `a_child` refers to `z_parent`: erased in the order of their names, the first round fails.
        await superuser.execute(f"""
            set role homeroom_owner;
            create table z_parent (tenant_id text, id int, primary key (tenant_id, id));
            create table a_child (tenant_id text, id int, foreign key (tenant_id, id) references z_parent);
            create table b_other (tenant_id text, id int, foreign key (tenant_id, id) references z_parent);
            alter table z_parent enable row level security; alter table z_parent force row level security;
            create policy app on z_parent to homeroom_app {walls};
            create policy app on a_child to homeroom_app {walls};
            create policy app on b_other to homeroom_app {walls};
            grant select on z_parent, a_child, b_other to homeroom_app;
            create policy o on a_child to homeroom_owner {walls}; create policy o on b_other to homeroom_owner {walls};
            reset role;
        """)
        await superuser.execute("insert into z_parent values ($1, 1), ('demo', 1)", tenant)
        await superuser.execute("insert into a_child values ($1, 1)", tenant)
        with pytest.raises(asyncpg.RaiseError, match="table z_parent has no policy"):
            await as_app(superuser, tenant)
        await superuser.execute(f"create policy o on z_parent to homeroom_owner {walls}")
        lines = (await api.get(f"/admin/tenants/{tenant}/export", headers=BY_OPERATOR)).text
        assert '"table" : "z_parent"' in lines
        assert '"table" : "a_child"' in lines
        erased = (await erase(api, tenant)).json()["erased"]
        assert (erased["z_parent"], erased["a_child"], erased["b_other"]) == (1, 1, 0)
        assert await superuser.fetchval("select count(*) from z_parent") == 1
    finally:
        await superuser.execute("drop table if exists a_child, b_other, z_parent")


async def as_app(superuser: asyncpg.Connection, tenant: str) -> None:
    async with superuser.transaction():
        await superuser.execute("set local role homeroom_app")
        await superuser.execute("select set_config('app.tenant', $1, true)", tenant)
        await superuser.execute("select erase_tenant($1)", tenant)


async def test_beneath_the_api_nobody_erases_another_or_an_enabled_tenant(
    api: httpx.AsyncClient,
    database: Database,
    ledger: Connection,
    superuser: asyncpg.Connection,
    tenant: str,
) -> None:
    await furnish(api, ledger, superuser, tenant)
    await disable(api, tenant)
    statement = text("select erase_tenant(:tenant)")
    for bound in ("demo", ""):
        with pytest.raises(DBAPIError, match="not the tenant of this transaction"):
            async with database.session(bound) as session:
                await session.execute(statement, {"tenant": tenant})
    with pytest.raises(DBAPIError, match="demo is enabled"):
        async with database.session("demo") as session:
            await session.execute(statement, {"tenant": "demo"})
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ledger.execute("select erase_tenant($1)", tenant)


async def test_an_export_is_every_row_of_the_tenant_and_no_secret(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str, neighbour: str
) -> None:
    key = (await furnish(api, ledger, superuser, tenant))["key"]
    answer = await api.get(f"/admin/tenants/{tenant}/export", headers=BY_OPERATOR)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    assert f'filename="{tenant}.ndjson"' in answer.headers["Content-Disposition"]
    lines: list[dict[str, Any]] = [json.loads(line) for line in answer.text.splitlines()]
    found: dict[str, int] = {}
    for line in lines:
        assert set(line) == {"table", "row"}
        assert line["row"]["tenant_id"] == tenant
        found[line["table"]] = found.get(line["table"], 0) + 1
    assert found == await counts(superuser, tenant)
    assert neighbour not in answer.text
    assert {"of": tenant} in [line["row"].get("input") for line in lines]
    stored = await superuser.fetchval("select secret_hmac from api_keys where tenant_id = $1", tenant)
    for secret in (key.partition(".")[2], stored.hex(), SECRET.hex(), "secret_hmac", '"wrapped"'):
        assert secret not in answer.text


async def test_an_export_is_recorded_before_its_first_row(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str
) -> None:
    await furnish(api, ledger, superuser, tenant)
    await disable(api, tenant)  # which does not keep a school from getting its data
    lines = (await api.get(f"/admin/tenants/{tenant}/export", headers=BY_OPERATOR)).text.splitlines()
    deeds = [line["row"]["action"] for line in map(json.loads, lines) if line["table"] == "audit_log"]
    assert "tenant.export" in deeds
    log = await api.get("/admin/audit", params={"tenant": tenant, "action": "tenant.export"}, headers=BY_OPERATOR)
    assert len(log.json()["data"]) == 1


async def test_a_reader_who_goes_away_leaves_no_transaction_behind(
    api: httpx.AsyncClient, ledger: Connection, superuser: asyncpg.Connection, tenant: str
) -> None:
    await furnish(api, ledger, superuser, tenant)
    await superuser.execute(
        "insert into outbox (effect_id, tenant_id, topic, payload) "
        "select gen_random_uuid(), $1, 't', to_jsonb(repeat(md5(n::text), 1000)) from generate_series(1, 2000) n",
        tenant,
    )
    for _ in range(12):  # more than the pool has connections
        path = f"/admin/tenants/{tenant}/export"
        async with api.stream("GET", path, headers=BY_OPERATOR) as answer:
            async for _chunk in answer.aiter_bytes(100):
                break
    whole = await api.get(f"/admin/tenants/{tenant}/export", headers=BY_OPERATOR)
    assert len(whole.text.splitlines()) > 2000
