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

# What concerns the whole deployment stands in the chain `-`, a name that no tenant can have. The engine may add to that
# chain alone; the caller's own tenant is bound again afterwards.
AUDIT_APPEND_PLATFORM = """
create function audit_append_platform(
    who text, did text, what text, whence text, request text, more jsonb
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    bound text := coalesce(current_setting('app.tenant', true), '');
    number bigint;
begin
    perform set_config('app.tenant', '-', true);
    number := audit_append('-', who, did, what, whence, request, more);
    perform set_config('app.tenant', bound, true);
    return number;
end $$
"""

# Erases all that a tenant has, in whatever tables there are by then: the catalogue tells, not a list. Tables that refer
# to each other are emptied in as many rounds as that takes. A table whose rows the owner cannot see is an error, not
# an omission.
ERASE_TENANT = """
create function erase_tenant(tenant text) returns jsonb language plpgsql security definer
set search_path = public, pg_temp as $$
declare
    pending text[];
    stuck text[];
    target text;
    gone bigint;
    erased jsonb := '{}';
begin
    if tenant is distinct from nullif(current_setting('app.tenant', true), '') then
        raise exception 'erase_tenant: % is not the tenant of this transaction', tenant;
    end if;
    if not exists (select 1 from tenants where tenant_id = tenant and not enabled) then
        raise exception 'erase_tenant: % is enabled or unknown', tenant;
    end if;
    if exists (select 1 from jobs where tenant_id = tenant and status = 'processing') then
        raise exception 'erase_tenant: jobs of % are running', tenant;
    end if;
    select array_agg(c.relname::text order by c.relname) into pending
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname not in ('tenants', 'audit_log');
    select t into target from unnest(pending) t where not exists (
        select 1 from pg_policy p
        where p.polrelid = quote_ident(t)::regclass and p.polcmd = '*' and current_user::regrole = any (p.polroles)
    );
    if found then
        raise exception 'erase_tenant: the table % has no policy for its owner', target
            using hint = 'Let a migration create it, as 0002 does for every table.';
    end if;
    while cardinality(pending) > 0 loop
        stuck := '{}';
        foreach target in array pending loop
            begin
                execute format('delete from %I where tenant_id = $1', target) using tenant;
                get diagnostics gone = row_count;
                erased := erased || jsonb_build_object(target, gone);
            exception when foreign_key_violation then
                stuck := stuck || target;
            end;
        end loop;
        if stuck = pending then
            raise exception 'erase_tenant: the tables % refer to each other in a circle', stuck;
        end if;
        pending := stuck;
    end loop;
    update tenants set erased_at = now(), updated_at = now() where tenant_id = tenant;
    return erased;
end $$
"""

FUNCTIONS = {  # who may call them; by default everybody might
    "audit_append(text, text, text, text, text, text, jsonb)": "homeroom_app",
    "audit_append_platform(text, text, text, text, text, jsonb)": "homeroom_app, homeroom_engine",
    "erase_tenant(text)": "homeroom_app",
}

# The tables of 0001 and the data keys: the owner reaches the bound tenant's rows there, since erasing is its work.
ERASABLE = ("tenants", "api_keys", "jobs", "job_attempts", "idempotency_keys", "lanes", "outbox", "tenant_data_keys")

TENANT = "tenant_id = nullif(current_setting('app.tenant', true), '')"


def upgrade() -> None:
    for statement in (*COLUMNS, DATA_KEYS, AUDIT_LOG, AUDIT_HASH, AUDIT_APPEND, AUDIT_APPEND_PLATFORM, ERASE_TENANT):
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
    for table in ERASABLE:
        op.execute(f"create policy {table}_owner on {table} to homeroom_owner using ({TENANT}) with check ({TENANT})")
    for function, roles in FUNCTIONS.items():
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to {roles}")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    for table in ERASABLE:
        op.execute(f"drop policy {table}_owner on {table}")
    op.execute("drop function audit_hash(bytea, audit_log)")
    op.execute("drop table audit_log")
    op.execute("drop table tenant_data_keys")
    op.execute("alter table api_keys drop column last_used_at, drop column created_by")
    op.execute(
        "alter table tenants drop column data_dir, drop column uploads_dir, drop column limits, drop column erased_at"
    )
