"""How much of the truth was found, and whether what is wrong was also doubted."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field

from app.documents.values import Paper, Question, ScoreSheets
from tests.corpus.documents.papers import Truth
from tests.corpus.documents.sheets import Book

SURE = 0.7  # below it, a teacher is asked to look
ALIKE = 0.75
RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
FIELDS = ("stem", "options", "answer", "points", "type")


def same(text: str | None) -> str:
    """Spaces and the width of characters are no difference."""
    powers = RAISED.sub(r"^\g<0>", text or "")  # 10³ is 10^3, and not 103
    return re.sub(r"\s+|_+", "", unicodedata.normalize("NFKC", powers))


@dataclass
class Tally:
    """Counts of one format."""

    documents: int = 0
    expected: int = 0
    found: int = 0
    matched: int = 0
    right: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unflagged: int = 0
    mistakes: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.matched / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.matched / self.expected if self.expected else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.matched / (self.found + self.expected) if self.matched else 0.0

    def exact(self, name: str) -> float:
        return self.right[name] / self.matched if self.matched else 0.0

    @property
    def silent(self) -> float:
        return self.unflagged / max(1, self.found)


def compare_paper(name: str, paper: Paper, truth: list[Truth], tally: Tally) -> None:
    tally.documents += 1
    tally.expected += len(truth)
    tally.found += len(paper.questions)
    doubted = {warning.question_id for warning in paper.warnings}
    found = {question.question_id: question for question in paper.questions}
    for expected in truth:
        question = found.pop(expected.question_id, None)
        if question is None or difflib.SequenceMatcher(None, same(question.stem), same(expected.stem)).ratio() < ALIKE:
            tally.mistakes.append(f"{name}: {expected.question_id} not found: {question and question.stem!r}")
            tally.unflagged += question is not None and _is_silent(question, doubted)
            continue
        tally.matched += 1
        wrong = _wrong(question, expected)
        for one in FIELDS:
            tally.right[one] += one not in wrong
        if wrong:
            tally.mistakes.append(f"{name}: {expected.question_id} {_said(question, expected, wrong)}")
            tally.unflagged += set(wrong) != {"type"} and _is_silent(question, doubted)
    for question in found.values():
        tally.mistakes.append(f"{name}: {question.question_id} is no question: {question.stem[:60]!r}")
        tally.unflagged += _is_silent(question, doubted)


def _is_silent(question: Question, doubted: set[str | None]) -> bool:
    return question.confidence >= SURE and question.question_id not in doubted


def _wrong(question: Question, truth: Truth) -> list[str]:
    options = [(option.key, same(option.text)) for option in question.options]
    expected = [("ABCDEFGH"[at], same(text)) for at, text in enumerate(truth.options)]
    checks = {
        "stem": same(question.stem) == same(truth.stem) and same(question.context) == same(truth.context),
        "options": options == expected,
        "answer": same(question.answer) == same(truth.answer),
        "points": question.max_score == truth.max_score,
        "type": question.type == truth.type,
    }
    return [name for name, right in checks.items() if not right]


def _said(question: Question, truth: Truth, wrong: list[str]) -> str:
    pairs = {
        "stem": (question.stem, truth.stem),
        "options": ([option.text for option in question.options], truth.options),
        "answer": (question.answer, truth.answer),
        "points": (question.max_score, truth.max_score),
        "type": (question.type, truth.type),
    }
    return "; ".join(f"{name}: {pairs[name][0]!r}, not {pairs[name][1]!r}" for name in wrong)


def compare_sheet(name: str, sheets: ScoreSheets, book: Book, tally: Tally) -> None:
    """Marks by student and question; a candidate that asks to be confirmed is not silent."""
    tally.documents += 1
    flagged = sheets.score_schema.needs_confirm
    found = {}
    for student in sheets.students:
        key = student.student_id if student.student_id in book.truth else student.name
        found[key] = student
        tally.found += len(student.scores)
    for key, marks in book.truth.items():
        who = found.get(key)
        for question, mark in marks.items():
            tally.expected += 1
            if who is None or question not in who.scores:
                tally.mistakes.append(f"{name}: {key} {question} not found")
                tally.unflagged += not flagged
                continue
            tally.matched += 1
            right = who.scores[question] == mark and who.answers.get(question) == book.answers.get(key, {}).get(
                question
            )
            tally.right["mark"] += right
            if not right:
                tally.mistakes.append(f"{name}: {key} {question} is {who.scores[question]}, not {mark}")
                tally.unflagged += not flagged
    absent = {student.student_id for student in sheets.students if student.absent}
    exempt = {(student.student_id, question) for student in sheets.students for question in student.exempt}
    people = {
        "mode": sheets.score_mode == book.mode,
        "students": len(sheets.students) == len(book.truth),
        "totals": all(student.total == book.totals[key] for key, student in found.items() if key in book.totals),
        "absent": absent == set(book.absent),
        "exempt": exempt == set(book.exempt),
        "out of": all(
            {q.question_id: q.max_score for q in sheets.questions}.get(q) == most for q, most in book.maxima.items()
        ),
        "asked": flagged or not book.flagged,
    }
    tally.mistakes += [f"{name}: {what} is wrong" for what, right in people.items() if not right]
    tally.right["sheet"] += all(people.values())
