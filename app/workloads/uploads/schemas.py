"""What an upload's jobs are told, and what every kind of upload answers with."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ParseInput(BaseModel):
    """What a parse is told; everything else stands in the upload."""

    model_config = ConfigDict(extra="forbid")

    upload_id: UUID
    selected: Annotated[str | None, Field(max_length=100, description="The score schema to read the sheet by")] = None
