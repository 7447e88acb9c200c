"""Chat: sessions, messages, what replies cost, agents; and the model of a tenant's own."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
create table chat_sessions (
    tenant_id       text not null,
    lane_id         text not null,
    role            text not null,
    person_id       text not null,
    session_id      text not null,
    title           text,
    turns           integer not null default 0,
    summary         text,
    summary_through integer not null default 0,
    created_at      timestamptz not null default now(),
    last_at         timestamptz not null default now(),
    last_job_id     uuid not null,
    primary key (tenant_id, lane_id),
    constraint chat_sessions_role check (role in ('student', 'teacher'))
);
create index chat_sessions_by_use on chat_sessions (tenant_id, last_at desc, last_job_id desc);
create index chat_sessions_by_name on chat_sessions (tenant_id, session_id);

create table chat_messages (
    tenant_id     text not null,
    lane_id       text not null,
    turn          integer not null,
    place         smallint not null,
    content       text not null,
    job_id        uuid,
    partial       boolean not null default false,
    sources       jsonb not null default '[]',
    provider      text,
    model         text,
    created_at    timestamptz not null default now(),
    primary key (tenant_id, lane_id, turn, place),
    constraint chat_messages_place check (place in (0, 1)),
    constraint chat_messages_session foreign key (tenant_id, lane_id) references chat_sessions
);
create unique index chat_messages_by_job on chat_messages (tenant_id, job_id, place);

create table llm_usage (
    tenant_id     text not null,
    job_id        uuid not null,
    attempt       integer not null,
    provider      text not null,
    model         text,
    input_tokens  integer not null,
    output_tokens integer not null,
    estimated     boolean not null,
    created_at    timestamptz not null default now(),
    primary key (tenant_id, job_id, attempt)
);

create table chat_agents (
    tenant_id         text not null,
    name              text not null,
    prompt            text not null,
    model             text,
    temperature       double precision,
    max_output_tokens integer not null,
    created_at        timestamptz not null default now(),
    updated_at        timestamptz not null default now(),
    primary key (tenant_id, name)
);

create table tenant_models (
    tenant_id  text not null,
    base_url   text not null,
    model      text not null,
    sealed_key bytea,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id),
    constraint tenant_models_tenant foreign key (tenant_id) references tenants
)
"""

GRANTS = {
    "chat_sessions": "select, insert, update, delete",
    "chat_messages": "select, insert, update, delete",
    "llm_usage": "select, insert",
    "chat_agents": "select, insert, update, delete",
    "tenant_models": "select, insert, update, delete",
}

TENANT = "tenant_id = nullif(current_setting('app.tenant', true), '')"


def upgrade() -> None:
    for statement in filter(None, map(str.strip, TABLES.split(";\n"))):
        op.execute(statement)
    for table, verbs in GRANTS.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_tenant on {table} to homeroom_app using ({TENANT}) with check ({TENANT})")
        op.execute(f"create policy {table}_owner on {table} to homeroom_owner using ({TENANT}) with check ({TENANT})")
        op.execute(f"grant {verbs} on {table} to homeroom_app")


def downgrade() -> None:
    for table in ("chat_messages", "chat_sessions", "llm_usage", "chat_agents", "tenant_models"):
        op.execute(f"drop table {table}")
