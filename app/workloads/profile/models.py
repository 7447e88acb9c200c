"""What is known of students. The results are the truth; a profile's picture is computed from them, and can be again."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Identity, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import TIMESTAMP as PG_TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db import Base

Timestamp = PG_TIMESTAMP(timezone=True)
NOW = func.now()
IN_BYTES = Text(collation="C")  # one order for pages under every collation of a database


class Profile(Base):
    """One student."""

    __tablename__ = "profiles"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    student_id: Mapped[str] = mapped_column(IN_BYTES, primary_key=True)
    name: Mapped[str | None] = mapped_column(Text)
    class_name: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int]
    picture: Mapped[dict[str, Any]] = mapped_column(JSONB)  # picture.Picture: computed, never edited
    weak: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # folded, for the filter
    notes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    misconceptions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)

    __table_args__ = (Index("profiles_by_class", "tenant_id", "class_name", "student_id"),)


class ProfileUpdateRow(Base):
    """An update that is accepted and not merged yet. Its number is taken under the lane's lock: the lane's order."""

    __tablename__ = "profile_updates"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    student_id: Mapped[str] = mapped_column(IN_BYTES)
    job_id: Mapped[UUID]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)  # schemas.UpdateContent
    received_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)

    __table_args__ = (Index("profile_updates_by_student", "tenant_id", "student_id", "number"),)


class ProfileSource(Base):
    """Something that told about the student: an exam, an assignment, a teacher's word."""

    __tablename__ = "profile_sources"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    student_id: Mapped[str] = mapped_column(IN_BYTES, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    source_id: Mapped[str] = mapped_column(Text, primary_key=True)  # the client's, or the id of the job that told it
    title: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    class_name: Mapped[str | None] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(Timestamp)
    as_of: Mapped[datetime | None] = mapped_column(Timestamp)
    assigned: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))

    __table_args__ = (
        CheckConstraint("kind in ('exam', 'assignment', 'chat', 'teacher', 'other')", name="profile_sources_kind"),
        ForeignKeyConstraint(
            ["tenant_id", "student_id"], ["profiles.tenant_id", "profiles.student_id"], name="profile_sources_profile"
        ),
    )


class ProfileResult(Base):
    """What the student got for a question."""

    __tablename__ = "profile_results"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    student_id: Mapped[str] = mapped_column(IN_BYTES, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    source_id: Mapped[str] = mapped_column(Text, primary_key=True)
    question_id: Mapped[str] = mapped_column(Text, primary_key=True)
    knowledge_points: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    score: Mapped[float | None]
    max_score: Mapped[float]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "student_id", "kind", "source_id"],
            [
                "profile_sources.tenant_id",
                "profile_sources.student_id",
                "profile_sources.kind",
                "profile_sources.source_id",
            ],
            name="profile_results_source",
        ),
    )


class ProfileHistory(Base):
    """How a profile came to be as it is: the latest versions, and what each changed."""

    __tablename__ = "profile_history"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    student_id: Mapped[str] = mapped_column(IN_BYTES, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    job_id: Mapped[UUID]
    sources: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "student_id"], ["profiles.tenant_id", "profiles.student_id"], name="profile_history_profile"
        ),
    )
