"""What an upload of an exam takes, the draft that comes of it, and what of the draft may be changed."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from app.documents.values import Candidate, Notice, OcrMode, QuestionType, ScoreMode, Source

MOST_QUESTIONS = 500
MOST_STUDENTS = 10_000
HIGHEST_MARK = 10_000

RESERVED = frozenset({"uploads"})  # /v1/exams/uploads is another place


def _not_reserved(exam_id: str) -> str:
    if exam_id.lower() in RESERVED:
        raise ValueError(f"{exam_id!r} is no exam's name: it is part of this API's addresses")
    return exam_id


# Ids become parts of addresses, and a student's of a lane's name: what separates those is not for them.
ExamId: TypeAlias = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x20\x7f-\xa0:/?#%\\]+$"),
    AfterValidator(_not_reserved),
]
QuestionId: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00]+$")]
Label: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")]
Words: TypeAlias = Annotated[str, StringConstraints(max_length=200_000, pattern=r"^[^\x00]*$")]
Point: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00]+$")
]
Mark: TypeAlias = Annotated[float, Field(ge=-HIGHEST_MARK, le=HIGHEST_MARK, allow_inf_nan=False)]
MaxScore: TypeAlias = Annotated[float, Field(gt=0, le=HIGHEST_MARK, allow_inf_nan=False)]
Language = Literal["auto", "en", "zh"]


def _none_of_empty(value: Any) -> Any:
    """A form sends a field that was left empty as an empty text."""
    return None if isinstance(value, str) and not value.strip() else value


Optional = BeforeValidator(_none_of_empty)


class ExamForm(BaseModel):
    """The fields beside the files. What is missing may be filled in later, in the draft."""

    model_config = ConfigDict(extra="forbid")

    exam_id: Annotated[
        ExamId | None,
        Optional,
        Field(description="Yours for the exam; without one, the server makes one. One that exists is replaced."),
    ] = None
    date: Annotated[dt.date | None, Optional, Field(description="When it was sat")] = None
    class_name: Annotated[Label | None, Optional, Field(description="Who sat it")] = None
    title: Annotated[Label | None, Optional, Field(description="Default: the paper's own")] = None
    language: Annotated[Language, Field(description="Of the paper; `auto`: as its text says")] = "auto"
    ocr_mode: Annotated[
        OcrMode, Field(description="Recognise pages without text (`auto`), all pages (`always`), none (`never`)")
    ] = "auto"


class ExamParsed(BaseModel):
    """The result of a parse; the draft has the rest."""

    exam_id: str
    questions: int
    students: int
    score_mode: ScoreMode | None
    warnings: int
    needs_confirm: bool


class DraftOption(BaseModel):
    key: Label
    text: Words


class DraftQuestion(BaseModel):
    """A question, or a column of marks (`TOTAL`, `SUBJECT_...`, one that the paper does not have)."""

    question_id: QuestionId
    number: Label = ""
    type: QuestionType | None = None
    stem: Words = ""
    options: Annotated[list[DraftOption], Field(max_length=26)] = []
    answer: Annotated[Words | None, Field(description="null: no document states it")] = None
    solution: Words | None = None
    max_score: Annotated[MaxScore | None, Field(description="null: no document states it")] = None
    max_score_from: Annotated[
        Literal["paper", "key", "sheet", "parts", "teacher"] | None, Field(description="Who states `max_score`")
    ] = None
    knowledge_points: Annotated[list[Point], Field(max_length=20)] = []
    knowledge_points_from: Annotated[
        Literal["document", "terms", "model", "teacher"] | None,
        Field(description="`document`: stated there; `terms`: from the words of the question; `model`: deduced"),
    ] = None
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0
    source: Annotated[Source | None, Field(description="null: a column of a score sheet")] = None
    context: Annotated[Words | None, Field(description="What the parts of one question share")] = None
    parent_id: QuestionId | None = None
    section: Label | None = None
    figures: Annotated[list[Label], Field(max_length=200)] = []


class DraftStudent(BaseModel):
    """A row of the score sheet."""

    student_id: Annotated[Label | None, Optional] = None
    name: Annotated[Label | None, Optional] = None
    class_name: Annotated[Label | None, Optional] = None
    scores: Annotated[
        dict[QuestionId, Mark | None],
        Field(description="By question. Where `answers` has the question, the mark follows from the key."),
    ] = {}
    answers: Annotated[
        dict[QuestionId, Label], Field(description="What was chosen, where the sheet has answers instead of marks")
    ] = {}
    exempt: Annotated[list[QuestionId], Field(description="Questions that do not count for this student")] = []
    total: Annotated[Mark | None, Field(description="Of the marks where all are known, else as stated")] = None
    stated_total: Annotated[Mark | None, Field(description="As the sheet states it")] = None
    absent: bool = False


class DraftAnswer(BaseModel):
    question_id: QuestionId
    answer: Annotated[Words | None, Field(description="In an edit, null takes the question's answer away")] = None


class DraftSchema(BaseModel):
    """How the score sheet was read, and how else it could be."""

    candidates: list[Candidate] = []
    recommended: str | None = None
    selected: str | None = None
    needs_confirm: bool = False


class DraftExam(BaseModel):
    exam_id: str
    date: dt.date | None
    class_name: str | None
    title: str | None
    language: Language


class Summary(BaseModel):
    """The totals of those who sat the exam."""

    students: int
    absent: int
    marked: Annotated[int, Field(description="Students with a total")]
    max_total: Annotated[float | None, Field(description="null where a question with marks has no `max_score`")]
    mean: float | None
    median: float | None
    highest: float | None
    lowest: float | None


class ExamDraft(BaseModel):
    """What was parsed, under what was edited."""

    exam: DraftExam
    questions: list[DraftQuestion]
    students: list[DraftStudent]
    score_mode: Annotated[ScoreMode | None, Field(description="null: there is no score sheet")]
    score_schema: DraftSchema
    answer_key: list[DraftAnswer]
    summary: Summary
    warnings: list[Notice]
    needs_confirm: Annotated[bool, Field(description="Something was read with little confidence: see `warnings`")]


class ExamEdit(BaseModel):
    """Sections to put in place of the draft's. A section that is left out stays as it is, and so do other fields."""

    class Meta(BaseModel):
        date: dt.date | None = None
        class_name: Annotated[Label | None, Optional] = None
        title: Annotated[Label | None, Optional] = None

    class Schema(BaseModel):
        selected: Annotated[str | None, Field(max_length=300)] = None
        needs_confirm: Annotated[bool | None, Field(description="false: a teacher has looked, and it is right")] = None

    exam: Meta | None = None
    questions: Annotated[list[DraftQuestion] | None, Field(max_length=MOST_QUESTIONS)] = None
    students: Annotated[list[DraftStudent] | None, Field(max_length=MOST_STUDENTS)] = None
    answer_key: Annotated[
        list[DraftAnswer] | None,
        Field(max_length=MOST_QUESTIONS, description="An entry beats the answer that stands in `questions`"),
    ] = None
    score_schema: Schema | None = None
