"""Tenants, their keys, and the log of who did what. All of it is under row level security like any tenant's data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import TIMESTAMP as PG_TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db import Base

Timestamp = PG_TIMESTAMP(timezone=True)
NOW = func.now()


class Tenant(Base):
    """A school, or whoever else must never see another's data."""

    __tablename__ = "tenants"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    data_dir: Mapped[str | None] = mapped_column(Text)
    uploads_dir: Mapped[str | None] = mapped_column(Text)
    limits: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))  # what differs from the defaults
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    erased_at: Mapped[datetime | None] = mapped_column(Timestamp)


class ApiKey(Base):
    """A key is shown once; only the HMAC of its secret is kept."""

    __tablename__ = "api_keys"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    key_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    secret_hmac: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    created_by: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(Timestamp)
    revoked_at: Mapped[datetime | None] = mapped_column(Timestamp)
    last_used_at: Mapped[datetime | None] = mapped_column(Timestamp)

    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], name="api_keys_tenant"),)


class TenantDataKey(Base):
    """The key that a tenant's secrets are encrypted with, wrapped by the master key."""

    __tablename__ = "tenant_data_keys"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kek_id: Mapped[str] = mapped_column(Text)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)

    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], name="tenant_data_keys_tenant"),)


class TenantModel(Base):
    """The language model that answers this tenant instead of the deployment's."""

    __tablename__ = "tenant_models"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    base_url: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    sealed_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)

    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"], name="tenant_models_tenant"),)


class AuditEntry(Base):
    """Who did what to which id from where. The application can add entries and read them; nobody can change one."""

    __tablename__ = "audit_log"

    tenant_id: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Timestamp)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    origin: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    hash: Mapped[bytes] = mapped_column(LargeBinary)
