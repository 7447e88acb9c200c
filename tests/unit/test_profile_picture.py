"""From what sources tell to what a profile shows."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.workloads.profile.evidence import Evidence, Result, Source, SourceKey, Update
from app.workloads.profile.picture import Picture, changes_between, draw, known_as
from app.workloads.profile.schemas import UpdateContent
from app.workloads.profile.telling import tell

DAY = datetime(2026, 4, 20, 8, tzinfo=UTC)


def source(source_id: str, *results: Result, days: int = 0, kind: str = "exam", **more: Any) -> Source:
    return Source(SourceKey(kind, source_id), DAY - timedelta(days=days), results=results, **more)


def result(question: str, score: float | None, of: float, *points: str) -> Result:
    return Result(question, points, score, of)


def assigned(*points: str) -> Source:
    return source("homework", kind="assignment", assigned=points)


def update(name: str | None = "midterm", *, days: float = 0, job: str = "1", **content: Any) -> Update:
    told = {"source": {"kind": "exam", "id": name}, "occurred_at": DAY - timedelta(days=days), **content}
    return Update(job, DAY, UpdateContent.model_validate(told))


def told(question: str, score: float) -> dict[str, Any]:
    return {"question_id": question, "knowledge_points": ["p"], "score": score, "max_score": 10}


def test_each_knowledge_point_by_itself() -> None:
    exam = source(
        "e",
        result("Q1", 2, 5, "fractions"),
        result("Q2", 4, 5, "fractions", "decimals"),  # counts for both in full
        result("Q3", 5, 5, "angles"),
        result("Q4", 1, 2, "poetry"),
        result("Q5", None, 5, "angles"),
    )
    picture = draw([exam])
    assert {each.name: each.mastery for each in picture.knowledge_points} == {
        "poetry": 0.5,
        "fractions": 0.6,
        "decimals": 0.8,
        "angles": 1.0,
    }
    assert (picture.weak, picture.medium, picture.strong) == ([], ["fractions", "decimals"], ["angles"])
    assert (picture.overall.mastery, picture.overall.results) == (0.7059, 4)  # 12 of 17


def test_one_spelling_for_what_reads_the_same() -> None:
    picture = draw(
        [source("new", result("Q1", 1, 5, "Fractions")), source("old", result("Q1", 1, 5, "fractions"), days=9)]
    )
    assert [(each.name, each.results) for each in picture.knowledge_points] == [("Fractions", 2)]


def test_next_focus_is_weak_and_assigned_then_weak_then_assigned_and_not_known_well() -> None:
    points = {"a": 1, "b": 2, "c": 3, "d": 7, "e": 7, "f": 10, "g": 4}
    exam = source("e", *(result(name, score, 10, name) for name, score in points.items()))
    assert draw([exam]).next_focus == ["a", "b", "c", "g"]
    assert draw([exam, assigned("c", "e", "f", "new")]).next_focus == ["c", "a", "b", "g", "e"]
    assert draw([assigned("new", "other")]).next_focus == ["new", "other"]


def test_what_went_badly_lately_is_to_be_reviewed_even_without_a_knowledge_point() -> None:
    exams = [
        source(f"e{days}", result("Q1", 5, 10), result("Q2", 1, 10), result("Q3", 6, 10), days=days)
        for days in range(4)
    ]
    reviewed = [(each.source.id, each.question_id) for each in draw(exams).to_review]
    assert reviewed == [(f"e{days}", question) for days in range(3) for question in ("Q2", "Q1")]
    many = source("big", *(result(f"Q{number}", 0, 1) for number in range(40)))
    assert len(draw([many]).to_review) == 10


def test_name_and_class_are_the_latest_that_are_told() -> None:
    sources = [
        source("now"),
        source("then", name="Ada L.", class_name="8A", days=5),
        source("long ago", name="Ada", class_name="7A", days=9),
    ]
    assert known_as(sources) == ("Ada L.", "8A")
    assert known_as([]) == (None, None)


def test_a_source_that_is_told_anew_takes_the_place_of_what_it_told() -> None:
    evidence = Evidence([])
    for scores in ([told("Q1", 1), told("Q2", 2)], [told("Q1", 9)]):
        assert evidence.take(update(results=scores))
    assert [each.results for each in evidence.sources] == [(Result("Q1", ("p",), 9, 10),)]
    evidence.take(update(notes=["Well done"]))
    assert len(evidence.sources[0].results) == 1  # nothing was said of results
    evidence.take(update(class_name="7A"))
    [partly] = evidence.sources
    assert (partly.class_name, len(partly.results)) == ("7A", 1)
    evidence.take(update(results=[]))  # the source takes back all that it told
    [nothing] = evidence.sources
    assert (nothing.class_name, nothing.results) == (None, ())
    assert draw([nothing]).sources == []


def test_what_is_too_long_is_cut_and_its_result_kept() -> None:
    long = {"question_id": "Q1", "knowledge_points": ["a " * 500], "score": 1, "max_score": 5}
    told_so = UpdateContent.model_validate({"source": {"kind": "exam", "title": "t" * 900}, "results": [long]})
    assert told_so.results is not None
    assert (len(told_so.results[0].knowledge_points[0]), len(told_so.source.title or "")) == (120, 300)


def test_what_is_older_than_what_is_known_changes_nothing() -> None:
    evidence = Evidence([])
    late = {"source": {"kind": "exam", "id": "e", "as_of": "2026-04-20T10:00:00Z"}, "results": [told("Q1", 9)]}
    early = {"source": {"kind": "exam", "id": "e", "as_of": "2026-04-20T09:00:00Z"}, "results": [told("Q1", 1)]}
    assert evidence.take(Update("1", DAY, UpdateContent.model_validate(late)))
    assert not evidence.take(Update("2", DAY, UpdateContent.model_validate(early)))
    assert evidence.sources[0].results[0].score == 9


def test_nothing_happened_after_it_was_told_and_what_has_no_id_is_a_source_of_its_own() -> None:
    assert update(days=-4000).occurred_at == DAY
    assert update(days=3).occurred_at == DAY - timedelta(days=3)
    evidence = Evidence([])
    for job in ("1", "2"):
        evidence.take(update(None, job=job, results=[told("Q1", 5)]))
    assert draw(evidence.sources).overall.results == 2


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10), st.integers(0, 300)), max_size=12), st.randoms())
def test_neither_order_nor_repetition_changes_the_picture(
    seeds: list[tuple[int, int, int]], chance: random.Random
) -> None:
    """Of different sources: between updates of one source the lane's order decides."""
    updates = [
        update(f"exam-{number}", days=days, results=[told(f"Q{question}", score)])
        for number, (question, score, days) in enumerate(seeds)
    ]
    shuffled = [*updates, *updates]
    chance.shuffle(shuffled)
    one, other = Evidence([]), Evidence([])
    for each in updates:
        one.take(each)
    for each in shuffled:
        other.take(each)
    assert draw(one.sources) == draw(other.sources)


