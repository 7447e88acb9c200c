"""Assignments: what a teacher confirmed."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = """
create table assignments (
    tenant_id      text not null,
    assignment_id  text not null,
    upload_id      uuid not null,
    title          text,
    date           date not null,
    due_at         timestamptz,
    scope          text not null,
    class_name     text,
    student_ids    text[] not null default '{}',
    requirements   jsonb not null,
    question_count integer not null,
    total_score    double precision,
    created_at     timestamptz not null default now(),
    confirmed_at   timestamptz not null default now(),
    primary key (tenant_id, assignment_id),
    constraint assignments_scope check (scope in ('public', 'class', 'student')),
    constraint assignments_class check (scope <> 'class' or class_name is not null),
    constraint assignments_students check (scope <> 'student' or cardinality(student_ids) > 0)
);

create index assignments_by_age on assignments (tenant_id, confirmed_at desc, upload_id desc);

create table assignment_questions (
    tenant_id        text not null,
    assignment_id    text not null,
    position         integer not null,
    question_id      text not null,
    number           text not null,
    type             text not null,
    stem             text not null,
    context          text,
    options          jsonb not null,
    answer           text,
    solution         text,
    score            double precision,
    difficulty       text not null,
    knowledge_points text[] not null,
    tags             text[] not null,
    primary key (tenant_id, assignment_id, position),
    constraint assignment_questions_assignment foreign key (tenant_id, assignment_id) references assignments
);

create unique index assignment_questions_by_id on assignment_questions (tenant_id, assignment_id, question_id)
"""

TENANT = "tenant_id = nullif(current_setting('app.tenant', true), '')"


def upgrade() -> None:
    for statement in filter(None, map(str.strip, TABLES.split(";\n"))):
        op.execute(statement)
    for table in ("assignments", "assignment_questions"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_tenant on {table} to homeroom_app using ({TENANT}) with check ({TENANT})")
        op.execute(f"create policy {table}_owner on {table} to homeroom_owner using ({TENANT}) with check ({TENANT})")
        op.execute(f"grant select, insert, update, delete on {table} to homeroom_app")


def downgrade() -> None:
    op.execute("drop table assignment_questions")
    op.execute("drop table assignments")
