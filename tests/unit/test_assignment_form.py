"""The form of an upload, and the several ways in which people write requirements."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.workloads.assignment.schemas import AssignmentForm, Requirements
from app.workloads.assignment.service.requirements import missing_of


def test_an_empty_form_is_for_everybody() -> None:
    form = AssignmentForm.model_validate({"class_name": "", "due_at": " ", "assignment_id": ""})
    assert form == AssignmentForm()
    assert form.meant_scope() == "public"


def test_the_scope_follows_from_who_is_named() -> None:
    assert AssignmentForm(class_name="7A").meant_scope() == "class"
    assert AssignmentForm(class_name="7A", student_ids=["s1"]).meant_scope() == "student"
    assert AssignmentForm(class_name="7A", student_ids=["s1"], scope="class").meant_scope() == "class"


@pytest.mark.parametrize("given", [["s1, s2", "s1"], "s1,s2", ["s1", "s2"], "s1；s2", "s1\ns2"])
def test_students_come_in_one_field_or_in_many(given: Any) -> None:
    assert AssignmentForm.model_validate({"student_ids": given}).student_ids == ["s1", "s2"]


def test_a_moment_without_an_offset_is_utc() -> None:
    form = AssignmentForm.model_validate({"date": "2026-05-04", "due_at": "2026-05-06T18:00:00"})
    assert form.due_at == datetime(2026, 5, 6, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"scope": "class"}, "class_name"),
        ({"scope": "student"}, "student_ids"),
        ({"date": "2026-05-04", "due_at": "2026-05-03T12:00:00Z"}, "due_at"),
        ({"scope": "school"}, "literal_error"),
        ({"assignment_id": "../etc"}, "string_pattern_mismatch"),
        ({"assignment_id": "uploads"}, "reserved"),
        ({"student_ids": ["a b"]}, "string_pattern_mismatch"),
        ({"student_ids": [f"s{number}" for number in range(501)]}, "too_long"),
        ({"language": "fr"}, "literal_error"),
        ({"colour": "red"}, "extra_forbidden"),
    ],
    ids=lambda part: str(part)[:40],
)
def test_what_does_not_go_together_is_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        AssignmentForm.model_validate(fields)
    assert code in [error["type"] for error in refused.value.errors()]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("A", ["A"]), ("A基础, F错题反思", ["A", "F"]), (["basics", "quiz"], ["A", "E"]), (["c", "C everyday"], ["C"])],
)
def test_preferences_are_letters_however_they_are_written(given: Any, kept: list[str]) -> None:
    assert Requirements.model_validate({"preferences": given}).preferences == kept


@pytest.mark.parametrize(("given", "kept"), [("偏弱", "weak"), ("Mixed", "mixed"), ("较强", "strong"), ("", None)])
def test_levels_are_words_however_they_are_written(given: str, kept: str | None) -> None:
    assert Requirements.model_validate({"class_level": given}).class_level == kept


@pytest.mark.parametrize(
    "fields", [{"preferences": ["G"]}, {"preferences": [{}, []]}, {"class_level": "brilliant"}, {"duration_minutes": 0}]
)
def test_other_words_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Requirements.model_validate(fields)


def test_too_few_is_missing_and_so_is_too_many() -> None:
    whole = {
        "subject": "Physics",
        "topic": "Circuits",
        "grade_level": "Grade 8",
        "class_level": "mixed",
        "core_concepts": ["a", "b", "c"],
        "typical_problem": "State it.",
        "misconceptions": ["1", "2", "3", "4"],
        "duration_minutes": 40,
        "preferences": ["A"],
    }
    assert missing_of(whole) == []
    assert missing_of(whole | {"core_concepts": ["a", "b"]}) == ["core_concepts"]
    assert missing_of(whole | {"core_concepts": list("abcdefghi")}) == ["core_concepts"]
    assert missing_of(whole | {"misconceptions": ["1", "2", "3"], "topic": None}) == ["topic", "misconceptions"]
