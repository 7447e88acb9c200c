"""The form of an upload, the draft that comes of it, and what of that may be edited."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.documents.values import OcrMode, QuestionType
from app.workloads.assignment.fields import (
    MOST_QUESTIONS,
    ClassLevel,
    Difficulty,
    Language,
    Line,
    Lines,
    Moment,
    Point,
    Points,
    Preferences,
    RecordId,
    Scope,
    ShortText,
    StudentIds,
    Text,
    class_level_of,
    emptied,
    split,
)


class Audience(BaseModel):
    """When an assignment is, and for whom."""

    model_config = ConfigDict(extra="forbid")

    date: Annotated[
        datetime.date | None, BeforeValidator(emptied), Field(description="null: the day of the upload")
    ] = None
    due_at: Annotated[
        Moment | None, BeforeValidator(emptied), Field(description="Without an offset it is taken as UTC")
    ] = None
    scope: Annotated[
        Scope | None,
        BeforeValidator(emptied),
        Field(description="null: `student` where `student_ids` are given, else `class` for a class, else `public`"),
    ] = None
    class_name: Annotated[Line | None, BeforeValidator(emptied)] = None
    student_ids: Annotated[StudentIds, Field(description="In a form: one field each, or with commas between them")] = []

    def meant_scope(self) -> Scope:
        return self.scope or ("student" if self.student_ids else "class" if self.class_name else "public")


class AssignmentForm(Audience):
    """The fields beside the files."""

    assignment_id: Annotated[
        RecordId | None,
        BeforeValidator(emptied),
        Field(description="null: one is made. Confirming replaces the assignment of this id.", examples=["A2403-04"]),
    ] = None
    title: Annotated[Line | None, BeforeValidator(emptied), Field(description="null: the document's")] = None
    language: Annotated[Language, Field(description="Of the document, and of what a model writes for its draft")] = (
        "auto"
    )
    ocr_mode: Annotated[OcrMode, Field(description="`auto`: pages without text are recognised")] = "auto"

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.meant_scope() == "class" and not self.class_name:
            raise PydanticCustomError("class_name", "The scope `class` needs a `class_name`")
        if self.meant_scope() == "student" and not self.student_ids:
            raise PydanticCustomError("student_ids", "The scope `student` needs `student_ids`")
        if self.date is not None and self.due_at is not None and self.due_at.date() < self.date:
            raise PydanticCustomError("due_at", "`due_at` is before `date`")
        return self


class DraftOption(BaseModel):
    key: Annotated[str, StringConstraints(min_length=1, max_length=8)]
    text: Text


class QuestionSource(BaseModel):
    """Where a question stands."""

    file: str
    page: int = 1


class DraftQuestion(BaseModel):
    """A question as it was read, or as a teacher put it right. What a document does not state is null."""

    model_config = ConfigDict(extra="forbid")

    question_id: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x20\x7f]{1,40}$")]
    number: Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00]*$")] = ""
    type: QuestionType
    stem: Text
    options: Annotated[list[DraftOption], Field(max_length=26)] = []
    answer: Text | None = None
    solution: Text | None = None
    score: Points | None = None
    difficulty: Difficulty = "medium"
    knowledge_points: Annotated[list[Point], Field(max_length=20)] = []
    tags: Lines = []
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0
    source: QuestionSource | None = None
    context: Annotated[Text | None, Field(description="What the parts of one question share")] = None
    section: Text | None = None
    figures: list[str] = []
    autofilled: Annotated[
        list[Literal["difficulty", "knowledge_points", "type"]],
        Field(description="What the document does not state: deduced by rule, or filled by the model"),
    ] = []


class Requirements(BaseModel):
    """What a teacher says about an assignment. All but `extra_constraints` must be there to confirm."""

    model_config = ConfigDict(extra="forbid")

    subject: Annotated[ShortText | None, BeforeValidator(emptied)] = None
    topic: Annotated[ShortText | None, BeforeValidator(emptied)] = None
    grade_level: Annotated[ShortText | None, BeforeValidator(emptied)] = None
    class_level: Annotated[
        ClassLevel | None,
        BeforeValidator(lambda value: class_level_of(emptied(value))),
        Field(
            description="How the class stands; in Chinese too: \u504f\u5f31, \u4e2d\u7b49, \u8f83\u5f3a, \u6df7\u5408"
        ),
    ] = None
    core_concepts: Annotated[Lines, BeforeValidator(split), Field(description="3 to 8")] = []
    typical_problem: Annotated[Text | None, BeforeValidator(emptied)] = None
    misconceptions: Annotated[list[ShortText], Field(max_length=30, description="At least 4")] = []
    duration_minutes: Annotated[int | None, Field(ge=1, le=600)] = None
    preferences: Annotated[
        Preferences,
        Field(
            description="At least one of A basics, B stretch, C everyday use, D inquiry, E quiz, F learning by mistakes"
        ),
    ] = []
    extra_constraints: Annotated[ShortText | None, BeforeValidator(emptied)] = None


class RequirementsEdit(Requirements):
    """Only the fields that are sent are changed."""


class Notice(BaseModel):
    """Something that a person should look at."""

    code: str
    detail: str
    file: str | None = None
    page: int | None = None
    question_id: str | None = None


class DraftAssignment(BaseModel):
    """What it is to become, and for whom."""

    assignment_id: str
    title: str | None
    date: datetime.date
    due_at: datetime.datetime | None
    scope: Scope
    class_name: str | None
    student_ids: list[str]


class AssignmentDraft(BaseModel):
    """What was read, under what was edited."""

    assignment: DraftAssignment
    questions: list[DraftQuestion]
    requirements: Requirements
    requirements_missing: Annotated[list[str], Field(description="Mandatory requirements that are not there yet")]
    autofilled: Annotated[list[str], Field(description="Requirements that no person has given: please check them")]
    warnings: list[Notice]


class AssignmentEdit(BaseModel):
    """A section each; what is left out stays."""

    model_config = ConfigDict(extra="ignore")

    class Assignment(Audience):
        """Only the fields that are sent are changed."""

        model_config = ConfigDict(extra="ignore")

        title: Annotated[Line | None, BeforeValidator(emptied)] = None

    assignment: Assignment | None = None
    questions: Annotated[list[DraftQuestion] | None, Field(max_length=MOST_QUESTIONS)] = None
    requirements: RequirementsEdit | None = None


class ParseResult(BaseModel):
    """What a parse ends with; the draft has the rest."""

    question_count: int
    requirements_missing: list[str]
    warnings: int
