"""What stands against confirming an exam: each thing with its place in the draft, and what would mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from app.workloads.exam.drawing import QUESTIONS, STUDENTS
from app.workloads.exam.marking import columns_of
from app.workloads.exam.naming import filed_as
from app.workloads.exam.schemas import DraftQuestion, DraftStudent
from app.workloads.uploads.kind import Draft, Missing
from app.workloads.uploads.models import Upload

MOST = 100  # of each sort: whoever has that many begins with one cause


def missing(upload: Upload, draft: Draft) -> Sequence[Missing]:
    """Empty: the exam may be confirmed."""
    questions = QUESTIONS.validate_python(draft["questions"])
    students = STUDENTS.validate_python(draft["students"])
    sorts = (
        _of_exam(draft),
        _of_schema(upload, draft),
        _of_questions(questions, columns_of(students)),
        _of_students(students, draft["exam"]["class_name"]),
        _of_marks(questions, students),
    )
    return [each for sort in sorts for each in islice(sort, MOST)]


def _of_exam(draft: Draft) -> Iterator[Missing]:
    for field, what in (("date", "the date of the exam"), ("class_name", "the class that sat it")):
        if not draft["exam"][field]:
            yield Missing(f"/exam/{field}", f"Not known: {what}. Put it into `exam`.")
    if not draft["questions"]:
        yield Missing("/questions", "There is no question. Add what was asked.")


def _of_schema(upload: Upload, draft: Draft) -> Iterator[Missing]:
    schema = draft["score_schema"]
    read_by = ((upload.parsed or {}).get("score_schema") or {}).get("selected")
    if schema["selected"] != read_by:
        detail = "The marks were read by another candidate. POST .../reparse with `selected` to read them by this one."
        yield Missing("/score_schema/selected", detail)
    elif schema["needs_confirm"]:
        detail = (
            "The score sheet was read with little confidence. Compare the marks with the sheet, then confirm how it "
            "was read by `needs_confirm: false`, or have it read by another of `candidates`: POST .../reparse."
        )
        yield Missing("/score_schema/needs_confirm", detail)


def _of_questions(questions: Sequence[DraftQuestion], columns: Sequence[str]) -> Iterator[Missing]:
    counts = Counter(question.question_id for question in questions)
    for at, question in enumerate(questions):
        name = question.question_id
        if counts[name] > 1:
            yield Missing(f"/questions/{at}/question_id", f"{counts[name]} questions are {name}. Rename all but one.")
        if name in columns and question.max_score is None:
            yield Missing(f"/questions/{at}/max_score", f"{name} has marks, but nothing says what it is out of.")
    for name in columns:
        if name not in counts:
            detail = f"Students have marks for {name}, which is no question. Add it, or take the marks out."
            yield Missing("/questions", detail)


def _of_students(students: Sequence[DraftStudent], class_name: str | None) -> Iterator[Missing]:
    filed = [filed_as(student, class_name) for student in students]
    counts = Counter(filed)
    for at, name in enumerate(filed):
        if name is None:
            yield Missing(f"/students/{at}", "The student has neither an id nor a name. Add one, or take the row out.")
        elif counts[name] > 1:
            detail = f"{counts[name]} students would be filed as {name}. Give each an id of its own, or merge the rows."
            yield Missing(f"/students/{at}/student_id", detail)


def _of_marks(questions: Sequence[DraftQuestion], students: Sequence[DraftStudent]) -> Iterator[Missing]:
    most = {question.question_id: question.max_score for question in questions}
    for at, student in enumerate(students):
        for name, mark in student.scores.items():
            pointer, highest = f"/students/{at}/scores/{_escaped(name)}", most.get(name)
            if mark is not None and (mark < 0 or (highest is not None and mark > highest)):
                yield Missing(pointer, f"{mark:g} is no mark for {name}, which is out of {highest or 0:g}.")
            elif mark is None and name in student.answers and highest is not None:
                detail = f"The answer to {name} has no mark: give the question a key of letters, or mark it by hand "
                yield Missing(pointer, f"{detail}and take it out of `answers`.")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
