"""The schema: is it this code's, and does every table keep tenants apart?"""

from __future__ import annotations

from app.core.config import Settings
from app.core.doctor.findings import Finding, Findings, fail, ok, warn
from app.core.doctor.postgres import connected
from app.core.migrate import applied_revision, required_revision
from app.kit.db import Connection, Role

MIGRATE = "Run `homeroom migrate` with this release."
RESTORE = "Find out who changed it; restore it by the migrations (`homeroom migrate` on a new database shows the form)."


async def check_schema(settings: Settings) -> Findings:
    async with connected(settings, Role.ENGINE) as connection:
        migrations = await _migrations(connection)
        yield migrations
        if migrations.cure == MIGRATE:
            return
        yield await _row_security(connection)
        yield await _rights(connection)


async def _migrations(connection: Connection) -> Finding:
    applied, required = await applied_revision(connection), required_revision()
    if applied is None or applied < required:
        return fail("migrations", f"the schema is at {applied or 'nothing'}, this code needs {required}", MIGRATE)
    if applied > required:
        found = f"the schema is at {applied}, ahead of this code's {required}: a newer release is being rolled out"
        return warn("migrations", found, "Finish the roll-out: this release serves until then.")
    return ok("migrations", f"the schema is at {applied}")


async def _row_security(connection: Connection) -> Finding:
    tables = await connection.fetch(_TABLES)
    open_ = [each["name"] for each in tables if not each["forced"]]
    if open_:
        found = f"row level security is not forced on {', '.join(open_)}: tenants could see each other"
        cure = "As homeroom_owner: alter table ... enable row level security, force row level security."
        return fail("row level security", found, cure)
    bare = [each["name"] for each in tables if not each["policies"]]
    if bare:
        return fail("row level security", f"no policy stands on {', '.join(bare)}: nobody sees a row", RESTORE)
    return ok("row level security", f"forced on all {len(tables)} tables of tenants")


async def _rights(connection: Connection) -> Finding:
    row = await connection.fetchrow(_RIGHTS)
    if row["unbound"]:
        found = f"{', '.join(row['unbound'])} may bypass row level security, or anything"
        return fail("roles", found, "As a superuser: alter role ... nosuperuser nobypassrls.")
    if row["owned"]:
        found = f"{', '.join(row['owned'])} do not belong to homeroom_owner"
        return fail("roles", found, "As a superuser: alter table ... owner to homeroom_owner.")
    if row["engine_reads_keys"]:
        found = "homeroom_engine may read API keys: it works across tenants, and must not"
        return fail("roles", found, "As homeroom_owner: revoke all on api_keys from homeroom_engine.")
    if row["log_is_open"]:
        found = "homeroom_app may change the audit log"
        return fail("roles", found, "As homeroom_owner: revoke insert, update, delete on audit_log from homeroom_app.")
    return ok("roles", "three roles, none of them above row level security; the schema is the owner's")


_TABLES = """
select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
       exists (select from pg_policy p where p.polrelid = c.oid) as policies
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
order by c.relname
"""

_RIGHTS = """
select array(select rolname::text from pg_roles where rolname in ('homeroom_owner', 'homeroom_app', 'homeroom_engine')
             and (rolsuper or rolbypassrls)) as unbound,
       array(select c.relname::text from pg_class c join pg_attribute a
             on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
             and c.relowner <> (select oid from pg_roles where rolname = 'homeroom_owner')) as owned,
       has_any_column_privilege('homeroom_engine', 'api_keys', 'select') as engine_reads_keys,
       has_table_privilege('homeroom_app', 'audit_log', 'insert, update, delete') as log_is_open
"""
