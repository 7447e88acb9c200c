"""What goes into the library, and who asks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from app.kit.words import language_of

Scope = Literal["public", "class", "student"]

LONGEST_PASSAGE = 900  # characters: longer, and the one sentence that matters drowns in its neighbours

_PARAGRAPHS = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*•]|\d+[.)、]))")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f\uff1b])|\n")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document that a person would point at: a question, a page, a heading."""

    text: str
    locator: str | None = None
    knowledge_points: tuple[str, ...] = ()

    def passages(self) -> Iterator[str]:
        """The text in parts that are short enough to be found, broken between paragraphs or sentences."""
        text = self.text.replace("\x00", "").strip()  # the one character that Postgres stores in no text
        if len(text) <= LONGEST_PASSAGE:
            if text:
                yield text
            return
        gathered = ""
        for piece in _pieces(text):
            if gathered and len(gathered) + len(piece) > LONGEST_PASSAGE:
                yield gathered
                gathered = ""
            gathered = f"{gathered}\n{piece}" if gathered else piece
        yield gathered


@dataclass(frozen=True, slots=True)
class Document:
    """Confirmed material, and who may find it."""

    kind: str  # lesson, exam, assignment ...: with the id, names the document within its tenant
    id: str
    title: str
    sections: tuple[Section, ...]
    scope: Scope = "public"
    class_name: str | None = None  # whom `class` means
    student_ids: tuple[str, ...] = ()  # whom `student` means
    language: str | None = None  # None: as its text says

    def __post_init__(self) -> None:
        if self.scope == "class" and not self.class_name:
            raise ValueError("A document for a class names none. Cure: give `class_name`, or scope `public`.")
        if self.scope == "student" and not self.student_ids:
            raise ValueError("A document for students names none. Cure: give `student_ids`, or scope `public`.")

    def written_in(self) -> str:
        return self.language or language_of(" ".join(section.text for section in self.sections))


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. A teacher finds all of the tenant's material, a student what is public, the class's or their own."""

    role: Literal["student", "teacher"]
    student_id: str | None = None
    class_name: str | None = None  # besides those that the library knows the student to be in (readers.py)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found."""

    kind: str
    document_id: str
    number: int
    title: str
    locator: str | None
    text: str
    language: str
    knowledge_points: tuple[str, ...] = field(default=())
    score: float = 0.0

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.document_id}#{self.number}"


def _pieces(text: str) -> Iterator[str]:
    for paragraph in filter(None, map(str.strip, _PARAGRAPHS.split(text))):
        if len(paragraph) <= LONGEST_PASSAGE:
            yield paragraph
            continue
        for sentence in filter(None, map(str.strip, _SENTENCES.split(paragraph))):
            yield from (sentence[at : at + LONGEST_PASSAGE] for at in range(0, len(sentence), LONGEST_PASSAGE))
