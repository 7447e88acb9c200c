"""Assignments as teachers confirmed them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import TIMESTAMP as PG_TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db import Base

Timestamp = PG_TIMESTAMP(timezone=True)
NOW = func.now()


class Assignment(Base):
    """What a class, some students or everybody is to do. Confirming another upload of its id replaces it."""

    __tablename__ = "assignments"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    assignment_id: Mapped[str] = mapped_column(Text, primary_key=True)
    upload_id: Mapped[UUID]  # whose draft it was; its time and this id are where a page of a list ends
    title: Mapped[str | None] = mapped_column(Text)
    date: Mapped[date]
    due_at: Mapped[datetime | None] = mapped_column(Timestamp)
    scope: Mapped[str] = mapped_column(Text)
    class_name: Mapped[str | None] = mapped_column(Text)
    student_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    requirements: Mapped[dict[str, Any]] = mapped_column(JSONB)
    question_count: Mapped[int]
    total_score: Mapped[float | None]  # null: not every question states its marks
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    confirmed_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)

    __table_args__ = (
        CheckConstraint("scope in ('public', 'class', 'student')", name="assignments_scope"),
        CheckConstraint("scope <> 'class' or class_name is not null", name="assignments_class"),
        CheckConstraint("scope <> 'student' or cardinality(student_ids) > 0", name="assignments_students"),
        Index("assignments_by_age", "tenant_id", text("confirmed_at desc"), text("upload_id desc")),
    )


class AssignmentQuestion(Base):
    """A question of an assignment, with its key."""

    __tablename__ = "assignment_questions"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    assignment_id: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    question_id: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    stem: Mapped[str] = mapped_column(Text)
    context: Mapped[str | None] = mapped_column(Text)
    options: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    answer: Mapped[str | None] = mapped_column(Text)
    solution: Mapped[str | None] = mapped_column(Text)
    score: Mapped[float | None]
    difficulty: Mapped[str] = mapped_column(Text)
    knowledge_points: Mapped[list[str]] = mapped_column(ARRAY(Text))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "assignment_id"],
            ["assignments.tenant_id", "assignments.assignment_id"],
            name="assignment_questions_assignment",
        ),
        Index("assignment_questions_by_id", "tenant_id", "assignment_id", "question_id", unique=True),
    )
