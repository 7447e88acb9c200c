"""What a tenant may use: defaults for all, overrides per tenant, in one model that validates, stores and documents."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MEGABYTE = 1024 * 1024
Count = Annotated[int, Field(ge=1, le=10**12, strict=True)]  # what Postgres, Redis and every client can count to
Days = Annotated[int, Field(ge=1, le=36_500, strict=True)]

# Of the limits, those that count what is going on at a time; a job takes them by these names.
PERMITS = frozenset({"llm_total", "llm_student", "llm_teacher", "ocr"})


class TenantLimits(BaseModel):
    """Everything about a tenant that bounds it; what is left out keeps its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    llm_total: Count = Field(30, description="Model calls at a time")
    llm_student: Count = Field(2, description="Of them for students")
    llm_teacher: Count = Field(10, description="Of them for teachers")
    ocr: Count = Field(5, description="Pages recognised at a time")
    lane_max_queue: Count = Field(6, description="Live jobs in a lane")
    max_queued: Count = Field(1_000_000, description="Jobs that wait or run")
    jobs_per_minute: Count = Field(6_000_000, description="Jobs accepted in a minute")
    requests_per_minute: Count = Field(600_000, description="Requests of one key to one class of routes in a minute")
    event_streams: Count = Field(2_000, description="Event streams of one key at a time")
    upload_files: Count = Field(20, description="Files in one field of an upload")
    upload_file_bytes: Count = Field(20 * MEGABYTE, description="Bytes of one file")
    upload_total_bytes: Count = Field(80 * MEGABYTE, description="Bytes of one upload")
    retention_days: Days = Field(30, description="Days that an ended job is kept")
    weight: Annotated[
        float, Field(gt=0, le=1000, strict=True, description="Share of the workers against other tenants")
    ] = 1.0
