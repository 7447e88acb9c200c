"""The walls between tenants, asked of Postgres itself: a new table without one fails here."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.bootstrap import ensure_tenant
from app.engine.ledger.finish import End
from app.kit.db import Connection, Database, Role, driver_connection
from app.library.demo import seed_demo
from app.tenancy.models import TenantDataKey
from tests.support.assignment_rows import fill_assignments
from tests.support.chat_rows import fill_chat
from tests.support.deployment import MASTER_KEY, Deployment
from tests.support.exam_rows import fill_exams
from tests.support.jobs import begun, end, live_worker, queued
from tests.support.profile_rows import fill_profiles

UPLOAD = """
insert into uploads (tenant_id, job_id, kind, record_id, form, files, parse_job_id)
select $1, id, 'exam', 'e', '{}', '[]', id from gen_random_uuid() id
"""
OWN = "own-tenant"
OTHER = "other-tenant"

# Tables that hold no tenant's data, each with the reason.
WITHOUT_TENANT = {
    "alembic_version": "which migrations ran",
    "workers": "the fleet: which processes serve which queue",
    "queue_controls": "what operators decided about a queue",
    "queue_samples": "how the queues stood in the last hours",
    "schedules": "what falls due by the clock",
    "audit_findings": "which invariants were found violated",
    "audit_progress": "how far the auditor has come",
}

POLICIES = """
select c.relname as table, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
       p.polname as policy, p.polcmd::text as command, p.polpermissive as permissive,
       pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as checks,
       array(select rolname::text from pg_roles where oid = any (p.polroles)) as roles
