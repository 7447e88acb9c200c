"""Profiles: what is known of a student, and how it came to be known; and, for the library, who reads it."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Student ids are ordered by their bytes: pages go on where they ended under every collation of a database.
TABLES = """
create table profiles (
    tenant_id      text not null,
    student_id     text collate "C" not null,
    name           text,
    class_name     text,
    version        integer not null,
    picture        jsonb not null,
    weak           text[] not null default '{}',
    notes          jsonb not null default '[]',
    misconceptions jsonb not null default '[]',
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    primary key (tenant_id, student_id)
);
create index profiles_by_class on profiles (tenant_id, class_name, student_id);

create table profile_updates (
    tenant_id   text not null,
    number      bigint not null generated always as identity,
    student_id  text collate "C" not null,
    job_id      uuid not null,
    content     jsonb not null,
    received_at timestamptz not null default now(),
    primary key (tenant_id, number)
);
create index profile_updates_by_student on profile_updates (tenant_id, student_id, number);

create table profile_sources (
    tenant_id   text not null,
    student_id  text collate "C" not null,
    kind        text not null,
    source_id   text not null,
    title       text,
    name        text,
    class_name  text,
    occurred_at timestamptz not null,
    as_of       timestamptz,
    assigned    text[] not null default '{}',
    primary key (tenant_id, student_id, kind, source_id),
    constraint profile_sources_kind check (kind in ('exam', 'assignment', 'chat', 'teacher', 'other')),
    constraint profile_sources_profile foreign key (tenant_id, student_id) references profiles
);

create table profile_results (
    tenant_id        text not null,
    student_id       text collate "C" not null,
    kind             text not null,
    source_id        text not null,
    question_id      text not null,
    knowledge_points text[] not null default '{}',
    score            double precision,
    max_score        double precision not null,
    primary key (tenant_id, student_id, kind, source_id, question_id),
    constraint profile_results_source foreign key (tenant_id, student_id, kind, source_id) references profile_sources
);

create table profile_history (
    tenant_id  text not null,
    student_id text collate "C" not null,
    version    integer not null,
    at         timestamptz not null default now(),
    job_id     uuid not null,
    sources    jsonb not null,
    changes    jsonb not null,
    primary key (tenant_id, student_id, version),
    constraint profile_history_profile foreign key (tenant_id, student_id) references profiles
);

create table library_readers (
    tenant_id   text not null,
    student_id  text not null,
    class_names text[] not null default '{}',
    told        jsonb not null default '{}',
    updated_at  timestamptz not null default now(),
    primary key (tenant_id, student_id)
)
"""

NAMES = ("profiles", "profile_updates", "profile_sources", "profile_results", "profile_history", "library_readers")
TENANT = "tenant_id = nullif(current_setting('app.tenant', true), '')"


def upgrade() -> None:
    for statement in filter(None, map(str.strip, TABLES.split(";\n"))):
        op.execute(statement)
    for table in NAMES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_tenant on {table} to homeroom_app using ({TENANT}) with check ({TENANT})")
        op.execute(f"create policy {table}_owner on {table} to homeroom_owner using ({TENANT}) with check ({TENANT})")
        op.execute(f"grant select, insert, update, delete on {table} to homeroom_app")


def downgrade() -> None:
    for table in reversed(NAMES):
        op.execute(f"drop table {table}")
