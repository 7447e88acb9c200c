"""The ledger, the outbox, tenants and keys, under row level security from their first day."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
create table tenants (
    tenant_id  text primary key check (tenant_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'),
    enabled    boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table api_keys (
    tenant_id   text not null constraint api_keys_tenant references tenants,
    key_id      text not null,
    name        text not null,
    secret_hmac bytea not null,
    scopes      text[] not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz,
    revoked_at  timestamptz,
    primary key (tenant_id, key_id)
);

create table jobs (
    job_id              uuid not null,
    tenant_id           text not null,
    queue               text not null,
    kind                text not null,
    status              text not null default 'queued'
        constraint jobs_status check (status in ('queued', 'processing', 'done', 'failed', 'cancelled')),
    step                text,
    progress            smallint not null default 0,
    attempt             integer not null default 0,
    failures            integer not null default 0,
    losses              integer not null default 0,
    retries             integer not null default 0,
    max_attempts        integer not null,
    priority            smallint not null default 0,
    lane_id             text,
    lane_seq            bigint,
    input               jsonb not null,
    result              jsonb,
    error               text,
    error_detail        text,
    request_id          text,
    session_id          text,
    worker_id           uuid,
    claim_token         uuid,
    timeout_seconds     double precision not null,
    deadline_at         timestamptz,
    cancel_requested_at timestamptz,
    dispatched_at       timestamptz,
    run_at              timestamptz,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    started_at          timestamptz,
    begun_at            timestamptz,
    finished_at         timestamptz,
    primary key (job_id, tenant_id),
    constraint jobs_lane_has_seq check ((lane_id is null) = (lane_seq is null)),
    constraint jobs_processing_is_owned check (status <> 'processing' or claim_token is not null)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

create index jobs_by_tenant on jobs (tenant_id, created_at desc, job_id desc);
create index jobs_undispatched on jobs (queue, created_at) where status = 'queued' and dispatched_at is null;
create index jobs_processing on jobs (queue, worker_id) where status = 'processing';
create unique index jobs_lane_holder on jobs (tenant_id, queue, lane_id)
    where status = 'processing' and lane_id is not null;
create unique index jobs_lane_live on jobs (tenant_id, queue, lane_id, lane_seq)
    where status in ('queued', 'processing') and lane_id is not null;

create table job_attempts (
    job_id       uuid not null,
    attempt      integer not null,
    tenant_id    text not null,
    worker_id    uuid,
    claim_token  uuid,
    status       text not null constraint job_attempts_status
        check (status in ('success', 'failure', 'retry', 'lost', 'cancelled', 'released')),
    started_at   timestamptz not null,
    finished_at  timestamptz not null default now(),
    duration_ms  integer not null,
    exit_code    integer,
    error        text,
    error_detail text,
    primary key (job_id, attempt, tenant_id)
);

create table idempotency_keys (
    tenant_id   text not null,
    key         text not null,
    fingerprint bytea not null,
    job_id      uuid not null,
    created_at  timestamptz not null default now(),
    primary key (tenant_id, key)
);

create table lanes (
    tenant_id        text not null,
    queue            text not null,
    lane_id          text not null,
    next_seq         bigint not null default 1,
    last_fingerprint bytea,
    last_job_id      uuid,
    last_at          timestamptz,
    primary key (tenant_id, queue, lane_id)
);

create table outbox (
    effect_id    uuid not null,
    tenant_id    text not null,
    topic        text not null,
    payload      jsonb not null,
    created_at   timestamptz not null default now(),
    tries        integer not null default 0,
    next_try_at  timestamptz not null default now(),
    delivered_at timestamptz,
    error        text,
    primary key (effect_id, tenant_id)
);
create index outbox_pending on outbox (next_try_at) where delivered_at is null;

create table workers (
    worker_id   uuid primary key,
    queue       text not null,
    host        text not null,
    pid         integer not null,
    version     text not null,
    slots       integer not null,
    load        integer not null default 0,
    started_at  timestamptz not null default now(),
    lease_until timestamptz not null
);
create index workers_by_queue on workers (queue, lease_until);

create table queue_controls (
    queue            text primary key,
    paused           boolean not null default false,
    paused_by        text,
    updated_at       timestamptz not null default now(),
    reconciler_id    uuid,
    reconciler_until timestamptz
);
"""

# What each role may do. The application reads and writes one tenant's rows and deletes nothing of the ledger; the
# engine works across tenants, on the ledger alone: no tenant's keys or documents are within its reach.
GRANTS = {
    "tenants": {"homeroom_app": "select, insert, update", "homeroom_engine": "select"},
    "api_keys": {"homeroom_app": "select, insert, update"},
    "jobs": {"homeroom_app": "select, insert, update", "homeroom_engine": "select, insert, update, delete"},
    "job_attempts": {"homeroom_app": "select, insert", "homeroom_engine": "select, insert, update, delete"},
    "idempotency_keys": {
        "homeroom_app": "select, insert, update, delete",
        "homeroom_engine": "select, insert, update, delete",
    },
    "lanes": {"homeroom_app": "select, insert, update", "homeroom_engine": "select, insert, update, delete"},
    "outbox": {"homeroom_app": "select, insert", "homeroom_engine": "select, insert, update, delete"},
}
ENGINE_ONLY = ("workers", "queue_controls")  # no tenant's data: how the fleet stands

TENANT = "tenant_id = nullif(current_setting('app.tenant', true), '')"


def upgrade() -> None:
    for statement in filter(None, map(str.strip, TABLES.split(";\n"))):
        op.execute(statement)
    for table, grants in GRANTS.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_tenant on {table} to homeroom_app using ({TENANT}) with check ({TENANT})")
        if "homeroom_engine" in grants:
            op.execute(f"create policy {table}_engine on {table} to homeroom_engine using (true) with check (true)")
        for role, verbs in grants.items():
            op.execute(f"grant {verbs} on {table} to {role}")
    for table in ENGINE_ONLY:
        op.execute(f"grant select, insert, update, delete on {table} to homeroom_engine")
    op.execute("grant select on alembic_version to homeroom_app, homeroom_engine")


def downgrade() -> None:
    for table in (*ENGINE_ONLY, *reversed(GRANTS)):
        op.execute(f"drop table {table}")
