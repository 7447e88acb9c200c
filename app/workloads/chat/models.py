"""What is kept of conversations. A session is a lane: the same name, and the same order."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import TIMESTAMP as PG_TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db import Base

Timestamp = PG_TIMESTAMP(timezone=True)
NOW = func.now()

USER, REPLY = 0, 1  # the places of a turn


class ChatSession(Base):
    """One person's conversation."""

    __tablename__ = "chat_sessions"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    lane_id: Mapped[str] = mapped_column(Text, primary_key=True)
    role: Mapped[str] = mapped_column(Text)
    person_id: Mapped[str] = mapped_column(Text)
    session_id: Mapped[str] = mapped_column(Text)  # the client's name for it, unique only for this person
    title: Mapped[str | None] = mapped_column(Text)
    turns: Mapped[int] = mapped_column(server_default="0")  # begun so far; counts on under the lane's lock
    summary: Mapped[str | None] = mapped_column(Text)  # of what is too long ago to be told again in full
    summary_through: Mapped[int] = mapped_column(server_default="0")  # the last turn that is in the summary
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    last_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    last_job_id: Mapped[UUID]

    __table_args__ = (
        CheckConstraint("role in ('student', 'teacher')", name="chat_sessions_role"),
        Index("chat_sessions_by_use", "tenant_id", text("last_at desc"), text("last_job_id desc")),
        Index("chat_sessions_by_name", "tenant_id", "session_id"),
    )


class ChatMessage(Base):
    """What was said. The key leaves a turn exactly one place for its reply, whoever comes twice."""

    __tablename__ = "chat_messages"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    lane_id: Mapped[str] = mapped_column(Text, primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    job_id: Mapped[UUID | None]  # null: said before the conversation came here
    partial: Mapped[bool] = mapped_column(server_default=text("false"))  # the reply was cancelled after this much
    sources: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    provider: Mapped[str | None] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)

    __table_args__ = (
        CheckConstraint("place in (0, 1)", name="chat_messages_place"),
        ForeignKeyConstraint(
            ["tenant_id", "lane_id"], ["chat_sessions.tenant_id", "chat_sessions.lane_id"], name="chat_messages_session"
        ),
        Index("chat_messages_by_job", "tenant_id", "job_id", "place", unique=True),
    )


class LlmUsage(Base):
    """What one delivery's call of a model cost."""

    __tablename__ = "llm_usage"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(Text)
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    estimated: Mapped[bool]  # the provider counted nothing
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)


class ChatAgent(Base):
    """A prompt with a name, and how a model is to be asked with it."""

    __tablename__ = "chat_agents"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    prompt: Mapped[str] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(Text)
    temperature: Mapped[float | None]
    max_output_tokens: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
