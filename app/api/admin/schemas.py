"""Keys as administrators send and see them, operators and tenants' own alike."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from app.api.jobs.schemas import Moment
from app.api.wire import Name
from app.tenancy.keys import KeyWish, MadeKey
from app.tenancy.models import ApiKey

Scope: TypeAlias = Literal["jobs:read", "jobs:write", "admin", "operator"]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=4, examples=[["jobs:read", "jobs:write"]])]
KeyId = Annotated[str, Field(examples=["0a1b2c3d4e5f"])]

LONGEST_OVERLAP = 30 * 24 * 3600


class KeyRequest(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Name, Field(description="For people: what uses it", examples=["grading service"])]
    scopes: Scopes
    expires_at: Annotated[Moment | None, Field(description="null: it works until it is revoked")] = None

    def wish(self) -> KeyWish:
        return KeyWish(self.name, frozenset(self.scopes), self.expires_at)


class RotationRequest(BaseModel):
    """How long the old key goes on working beside the new one."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP, strict=True)] = 24 * 3600


class NewKeyDocument(BaseModel):
    """A key that was just made. `key` is shown this once."""

    key: Annotated[str, Field(examples=[f"hr_north-school_0a1b2c3d4e5f.{'x' * 43}"])]
    key_id: KeyId
    name: str
    scopes: Scopes
    expires_at: datetime | None
    created_at: datetime


class KeyDocument(BaseModel):
    """A key without its secret, which nobody can tell any more."""

    key_id: KeyId
    name: str
    scopes: Scopes
    created_at: datetime
    created_by: Annotated[str | None, Field(examples=["admin key"])]
    expires_at: datetime | None
    last_used_at: Annotated[datetime | None, Field(description="To within some minutes")]
    revoked_at: datetime | None


class KeyPage(BaseModel):
    """Newest first. `next_cursor` is the way on, and null on the last page."""

    data: list[KeyDocument]
    has_more: bool
    next_cursor: str | None


def new_key_document(made: MadeKey) -> dict[str, Any]:
    key = made.key
    return {
        "key": made.text,
        "key_id": key.key_id,
        "name": key.name,
        "scopes": key.scopes,
        "expires_at": key.expires_at,
        "created_at": key.created_at,
    }


def key_document(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
