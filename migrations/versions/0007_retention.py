"""What is left of jobs past retention, what falls due by the clock, and what the auditor found."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
create table expired_jobs (
    tenant_id  text not null,
    job_id     uuid not null,
    expired_at timestamptz not null default now(),
    primary key (tenant_id, job_id)
);

create table schedules (
    name         text primary key,
    queue        text not null,
    timing       text not null,
    due_at       timestamptz not null,
    runner_id    uuid,
    runner_until timestamptz,
    started_at   timestamptz,
    finished_at  timestamptz,
    error        text
);

create table audit_findings (
    invariant     text not null,
    name          text not null,
    subject       uuid not null,
    detail        text not null,
    first_seen_at timestamptz not null default now(),
    last_seen_at  timestamptz not null default now(),
    primary key (name, subject)
);

create table audit_progress (
    auditor     text primary key,
    position    uuid not null,
    finished_at timestamptz not null default now()
);

create index idempotency_keys_by_job on idempotency_keys (job_id)
"""

ENGINE_ONLY = ("schedules", "audit_findings", "audit_progress")  # no tenant's data: how the deployment is kept

TENANT = "tenant_id = nullif(current_setting('app.tenant', true), '')"


def upgrade() -> None:
    for statement in filter(None, map(str.strip, TABLES.split(";\n"))):
        op.execute(statement)
    op.execute("alter table expired_jobs enable row level security")
    op.execute("alter table expired_jobs force row level security")
    for who, role, rows in (("tenant", "app", TENANT), ("engine", "engine", "true"), ("owner", "owner", TENANT)):
        op.execute(
            f"create policy expired_jobs_{who} on expired_jobs to homeroom_{role} using ({rows}) with check ({rows})"
        )
    op.execute("grant select on expired_jobs to homeroom_app")
    op.execute("grant select, insert, update, delete on expired_jobs to homeroom_engine")
    for table in ENGINE_ONLY:
        op.execute(f"grant select, insert, update, delete on {table} to homeroom_engine")


def downgrade() -> None:
    op.execute("drop index idempotency_keys_by_job")
    for table in (*ENGINE_ONLY, "expired_jobs"):
        op.execute(f"drop table {table}")
