"""Confirmed exams. One that is confirmed again under its id takes the place of the one before, as a whole."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import TIMESTAMP as PG_TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db import Base

Timestamp = PG_TIMESTAMP(timezone=True)
NOW = func.now()


class Exam(Base):
    __tablename__ = "exams"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    exam_id: Mapped[str] = mapped_column(Text, primary_key=True)
    upload_id: Mapped[UUID]  # the upload that was confirmed last
    title: Mapped[str] = mapped_column(Text)
    date: Mapped[dt.date]
    class_name: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    score_mode: Mapped[str | None] = mapped_column(Text)  # null: nobody has marks
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)  # of the class and its questions: report/figures.py
    created_at: Mapped[dt.datetime] = mapped_column(Timestamp, server_default=NOW)
    confirmed_at: Mapped[dt.datetime] = mapped_column(Timestamp, server_default=NOW)

    __table_args__ = (
        CheckConstraint("score_mode in ('question', 'total', 'subject')", name="exams_score_mode"),
        Index("exams_by_date", "tenant_id", text("date desc"), text("exam_id desc")),
        Index("exams_by_class", "tenant_id", "class_name", text("date desc"), text("exam_id desc")),
    )


class ExamQuestion(Base):
    __tablename__ = "exam_questions"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    exam_id: Mapped[str] = mapped_column(Text, primary_key=True)
    question_id: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    number: Mapped[str] = mapped_column(Text)
    type: Mapped[str | None] = mapped_column(Text)
    stem: Mapped[str] = mapped_column(Text)
    context: Mapped[str | None] = mapped_column(Text)
    options: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default=text("'[]'"))
    answer: Mapped[str | None] = mapped_column(Text)
    solution: Mapped[str | None] = mapped_column(Text)
    max_score: Mapped[float | None]
    knowledge_points: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "exam_id"], ["exams.tenant_id", "exams.exam_id"], name="exam_questions_exam"
        ),
    )


class ExamStudent(Base):
    """Who sat the exam, or should have; `position` is the place in the report: by rank, then as in the sheet."""

    __tablename__ = "exam_students"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    exam_id: Mapped[str] = mapped_column(Text, primary_key=True)
    student_id: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    name: Mapped[str | None] = mapped_column(Text)
    class_name: Mapped[str] = mapped_column(Text)
    absent: Mapped[bool] = mapped_column(server_default=text("false"))
    total: Mapped[float | None]
    max_total: Mapped[float | None]  # of what counts for this student
    rank: Mapped[int | None]
    weak_points: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "exam_id"], ["exams.tenant_id", "exams.exam_id"], name="exam_students_exam"),
        Index("exam_students_by_position", "tenant_id", "exam_id", "position", unique=True),
        Index("exam_students_by_student", "tenant_id", "student_id"),
    )


class ExamResult(Base):
    __tablename__ = "exam_results"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    exam_id: Mapped[str] = mapped_column(Text, primary_key=True)
    student_id: Mapped[str] = mapped_column(Text, primary_key=True)
    question_id: Mapped[str] = mapped_column(Text, primary_key=True)
    score: Mapped[float | None]
    answer: Mapped[str | None] = mapped_column(Text)
    exempt: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "exam_id", "student_id"],
            ["exam_students.tenant_id", "exam_students.exam_id", "exam_students.student_id"],
            name="exam_results_student",
        ),
        ForeignKeyConstraint(
            ["tenant_id", "exam_id", "question_id"],
            ["exam_questions.tenant_id", "exam_questions.exam_id", "exam_questions.question_id"],
            name="exam_results_question",
        ),
    )
