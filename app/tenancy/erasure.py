"""To give a tenant all that is kept of it, and to erase it: explicit verbs of operators, both of them recorded.

Which tables there are, the database's catalogue tells: one that a later migration adds is exported and erased too.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import json
from app.kit.db import Connection, Database, driver_connection
from app.kit.errors import Refusal
from app.tenancy.audit import Hand, record, record_for_platform
from app.tenancy.tenants import TenantRecord, get_tenant

SECRETS = ("secret_hmac", "wrapped", "sealed_key")  # columns that are no use to a tenant, and some use to a thief
ROWS_AT_ONCE = 50  # a row may hold a megabyte
ERASE_SECONDS = 3600.0  # years of a school's work may take a while; half of it erased is not erased
LOCK_NOT_AVAILABLE = "55P03"


class TenantEnabled(Refusal):
    status = 409
    code = "tenant_enabled"
    title = "The tenant is enabled"
    cure = "Disable it first (DELETE /admin/tenants/{id}), so that nobody adds to what is being erased."


class TenantBusy(Refusal):
    status = 409
    code = "tenant_busy"
    title = "Jobs of the tenant are running"
    cure = "Wait until they have ended, or cancel them (POST /v1/jobs/{id}/cancel before disabling), then erase again."


class NotConfirmed(Refusal):
    status = 422
    code = "erasure_not_confirmed"
    title = "The erasure is not confirmed"
    cure = "Repeat the tenant's id in `confirm`: what is erased cannot be brought back."


async def erase_tenant(
    session: AsyncSession, tenant_id: str, confirm: str, by: Hand
) -> tuple[TenantRecord, dict[str, int]]:
    """Erase every row of a disabled tenant but its registration and its audit log; how many rows went from where.

    It is safe to repeat, and worth it: a request that was under way when the tenant was disabled may end after this.
    """
    was = await get_tenant(session, tenant_id)
    if confirm != tenant_id:
        raise NotConfirmed("`confirm` is not the tenant's id.")
    if was.enabled or not await _hold_disabled(session, tenant_id):
        raise TenantEnabled(f"{tenant_id} is enabled.")
    if running := await _hold_jobs(session, tenant_id):
        raise TenantBusy(f"{running} job(s) of {tenant_id} are running.", retry_after=5)
    connection = await driver_connection(session)
    erased: dict[str, int] = json.loads(await connection.fetchval(_ERASE, tenant_id, timeout=ERASE_SECONDS))
    deed = by.deed("tenant.erase", tenant_id, rows=erased)
    await record(session, tenant_id, deed)
    await record_for_platform(connection, deed)
    return await get_tenant(session, tenant_id), erased


async def record_export(session: AsyncSession, tenant_id: str, by: Hand) -> None:
    """To be committed before the first row is read: whoever reads is known, also where the line breaks."""
    await get_tenant(session, tenant_id)
    await record(session, tenant_id, by.deed("tenant.export", tenant_id))


async def export_rows(database: Database, tenant_id: str) -> AsyncGenerator[bytes, None]:
    """All that is kept of a tenant, a line a row, as of one moment."""
    async with database.session(tenant_id) as session:
        connection = await driver_connection(session)
        # One statement, so one snapshot: rows that belong together are exported together.
        cursor = await connection.cursor(await _all_rows(connection), tenant_id, list(SECRETS))
        while records := await cursor.fetch(ROWS_AT_ONCE):
            yield _lines(each[0] for each in records)


def _lines(rows: Iterable[str]) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


async def _all_rows(connection: Connection) -> str:
    tables = [each["name"] for each in await connection.fetch(_TABLES)]
    return " union all ".join(_ROWS.format(table=table) for table in tables)


async def _hold_disabled(session: AsyncSession, tenant_id: str) -> bool:
    """Nobody enables it until this transaction has ended."""
    return await session.scalar(_HOLD_TENANT, {"tenant": tenant_id}) is not None


async def _hold_jobs(session: AsyncSession, tenant_id: str) -> int:
    """How many jobs run; none of the others begins until this transaction has ended."""
    try:
        await session.execute(_HOLD_JOBS, {"tenant": tenant_id})
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        raise TenantBusy(f"Jobs of {tenant_id} are being begun or ended at this moment.", retry_after=5) from None
    return await session.scalar(_RUNNING, {"tenant": tenant_id}) or 0


_HOLD_TENANT = text("select tenant_id from tenants where tenant_id = :tenant and not enabled for update")

# nowait: who waited for a worker's rows while holding others of it could wait for ever.
_HOLD_JOBS = text("select from jobs where tenant_id = :tenant and status in ('queued', 'processing') for update nowait")

_RUNNING = text("select count(*) from jobs where tenant_id = :tenant and status = 'processing'")

_ERASE = "select erase_tenant($1)::text"

_TABLES = """
select quote_ident(c.relname) as name
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
order by c.relname
"""

_ROWS = """
select json_build_object('table', '{table}', 'row', to_jsonb(entry) - $2::text[])::text
from {table} entry where tenant_id = $1
"""
