"""What of a model's advice counts: it fills what is open, raises doubts about the rest, and is cut to size."""

from __future__ import annotations

import pytest

from app.workloads.uploads.filling import (
    BATCH_CHARACTERS,
    BATCH_QUESTIONS,
    LONGEST_QUESTION,
    Asked,
    Opening,
    QuestionAdvice,
    batches,
    clean_points,
    weigh,
)

ALL: frozenset[Opening] = frozenset({"type", "difficulty", "knowledge_points"})


def asked(**fields: object) -> Asked:
    given = {"question_id": "Q1", "text": "?", "where": "a.pdf, page 1", "type": "short", "answer": None, "score": None}
    return Asked(**{**given, "open": ALL, **fields})  # type: ignore[arg-type]


def told(**fields: object) -> QuestionAdvice:
    return QuestionAdvice.model_validate({"question_id": "Q1", **fields})


def test_open_fields_are_filled() -> None:
    advice = weigh(asked(), told(knowledge_points=["fractions"], difficulty="advanced", type="calculation"))
    assert advice.filled == {"knowledge_points": ["fractions"], "difficulty": "advanced", "type": "calculation"}
    assert advice.doubts == ()


def test_what_the_document_states_is_never_overwritten() -> None:
    stated = asked(type="single", answer="B", score=2.0, open=frozenset())
    advice = weigh(stated, told(knowledge_points=["x1"], difficulty="basic", type="multiple", answer="C", score=5))
    assert advice.filled == {}
    assert len(advice.doubts) == 3


def test_answers_and_marks_are_never_filled() -> None:
    advice = weigh(asked(), told(answer="42", score=10))
    assert advice.filled == {}
    assert advice.doubts == ()


def test_a_choice_without_options_is_not_taken_over() -> None:
    assert "type" not in weigh(asked(), told(type="single")).filled


def test_words_for_the_same_type_are_no_disagreement() -> None:
    assert weigh(asked(type="calculation", open=frozenset()), told(type="short")).doubts == ()


@pytest.mark.parametrize(
    ("read", "said", "same"),
    [
        ("B", "B. Mercury", True),
        ("B", "(b)", True),
        ("AC", "A, C", True),
        ("AC", "CA", True),
        ("B", "C", False),
        ("A", "All of them", False),
        ("2.5 hours", "2.5 Hours.", True),
        ("The current is proportional", "current is proportional", True),
        ("7", "17", False),
        ("制造有机物", "制造有机物并释放氧气", True),
    ],
)
def test_answers_are_compared_by_what_they_say(read: str, said: str, same: bool) -> None:
    assert (weigh(asked(answer=read), told(answer=said)).doubts == ()) is same


def test_points_are_short_names_without_anything_else() -> None:
    given = ["fractions", "fractions", " two\nlines ", "x" * 41, "", "a", "a\x00b\u202ec", "d1", "d2", "d3"]
    assert clean_points(given) == ["fractions", "two lines", "abc", "d1", "d2"]


def test_a_call_holds_what_a_model_reads_with_care() -> None:
    many = [asked(question_id=f"Q{number}") for number in range(50)]
    assert [len(batch) for batch in batches(many)] == [BATCH_QUESTIONS, BATCH_QUESTIONS, 10]
    long = [asked(question_id=f"Q{number}", text="x" * 9_000) for number in range(10)]
    sizes = [sum(min(len(each.text), LONGEST_QUESTION) for each in batch) for batch in batches(long)]
    assert max(sizes) <= BATCH_CHARACTERS
    assert sum(len(batch) for batch in batches(long)) == 10
    assert list(batches([])) == []
