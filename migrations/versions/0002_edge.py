"""Tenants' limits and folders, keys' use and makers, tenants' data keys, and an audit log that can only grow."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = (
    "alter table tenants add column data_dir text, add column uploads_dir text",
    "alter table tenants add column limits jsonb not null default '{}', add column erased_at timestamptz",
    "alter table api_keys add column last_used_at timestamptz, add column created_by text",
)

DATA_KEYS = """
create table tenant_data_keys (
    tenant_id  text primary key constraint tenant_data_keys_tenant references tenants,
    kek_id     text not null,
    wrapped    bytea not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
)
"""

# One chain a tenant: a row's hash covers its own words and the hash before it, so that nothing can be changed, dropped
# or slipped in between without breaking every hash after it.
AUDIT_LOG = """
create table audit_log (
    tenant_id  text not null,
    seq        bigint not null,
    at         timestamptz not null,
    actor      text not null,
    action     text not null,
    target     text not null,
    origin     text,
    request_id text,
    detail     jsonb not null default '{}',
    hash       bytea not null,
    primary key (tenant_id, seq)
)
"""

AUDIT_HASH = """
create function audit_hash(previous bytea, entry audit_log) returns bytea language sql immutable
set timezone = 'UTC' as $$
    select sha256(previous || convert_to(jsonb_build_array(
        entry.tenant_id, entry.seq, extract(epoch from entry.at), entry.actor, entry.action, entry.target,
        entry.origin, entry.request_id, entry.detail)::text, 'UTF8'))
$$
"""

# The one way in. It runs as the schema's owner, since the application may read the log and write none of it; the lock
# makes the chain's writers wait for each other, and ends with the transaction that the entry belongs to.
AUDIT_APPEND = """
create function audit_append(
    tenant text, who text, did text, what text, whence text, request text, more jsonb
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    last audit_log;
    entry audit_log;
begin
    if tenant is distinct from nullif(current_setting('app.tenant', true), '') then
        raise exception 'audit_append: % is not the tenant of this transaction', tenant;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('homeroom.audit.' || tenant, 0));
    select * into last from audit_log where tenant_id = tenant order by seq desc limit 1;
    entry.tenant_id := tenant;
    entry.seq := coalesce(last.seq, 0) + 1;
    entry.at := clock_timestamp();
    entry.actor := who;
    entry.action := did;
    entry.target := what;
    entry.origin := whence;
    entry.request_id := request;
    entry.detail := coalesce(more, '{}');
    entry.hash := audit_hash(coalesce(last.hash, ''::bytea), entry);
    insert into audit_log select entry.*;
    return entry.seq;
end $$
"""

TENANT = "tenant_id = nullif(current_setting('app.tenant', true), '')"


def upgrade() -> None:
    for statement in (*COLUMNS, DATA_KEYS, AUDIT_LOG, AUDIT_HASH, AUDIT_APPEND):
        op.execute(statement)
    for table in ("tenant_data_keys", "audit_log"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_tenant on {table} to homeroom_app using ({TENANT}) with check ({TENANT})")
    op.execute("grant select, insert, update on tenant_data_keys to homeroom_app")
    op.execute("grant select on audit_log to homeroom_app")
    # The function writes as the owner, and force means the owner too: it may add what belongs to the bound tenant.
    op.execute(f"create policy audit_log_owner_reads on audit_log for select to homeroom_owner using ({TENANT})")
    op.execute(f"create policy audit_log_owner_adds on audit_log for insert to homeroom_owner with check ({TENANT})")
    op.execute("revoke execute on function audit_append(text, text, text, text, text, text, jsonb) from public")
    op.execute("grant execute on function audit_append(text, text, text, text, text, text, jsonb) to homeroom_app")


def downgrade() -> None:
    op.execute("drop function audit_append(text, text, text, text, text, text, jsonb)")
    op.execute("drop function audit_hash(bytea, audit_log)")
    op.execute("drop table audit_log")
    op.execute("drop table tenant_data_keys")
    op.execute("alter table api_keys drop column last_used_at, drop column created_by")
    op.execute(
        "alter table tenants drop column data_dir, drop column uploads_dir, drop column limits, drop column erased_at"
    )
