"""What comes out of a document. These models are also the border control: whatever a parsing process sends is validated
against them before anybody else sees it.

A mark, an answer or a type that the document does not state is null, never a guess.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

QuestionType = Literal["single", "multiple", "true_false", "blank", "short", "essay", "calculation"]
OcrMode = Literal["auto", "always", "never"]
ScoreMode = Literal["question", "total", "subject"]
Layout = Literal["wide", "transposed", "long"]

Ratio = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(max_length=200_000)]


class Value(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Notice(Value):
    """Something that a person should look at."""

    code: str
    detail: Text
    file: str | None = None
    page: int | None = None
    question_id: str | None = None


class Source(Value):
    """Where something stands: the file's name and the page in it, counted from 1."""

    file: str
    page: int = 1


class Option(Value):
    key: str
    text: Text


class Question(Value):
    question_id: str
    number: str
    type: QuestionType
    stem: Text
    options: list[Option] = []
    answer: Text | None = None
    solution: Text | None = None
    max_score: float | None = None
    confidence: Ratio
    source: Source
    context: Text | None = None  # what the parts of one question share
    parent_id: str | None = None
    parent_score: float | None = None  # stated for all parts together
    section: Text | None = None
    figures: list[str] = []


class KeyEntry(Value):
    question_id: str
    answer: Text
    solution: Text | None = None
    max_score: float | None = None


class AnswerKey(Value):
    entries: list[KeyEntry] = []
    warnings: list[Notice] = []


class Paper(Value):
    title: Text | None = None
    questions: list[Question] = []
    answer_key: list[KeyEntry] = []
    warnings: list[Notice] = []
    pages: int = 0
    ocr_pages: int = 0
    text: Annotated[str, Field(max_length=2_000_000)] = ""  # in reading order, for a model to check against


class Student(Value):
    student_id: str | None
    name: str | None
    class_name: str | None = None
    scores: dict[str, float | None] = {}
    answers: dict[str, str] = {}  # what was chosen, where the sheet holds answers instead of marks
    exempt: list[str] = []
    total: float | None = None
    absent: bool = False


class ScoredQuestion(Value):
    """A column of marks: which question (or TOTAL, or SUBJECT_...) it belongs to and what it is out of."""

    question_id: str
    label: str
    max_score: float | None = None


class Candidate(Value):
    """One way to read one table; the best is recommended, any may be selected."""

    candidate_id: str
    file: str
    table: str
    layout: Layout
    mode: ScoreMode
    header_row: int
    columns: dict[str, str]
    students: int
    questions: int
    coverage: Ratio
    confidence: Ratio
    notes: list[str] = []


class ScoreSchema(Value):
    candidates: list[Candidate] = []
    recommended: str | None = None
    selected: str | None = None
    needs_confirm: bool = True


class ScoreSheets(Value):
    score_mode: ScoreMode
    questions: list[ScoredQuestion] = []
    students: list[Student] = []
    score_schema: ScoreSchema
    warnings: list[Notice] = []
