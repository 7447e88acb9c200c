"""Exams: what a teacher confirmed, question by question and student by student."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
create table exams (
    tenant_id    text not null,
    exam_id      text not null,
    upload_id    uuid not null,
    title        text not null,
    date         date not null,
    class_name   text not null,
    language     text not null,
    score_mode   text,
    figures      jsonb not null,
    created_at   timestamptz not null default now(),
    confirmed_at timestamptz not null default now(),
    primary key (tenant_id, exam_id),
    constraint exams_score_mode check (score_mode in ('question', 'total', 'subject'))
);
create index exams_by_date on exams (tenant_id, date desc, exam_id desc);
create index exams_by_class on exams (tenant_id, class_name, date desc, exam_id desc);

create table exam_questions (
    tenant_id        text not null,
    exam_id          text not null,
    question_id      text not null,
    position         integer not null,
    number           text not null,
    type             text,
    stem             text not null,
    context          text,
    options          jsonb not null default '[]',
    answer           text,
    solution         text,
    max_score        double precision,
    knowledge_points text[] not null default '{}',
    primary key (tenant_id, exam_id, question_id),
    constraint exam_questions_exam foreign key (tenant_id, exam_id) references exams
);

create table exam_students (
    tenant_id   text not null,
    exam_id     text not null,
    student_id  text not null,
    position    integer not null,
    name        text,
    class_name  text not null,
    absent      boolean not null default false,
    total       double precision,
    max_total   double precision,
    rank        integer,
    weak_points jsonb not null default '[]',
    primary key (tenant_id, exam_id, student_id),
    constraint exam_students_exam foreign key (tenant_id, exam_id) references exams
);
create unique index exam_students_by_position on exam_students (tenant_id, exam_id, position);
create index exam_students_by_student on exam_students (tenant_id, student_id);

create table exam_results (
    tenant_id   text not null,
    exam_id     text not null,
    student_id  text not null,
    question_id text not null,
    score       double precision,
    answer      text,
    exempt      boolean not null default false,
    primary key (tenant_id, exam_id, student_id, question_id),
    constraint exam_results_student foreign key (tenant_id, exam_id, student_id) references exam_students,
    constraint exam_results_question foreign key (tenant_id, exam_id, question_id) references exam_questions
)
"""

NAMES = ("exams", "exam_questions", "exam_students", "exam_results")
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