def test_changes_tell_the_largest_first() -> None:
    def picture(**scores: float) -> Picture:
        return draw([source("e", *(result(name, score, 10, name) for name, score in scores.items()))])

    found = changes_between(picture(a=2, b=5, c=9, d=8), picture(a=7, b=5, d=9, e=3), most=10)
    assert [(each["name"], each["standing"], each["mastery"]) for each in found] == [
        ("c", ["strong", None], [0.9, None]),
        ("a", ["weak", "medium"], [0.2, 0.7]),
        ("e", [None, "weak"], [None, 0.3]),
        ("d", ["medium", "strong"], [0.8, 0.9]),
    ]
    assert len(changes_between(None, picture(a=1, b=2), most=1)) == 1


def test_a_tutor_is_told_in_both_languages_and_never_of_notes() -> None:
    exam = source("e", result("Q1", 2, 5, "分数"), result("Q2", 5, 5, "angles"), title="期中")
    said = tell(draw([exam]))
    english, chinese = said["en"][0].text, said["zh"][0].text
    assert "Weak points: 分数 (mastery 40 %)." in english
    assert "Q1 of 期中 (2 of 5 points)" in english
    assert "薄弱知识点：分数（掌握40%）。" in chinese  # noqa: RUF001
    assert tell(draw([])) == {}


def test_a_list_is_cut_to_what_can_be_quoted() -> None:
    names = [f"{'a long name ' * 8}{number}" for number in range(30)]
    exam = source("e", *(result(name, 0, 5, name) for name in names))
    assert all(len(line) < 400 for line in tell(draw([exam]))["en"][0].text.splitlines())


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": {"kind": "gossip"}},
        {"source": {"kind": "exam"}, "results": [told("Q1", 1), told("Q1", 2)]},
        {"source": {"kind": "exam"}, "results": [told("Q1", float("nan"))]},
        {"source": {"kind": "exam"}, "results": [told("Q1", 1) | {"max_score": -1}]},
        {"source": {"kind": "exam"}, "notes": ["n"] * 21},
        {"source": {"kind": "exam"}, "occurred_at": "0001-01-01T00:00:00+14:00"},
        {"source": {"kind": "exam"}, "colour": "red"},
        {},
    ],
)
def test_what_is_no_update(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        UpdateContent.model_validate(wrong)
