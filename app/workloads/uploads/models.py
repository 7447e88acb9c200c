"""An upload: files that became a job, and the draft that came of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import TIMESTAMP as PG_TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db import Base

Timestamp = PG_TIMESTAMP(timezone=True)
NOW = func.now()


class Upload(Base):
    """Its id is that of the job that parsed it first. What a teacher changed is kept apart from what was parsed."""

    __tablename__ = "uploads"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    record_id: Mapped[str] = mapped_column(Text)  # of the exam or assignment that it is to become
    form: Mapped[dict[str, Any]] = mapped_column(JSONB)  # the fields beside the files, checked
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)  # see files.StoredFile
    parse_job_id: Mapped[UUID]  # the latest parse: one that ends under another id publishes nothing
    attempt: Mapped[int | None]  # whose outputs are published: attempts/N/ of the folder of parse_job_id
    parsed: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # null until a parse is done
    edits: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))  # by section; beats `parsed`
    draft_version: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    confirmed_at: Mapped[datetime | None] = mapped_column(Timestamp)

    __table_args__ = (
        CheckConstraint("kind in ('exam', 'assignment')", name="uploads_kind"),
        CheckConstraint("confirmed_at is null or parsed is not null", name="uploads_confirmed"),
        Index("uploads_by_age", "tenant_id", "kind", text("created_at desc"), text("job_id desc")),
        Index("uploads_by_parse", "tenant_id", "parse_job_id", unique=True),
    )
