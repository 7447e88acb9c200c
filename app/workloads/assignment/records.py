"""The confirmed record, as it is shown."""

from __future__ import annotations

import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.documents.values import QuestionType
from app.workloads.assignment.fields import Difficulty, Scope
from app.workloads.assignment.schemas import DraftOption, Requirements


class RecordQuestion(BaseModel):
    """A question of a confirmed assignment."""

    question_id: str
    number: str
    type: QuestionType
    stem: str
    context: str | None
    options: list[DraftOption]
    answer: Annotated[str | None, Field(description="null: there is none, or the caller is a student")]
    solution: Annotated[str | None, Field(description="null: there is none, or the caller is a student")]
    score: float | None
    difficulty: Difficulty
    knowledge_points: list[str]
    tags: list[str]


class RecordSummary(BaseModel):
    """A confirmed assignment."""

    assignment_id: str
    job_id: Annotated[UUID, Field(description="The upload that it was confirmed from")]
    title: str | None
    date: datetime.date
    due_at: datetime.datetime | None
    scope: Scope
    class_name: str | None
    student_ids: Annotated[list[str], Field(description="To a student, of them only the own")]
    question_count: int
    total_score: Annotated[float | None, Field(description="null: not every question states its marks")]
    created_at: datetime.datetime
    confirmed_at: datetime.datetime


class Record(RecordSummary):
    """A confirmed assignment with all that belongs to it."""

    requirements: Annotated[Requirements | None, Field(description="null: the caller is a student")]
    questions: list[RecordQuestion]


class RecordPage(BaseModel):
    """The latest confirmed first."""

    data: list[RecordSummary]
    has_more: bool
    next_cursor: str | None
