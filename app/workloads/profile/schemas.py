"""What comes in: what was found out about a student. And what comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

MOST_RESULTS = 2000  # of one update
LONGEST_POINT = 120
MOST_POINTS = 500
MOST_WORDS = 20  # notes, or misconceptions, of one update: no more are kept

# Becomes part of the lane's name, `student:{id}`, and of addresses: what separates those is not for it.
StudentId: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x20\x7f-\xa0:/?#%\\]+$")
]
Id: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Label: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00]+$")]
Title: TypeAlias = Annotated[
    str,
    StringConstraints(min_length=1, max_length=5000, pattern=r"^[^\x00]+$"),
    AfterValidator(lambda text: text[:300]),
]
Remark: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]
Mark: TypeAlias = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]


def _on_one_line(name: str) -> str:
    """A knowledge point's name is set into sentences. One that is too long is cut: its result is not turned away."""
    return " ".join(name.split())[:LONGEST_POINT] or "-"


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise PydanticCustomError("moment", "A moment that no calendar has in UTC") from None


PointName: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]+$"), AfterValidator(_on_one_line)
]
Moment: TypeAlias = Annotated[datetime, AfterValidator(_in_utc)]
SourceKind: TypeAlias = Literal["exam", "assignment", "chat", "teacher", "other"]


class SourceIn(BaseModel):
    """Where it was found out. With an id, a later update of the same source takes the place of the earlier one."""

    model_config = ConfigDict(extra="forbid")

    kind: SourceKind
    id: Annotated[Id | None, Field(description="null: a source of its own each time")] = None
    title: Title | None = None
    as_of: Annotated[
        Moment | None,
        Field(description="When the source stood so. An update that is older than what is known of it changes nothing"),
    ] = None


class ResultIn(BaseModel):
    """What a student got for a question."""

    model_config = ConfigDict(extra="forbid")

    question_id: Id
    knowledge_points: Annotated[list[PointName], Field(max_length=50)] = []
    score: Annotated[Mark | None, Field(description="null: absent or exempt, which says nothing of what they know")]
    max_score: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class UpdateContent(BaseModel):
    """What was found out about one student."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Ada",
                    "class_name": "7A",
                    "source": {"kind": "exam", "id": "midterm-7a", "title": "Midterm"},
                    "occurred_at": "2026-04-20T08:00:00Z",
                    "results": [
                        {"question_id": "Q1", "knowledge_points": ["fractions"], "score": 2, "max_score": 5},
                        {"question_id": "Q2", "knowledge_points": ["decimals"], "score": 5, "max_score": 5},
                    ],
                }
            ]
        },
    )

    name: Label | None = None
    class_name: Label | None = None
    source: SourceIn
    occurred_at: Annotated[Moment | None, Field(description="Default: when the update came")] = None
    results: Annotated[
        list[ResultIn] | None,
        Field(
            max_length=MOST_RESULTS,
            description="All of the source's: what it told before gives way. null: the update adds to it",
        ),
    ] = None
    assigned: Annotated[
        list[PointName] | None,
        Field(
            max_length=MOST_POINTS, description="Knowledge points that the source asks to be practised; null: as before"
        ),
    ] = None
    notes: Annotated[list[Remark], Field(max_length=MOST_WORDS)] = []
    misconceptions: Annotated[list[Remark], Field(max_length=MOST_WORDS)] = []

    @model_validator(mode="after")
    def _names_each_question_once(self) -> UpdateContent:
        asked = [each.question_id for each in self.results or ()]
        if len(set(asked)) < len(asked):
            raise PydanticCustomError("question_twice", "A question's id stands there twice")
        return self


class ProfileUpdate(UpdateContent):
    """The same, saying whom it is about."""

    student_id: StudentId


class ProfileUpdated(BaseModel):
    """The profile as the update left it."""

    student_id: str
    version: int
    merged: Annotated[
        int, Field(description="Updates that this run took in; 0: an earlier run had taken this one along")
    ]
    weak: list[str]
    next_focus: list[str]