from pg_class c left join pg_policy p on p.polrelid = c.oid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
"""

TENANT_EXPRESSION = "(tenant_id = NULLIF(current_setting('app.tenant'::text, true), ''::text))"


async def tables(ledger: Connection) -> set[str]:
    return {record["table"] for record in await ledger.fetch(POLICIES)}


async def test_every_table_with_a_tenant_is_behind_a_wall_and_every_other_is_named_here(ledger: Connection) -> None:
    columns = await ledger.fetch(
        "select c.relname from pg_attribute a join pg_class c on c.oid = a.attrelid "
        "where a.attname = 'tenant_id' and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"
    )
    with_tenant = {record["relname"] for record in columns}
    assert await tables(ledger) - with_tenant == set(WITHOUT_TENANT)


async def test_row_level_security_is_enabled_and_forced_and_checks_what_is_written(ledger: Connection) -> None:
    for record in await ledger.fetch(POLICIES):
        if record["table"] in WITHOUT_TENANT:
            continue
        assert record["enabled"], record["table"]
        assert record["forced"], record["table"]
        assert record["policy"] is not None, record["table"]
    app_policies = [r for r in await ledger.fetch(POLICIES) if r["roles"] and Role.APP in r["roles"]]
    assert {r["table"] for r in app_policies} == await tables(ledger) - set(WITHOUT_TENANT)
    for record in app_policies:
        assert record["roles"] == [Role.APP.value]
        assert record["command"] == "*"
        assert record["using"] == record["checks"] == TENANT_EXPRESSION, record["table"]


async def test_the_owner_reaches_the_bound_tenant_s_rows_alone_so_that_they_can_be_erased(ledger: Connection) -> None:
    policies = [r for r in await ledger.fetch(POLICIES) if r["roles"] == [Role.OWNER.value]]
    for record in policies:
        assert TENANT_EXPRESSION in (record["using"], record["checks"]), record["policy"]
        assert {record["using"], record["checks"]} <= {TENANT_EXPRESSION, None}, record["policy"]
    erasable = {record["table"] for record in policies if record["command"] == "*"}
    assert erasable == await tables(ledger) - set(WITHOUT_TENANT) - {"audit_log"}
    # Of the log there is no changing and no deleting, not even for the one who owns it.
    assert {r["command"] for r in policies if r["table"] == "audit_log"} == {"a", "r"}


async def test_no_function_of_ours_that_writes_is_for_everybody(ledger: Connection) -> None:
    functions = await ledger.fetch(
        """
        select proname, proconfig,
               array(select grantee::regrole::text from aclexplode(proacl) where grantee <> proowner) as callers,
               exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0) as anybody
        from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
        """
    )
    assert {record["proname"]: set(record["callers"]) for record in functions} == {
        "audit_append": {Role.APP.value},
        "audit_append_platform": {Role.APP.value, Role.ENGINE.value},
        "erase_tenant": {Role.APP.value},
    }
    for record in functions:
        assert not record["anybody"], record["proname"]
        assert record["proconfig"] == ["search_path=public, pg_temp"], record["proname"]


async def test_no_policy_is_for_everybody(ledger: Connection) -> None:
    for record in await ledger.fetch(POLICIES):
        assert record["policy"] is None or record["roles"], f"{record['table']}.{record['policy']} is for PUBLIC"


async def test_the_roles_are_ordinary_and_own_nothing_that_they_use(ledger: Connection) -> None:
    roles = await ledger.fetch(
        "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles "
        "where rolname = any($1::text[])",
        [role.value for role in Role],
    )
    assert {record["rolname"] for record in roles} == {role.value for role in Role}
    for record in roles:
        assert not any(list(record.values())[1:]), record
    owners = await ledger.fetch(
        "select distinct pg_get_userbyid(relowner) as owner from pg_class where relnamespace = 'public'::regnamespace"
    )
    assert {record["owner"] for record in owners} == {Role.OWNER.value}


async def test_a_session_acts_as_the_application_and_the_ledger_as_the_engine(
    database: Database, ledger: Connection
) -> None:
    async with database.session(OWN) as session:
        assert await session.scalar(text("select current_user")) == Role.APP.value
    assert await ledger.fetchval("select current_user") == Role.ENGINE.value


async def test_a_tenant_sees_its_own_rows_alone(database: Database, ledger: Connection, deployment: Deployment) -> None:
    ensure = deployment.database_url, MASTER_KEY
    for tenant in (OWN, OTHER):
        await asyncio.to_thread(ensure_tenant, *ensure, tenant, {})
        job = await queued(ledger, tenant_id=tenant, lane_id="lane", idempotency_key="k")
        await end(ledger, await begun(ledger, job, await live_worker(ledger)), End.DONE)
        await ledger.execute(
            "insert into outbox (effect_id, tenant_id, topic, payload) values (gen_random_uuid(), $1, 't', '{}')",
            tenant,
        )
        await ledger.execute("insert into expired_jobs (tenant_id, job_id) values ($1, gen_random_uuid())", tenant)
        async with database.session(tenant) as session:
            session.add(TenantDataKey(tenant_id=tenant, kek_id="none", wrapped=b""))
            await fill_chat(await driver_connection(session), tenant)
            await fill_assignments(await driver_connection(session), tenant)
            await fill_exams(await driver_connection(session), tenant)
            await (await driver_connection(session)).execute(UPLOAD, tenant)
            await fill_profiles(await driver_connection(session), tenant)
            await seed_demo(session, tenant)
    for table in await tables(ledger) - set(WITHOUT_TENANT):
        async with database.session(OWN) as session:
            seen = set(await session.scalars(text(f"select distinct tenant_id from {table}")))
        assert seen == {OWN}, table
        async with database.session("") as session:  # no tenant is bound
            assert list(await session.scalars(text(f"select tenant_id from {table}"))) == [], table


async def test_a_tenant_cannot_change_another_s_rows(database: Database, ledger: Connection) -> None:
    job = await queued(ledger, tenant_id=OTHER)
    async with database.session(OWN) as session:
        connection = await driver_connection(session)
        changed = await connection.execute("update jobs set status = 'cancelled' where job_id = $1", job.job_id)
        assert changed == "UPDATE 0"


@pytest.mark.parametrize("bound", [OWN, ""], ids=["another tenant", "no tenant"])
async def test_a_row_for_another_tenant_cannot_be_written(database: Database, bound: str) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.session(bound) as session:
            await session.execute(
                text(
                    "insert into outbox (effect_id, tenant_id, topic, payload) "
                    "values (gen_random_uuid(), :tenant, 't', '{}')"
                ),
                {"tenant": OTHER},
            )


async def test_a_row_cannot_be_moved_to_another_tenant(database: Database, ledger: Connection) -> None:
    job = await queued(ledger, tenant_id=OWN)
    async with database.session(OWN) as session:
        connection = await driver_connection(session)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await connection.execute("update jobs set tenant_id = $2 where job_id = $1", job.job_id, OTHER)
        await session.rollback()


async def test_the_tenant_ends_with_its_transaction(database: Database, ledger: Connection) -> None:
    await queued(ledger, tenant_id=OWN)
    async with database.session(OWN) as session:
        connection = await driver_connection(session)
        assert await connection.fetchval("select current_setting('app.tenant', true)") == OWN
        backend = await connection.fetchval("select pg_backend_pid()")
    assert database._app is not None
    async with database._app.connect() as raw:  # the same pooled connection, without a session's binding
        assert (await raw.execute(text("select pg_backend_pid()"))).scalar() == backend
        assert (await raw.execute(text("select count(*) from jobs"))).scalar() == 0


@pytest.mark.parametrize("statement", ["select 1 from api_keys", "insert into tenants (tenant_id) values ('x')"])
async def test_the_engine_reads_no_keys_and_makes_no_tenants(ledger: Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ledger.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "delete from jobs",
        "truncate jobs",
        "delete from job_attempts",
        "update job_attempts set status = 'success'",
        "delete from outbox",
        "delete from api_keys",
        "delete from tenants",
        "delete from tenant_data_keys",
        "insert into audit_log (tenant_id) values ('own-tenant')",
        "update audit_log set actor = 'x'",
        "delete from audit_log",
        "select 1 from workers",
        "update queue_controls set paused = true",
        "create table mine (a int)",
        "alter table jobs disable row level security",
    ],
)
async def test_the_application_cannot_rewrite_history_or_leave_its_room(database: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with database.session(OWN) as session:
            await session.execute(text(statement))
