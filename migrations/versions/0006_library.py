"""The library: confirmed material and its search."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DOCUMENTS = """
create table library_documents (
    tenant_id   text not null,
    kind        text not null,
    document_id text not null,
    title       text not null,
    language    text not null,
    scope       text not null constraint library_documents_scope check (scope in ('public', 'class', 'student')),
    class_name  text constraint library_documents_class check (scope <> 'class' or class_name is not null),
    student_ids text[] not null default '{}'
        constraint library_documents_students check (scope <> 'student' or cardinality(student_ids) > 0),
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    primary key (tenant_id, kind, document_id)
)
"""

SECTIONS = """
create table library_sections (
    tenant_id        text not null,
    kind             text not null,
    document_id      text not null,
    number           integer not null,
    locator          text,
    text             text not null,
    knowledge_points text[] not null default '{}',
    words            tsvector not null,
    letters          real[] not null,
    primary key (tenant_id, kind, document_id, number),
    constraint library_sections_document foreign key (tenant_id, kind, document_id)
        references library_documents (tenant_id, kind, document_id)
)
"""

# pgvector makes the search faster where the server has it and the login may create it; without it the same numbers are
# computed by plain SQL. In a schema of its own, since a search compares within a tenant and nobody else needs to know.
EXTENSION = """
do $$ begin
    if exists (select from pg_extension where extname = 'vector')
       or not exists (select from pg_available_extensions where name = 'vector') then
        return;
    end if;
    create schema if not exists homeroom_vector;
    create extension vector with schema homeroom_vector;
    grant usage on schema homeroom_vector to homeroom_app;
exception when insufficient_privilege then
    raise notice 'The extension vector was not created: search works without it, slower.';
end $$
"""

TABLES = ("library_documents", "library_sections")
TENANT = "tenant_id = nullif(current_setting('app.tenant', true), '')"


def upgrade() -> None:
    op.execute(DOCUMENTS)
    op.execute(SECTIONS)
    # A search reads every vector of the tenant: within the row, never out of line, never compressed.
    op.execute("alter table library_sections alter column letters set storage plain")
    for table in TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_tenant on {table} to homeroom_app using ({TENANT}) with check ({TENANT})")
        op.execute(f"create policy {table}_owner on {table} to homeroom_owner using ({TENANT}) with check ({TENANT})")
        op.execute(f"grant select, insert, update, delete on {table} to homeroom_app")
    op.execute("set local role none")  # an extension is created by the login; homeroom_owner may not
    op.execute(EXTENSION)
    op.execute("set local role homeroom_owner")


def downgrade() -> None:
    """The extension stays: something else may have come to use it."""
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
