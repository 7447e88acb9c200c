"""The draft of an exam: what the files say together, and what follows from a teacher's corrections."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.documents.values import AnswerKey, KeyEntry, Paper
from app.documents.values import Student as Row
from app.workloads.exam.completeness import missing
from app.workloads.exam.drawing import drawn
from app.workloads.exam.naming import filed_as
from app.workloads.exam.schemas import DraftStudent
from app.workloads.uploads.kind import Draft
from app.workloads.uploads.models import Upload
from tests.support.exam_drafts import choice, chosen, parse, question, row, sheet


def stands_against(parsed: Draft, edits: Draft | None = None) -> dict[str, str]:
    upload = Upload(tenant_id="t", job_id=UUID(int=1), parsed=parsed, edits=edits or {})
    return {each.pointer: each.detail for each in missing(upload, drawn(parsed, edits or {}))}


def warned(draft: Draft) -> dict[str, str]:
    return {warning["code"]: warning["detail"] for warning in draft["warnings"]}


def scores(draft: Draft) -> dict[str, dict[str, float | None]]:
    return {student["student_id"]: student["scores"] for student in draft["students"]}


LETTERS = parse(
    Paper(questions=[choice("Q1", max_score=2.0), choice("Q2", type="multiple", max_score=4.0), question("Q3")]),
    sheet(
        chosen("ada", Q1="B", Q2="AC"),
        chosen("ben", Q1="A", Q2="A"),
        Row(student_id="carl", name="Carl", scores={"Q1": None, "Q2": None}, answers={"Q2": "AB"}),
    ),
    AnswerKey(entries=[KeyEntry(question_id="Q1", answer="B"), KeyEntry(question_id="Q2", answer="AC")]),
)


def test_letters_are_marked_by_the_key() -> None:
    assert scores(LETTERS) == {
        "ada": {"Q1": 2.0, "Q2": 4.0},
        "ben": {"Q1": 0.0, "Q2": 2.0},  # a part of the key, and nothing wrong: half
        "carl": {"Q1": 0.0, "Q2": 0.0},  # no letter; a wrong one among them
    }
    assert [student["total"] for student in LETTERS["students"]] == [6.0, 2.0, 0.0]


def test_a_corrected_key_or_mark_is_marked_anew() -> None:
    by_key = drawn(LETTERS, {"answer_key": [{"question_id": "Q1", "answer": "A"}]})
    assert [marks["Q1"] for marks in scores(by_key).values()] == [0.0, 2.0, 0.0]
    assert by_key["questions"][0]["answer"] == "A"
    dearer = [question | {"max_score": 8.0} for question in LETTERS["questions"]]
    assert scores(drawn(LETTERS, {"questions": dearer}))["ben"] == {"Q1": 0.0, "Q2": 4.0}


def test_an_answer_that_is_taken_away_leaves_no_mark_and_bars_confirming() -> None:
    edits = {"answer_key": [{"question_id": "Q1", "answer": None}]}
    draft = drawn(LETTERS, edits)
    assert scores(draft)["ada"]["Q1"] is None
    assert "Q1" in warned(draft)["answers_not_marked"]
    assert "/students/0/scores/Q1" in stands_against(LETTERS, edits)


def test_the_key_beats_the_questions_and_says_so() -> None:
    said = [each | {"answer": "C"} if each["question_id"] == "Q1" else each for each in LETTERS["questions"]]
    draft = drawn(LETTERS, {"questions": said, "answer_key": [{"question_id": "Q1", "answer": "D"}]})
    assert draft["questions"][0]["answer"] == "D"
    assert "Q1" in warned(draft)["answers_differ"]


def test_nothing_is_invented_where_no_document_states_it() -> None:
    parsed = parse(Paper(questions=[choice("Q1"), question("Q2")]), sheet(chosen("ada", Q1="B")))
    assert scores(parsed)["ada"]["Q1"] is None
    assert parsed["questions"][0]["max_score"] is None
    assert parsed["answer_key"] == []


def test_columns_and_questions_that_do_not_meet_are_named() -> None:
    paper = Paper(questions=[question("Q1", max_score=5.0), question("Q2", max_score=5.0)])
    draft = drawn(parse(paper, sheet(row("ada", Q1=5.0, Q7=1.0))), {})
    assert "Q7" in warned(draft)["columns_without_question"]
    assert "Q2" in warned(draft)["questions_without_marks"]
    assert [each["question_id"] for each in draft["questions"]] == ["Q1", "Q2", "Q7"]


def test_a_column_for_a_question_with_parts_is_out_of_what_they_are_out_of() -> None:
    parts = [question("Q1a", parent_id="Q1", max_score=2.0), question("Q1b", parent_id="Q1", max_score=3.0)]
    draft = drawn(parse(Paper(questions=parts), sheet(row("ada", Q1=4.0))), {})
    assert draft["questions"][-1]["max_score"] == 5.0
    assert {"columns_without_question", "questions_without_marks"}.isdisjoint(warned(draft))


def test_a_total_is_out_of_the_whole_paper() -> None:
    paper = Paper(questions=[question("Q1", max_score=40.0), question("Q2", max_score=60.0)])
    parsed = parse(paper, sheet(row("ada", 83.0, TOTAL=83.0), mode="total"))
    assert parsed["questions"][-1]["max_score"] == 100.0
    assert parsed["summary"]["max_total"] == 100.0
    assert stands_against(parsed) == {}


def test_marks_alone_and_a_paper_alone_make_a_draft() -> None:
    alone = parse(None, sheet(row("ada", Q1=3.0), maxima={"Q1": 5.0}))
    assert [each["max_score"] for each in alone["questions"]] == [5.0]
    assert stands_against(alone) == {}
    paper = parse(Paper(questions=[question("Q1")]), None)
    assert (paper["students"], paper["score_mode"], paper["needs_confirm"]) == ([], None, False)
    assert stands_against(paper) == {}


def test_a_total_follows_from_corrected_marks() -> None:
    parsed = parse(None, sheet(row("ada", 7.0, Q1=3.0, Q2=4.0), maxima={"Q1": 5.0, "Q2": 5.0}))
    students = [each | {"scores": {"Q1": 5.0, "Q2": 4.0}} for each in parsed["students"]]
    draft = drawn(parsed, {"students": students})
    assert draft["students"][0]["total"] == 9.0
    assert "Ada" in warned(draft)["total_differs"]
    assert draft["summary"]["mean"] == 9.0


@pytest.mark.parametrize(
    ("edit", "needs_confirm"),
    [
        ({}, True),
        ({"needs_confirm": False}, False),
        ({"selected": "one"}, False),
        ({"selected": "one", "needs_confirm": True}, True),  # a draft that was sent back as it was
        ({"selected": "two"}, True),
    ],
)
def test_a_doubtful_sheet_is_confirmed_by_a_word_or_by_naming_how_it_was_read(
    edit: dict[str, Any], needs_confirm: bool
) -> None:
    parsed = parse(None, sheet(row("ada", Q1=3.0), maxima={"Q1": 5.0}))
    parsed["score_schema"]["needs_confirm"] = True
    assert drawn(parsed, {"score_schema": edit})["needs_confirm"] is needs_confirm
    assert bool(stands_against(parsed, {"score_schema": edit})) is needs_confirm


@pytest.mark.parametrize(
    ("students", "pointer"),
    [
        ([{"student_id": "a", "scores": {"Q1": 6.0}}], "/students/0/scores/Q1"),  # beyond 5
        ([{"student_id": "a", "scores": {"Q1": -1.0}}], "/students/0/scores/Q1"),
        ([{"scores": {"Q1": 1.0}}], "/students/0"),
        ([{"student_id": "a"}, {"student_id": "a"}], "/students/1/student_id"),
        ([{"student_id": "a/b"}, {"student_id": "a b"}], "/students/0/student_id"),  # would be filed as one
        ([{"student_id": "a", "scores": {"Q9": 1.0}}], "/questions"),
    ],
)
def test_what_cannot_be_a_record_bars_confirming(students: list[dict[str, Any]], pointer: str) -> None:
    parsed = parse(None, sheet(row("ada", Q1=3.0), maxima={"Q1": 5.0}))
    assert pointer in stands_against(parsed, {"students": students})


def test_missing_words_and_doubled_questions_bar_confirming() -> None:
    parsed = parse(None, sheet(row("ada", Q1=3.0)))
    twice = [*parsed["questions"], *parsed["questions"]]
    found = stands_against(parsed, {"questions": twice, "exam": {"date": None, "class_name": None}})
    assert {"/exam/date", "/exam/class_name", "/questions/1/question_id", "/questions/0/max_score"} <= found.keys()


def test_a_student_without_an_id_is_filed_under_class_and_name() -> None:
    assert filed_as(DraftStudent(name="张伟", class_name="八3班"), "7A") == "八3班_张伟"
    assert filed_as(DraftStudent(name="Ada Byron"), "7 A") == "7-A_Ada-Byron"
    assert filed_as(DraftStudent(student_id="2024/01"), "7A") == "2024-01"
    assert filed_as(DraftStudent(), "7A") is None
