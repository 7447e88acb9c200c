"""The library's tables: a document says who may see it, its sections are what is found, readers are who asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import REAL, CheckConstraint, ForeignKeyConstraint, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.dialects.postgresql import TIMESTAMP as PG_TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db import Base

Timestamp = PG_TIMESTAMP(timezone=True)
NOW = func.now()


class LibraryDocument(Base):
    """A lesson, an exam, an assignment, or whatever else a class may be asked about."""

    __tablename__ = "library_documents"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    document_id: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    class_name: Mapped[str | None] = mapped_column(Text)
    student_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)

    __table_args__ = (
        CheckConstraint("scope in ('public', 'class', 'student')", name="library_documents_scope"),
        # A document without its audience would be seen by nobody, or one day by everybody.
        CheckConstraint("scope <> 'class' or class_name is not null", name="library_documents_class"),
        CheckConstraint("scope <> 'student' or cardinality(student_ids) > 0", name="library_documents_students"),
    )


class LibrarySection(Base):
    """A passage of a document, and what it is found by: its words, and the vector of its letters.

    There is no index but the key. Behind row level security Postgres asks the policy first, and uses no GIN and no HNSW
    index for operators that it does not trust to keep secrets (they are not leakproof). So a search reads the tenant's
    own sections by the key's prefix, which is exact, and never looks at another tenant's.
    """

    __tablename__ = "library_sections"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    document_id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    locator: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    knowledge_points: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    words: Mapped[str] = mapped_column(TSVECTOR)
    # real[], not pgvector's type: the table is the same where the extension is missing, and cast where it is there.
    letters: Mapped[list[float]] = mapped_column(ARRAY(REAL))

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "kind", "document_id"],
            ["library_documents.tenant_id", "library_documents.kind", "library_documents.document_id"],
            name="library_sections_document",
        ),
    )


class LibraryReader(Base):
    """A student who asks: whose classes' documents they find, and what a reply may know of them."""

    __tablename__ = "library_readers"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    student_id: Mapped[str] = mapped_column(Text, primary_key=True)
    class_names: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    told: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))  # by language, passages
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
