"""What clients send to submit jobs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation
from pydantic_core import PydanticCustomError

from app.api.preferences import LONGEST_KEY
from app.api.wire import Name
from app.engine.requests import Wish

LARGEST_BULK = 1000


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")  # pydantic would take the text of a number as well


def _only_text(value: Any) -> Any:
    if not isinstance(value, str) or _DATE.match(value) is None:
        raise PydanticCustomError("moment_not_text", "Write the moment as ISO 8601 text")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("moment_out_of_range", "The moment is beyond the calendar") from None


# Numbers are refused: seconds and milliseconds cannot be told apart. A moment without a zone is nobody's.
Moment = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_in_utc)]


class JobSubmission(BaseModel):
    """One job as a client asks for it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"kind": "diagnostics.echo", "input": {"hello": "world"}, "queue": "base"},
                {"kind": "diagnostics.sleep", "input": {"seconds": 2}, "queue": "chat", "lane": "student:s1:main"},
            ]
        },
    )

    kind: Annotated[Name, Field(description="What to do; GET /v1/kinds lists all", examples=["diagnostics.echo"])]
    input: Annotated[Any, Field(default_factory=dict, description="What the kind's `input_schema` describes")]
    queue: Annotated[Name | None, Field(description="Only for `diagnostics.*`, which run on every queue")] = None
    lane: Annotated[Name | None, Field(description="Jobs of one lane run strictly one after the other")] = None
    priority: Annotated[int, Field(ge=-100, le=100, strict=True, description="Higher runs earlier")] = 0
    run_at: Annotated[Moment | None, Field(description="Not before this moment; not together with `lane`")] = None

    def wish(self, tenant_id: str, *, key: str | None, request_id: str, bulk: bool = False) -> Wish:
        return Wish(
            tenant_id=tenant_id,
            kind=self.kind,
            input=self.input,
            queue=self.queue,
            lane=self.lane,
            priority=self.priority,
            run_at=self.run_at,
            request_id=request_id,
            idempotency_key=key,
            bulk=bulk,
        )


Key: TypeAlias = Annotated[str, Field(min_length=1, max_length=LONGEST_KEY, pattern=r"^[\x20-\x7e]*$")]


class BulkItem(JobSubmission):
    """One job of many."""

    idempotency_key: Annotated[Key | None, Field(description="As the header of a single submit")] = None


class BulkSubmission(BaseModel):
    """Many jobs at once. Each item is checked for itself: an invalid one does not spoil the others."""

    model_config = ConfigDict(extra="forbid")

    jobs: Annotated[list[SkipValidation[BulkItem]], Field(min_length=1, max_length=LARGEST_BULK)]
