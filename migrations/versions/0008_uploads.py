"""Uploads: files that became a job, and the draft that came of them."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = """
create table uploads (
    tenant_id     text not null,
    job_id        uuid not null,
    kind          text not null,
    record_id     text not null,
    form          jsonb not null,
    files         jsonb not null,
    parse_job_id  uuid not null,
    attempt       integer,
    parsed        jsonb,
    edits         jsonb not null default '{}',
    draft_version integer not null default 0,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    confirmed_at  timestamptz,
    primary key (tenant_id, job_id),
    constraint uploads_kind check (kind in ('exam', 'assignment')),
    constraint uploads_confirmed check (confirmed_at is null or parsed is not null)
);

create index uploads_by_age on uploads (tenant_id, kind, created_at desc, job_id desc);

create unique index uploads_by_parse on uploads (tenant_id, parse_job_id)
"""

TENANT = "tenant_id = nullif(current_setting('app.tenant', true), '')"


def upgrade() -> None:
    for statement in filter(None, map(str.strip, TABLES.split(";\n"))):
        op.execute(statement)
    op.execute("alter table uploads enable row level security")
    op.execute("alter table uploads force row level security")
    op.execute(f"create policy uploads_tenant on uploads to homeroom_app using ({TENANT}) with check ({TENANT})")
    op.execute(f"create policy uploads_owner on uploads to homeroom_owner using ({TENANT}) with check ({TENANT})")
    op.execute("grant select, insert, update, delete on uploads to homeroom_app")


def downgrade() -> None:
    op.execute("drop table uploads")
