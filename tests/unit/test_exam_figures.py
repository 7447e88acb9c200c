"""Figures of exams, against ones worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from app.workloads.exam.report.csv import safe
from app.workloads.exam.report.figures import discrimination, distribution, exam_figures, ranks
from app.workloads.exam.report.marks import Asked, Sat
from app.workloads.exam.report.points import class_points, weak_points

Q1 = Asked("Q1", 1, ("ohm",))
Q2 = Asked("Q2", 1, ("ohm", "units"))
Q3 = Asked("Q3", 8, ("circuits",))
ASKED = [Q1, Q2, Q3]


def sat(name: str, *marks: float | None, **more: Any) -> Sat:
    scores = dict(zip(("Q1", "Q2", "Q3"), marks, strict=True))
    known = [mark for mark in marks if mark is not None]
    return Sat(name, scores, sum(known) if known else None, **more)


# Totals 10, 7, 4 and 1 of 10.
CLASS = [sat("a", 1, 1, 8), sat("b", 1, 0, 6), sat("c", 0, 1, 3), sat("d", 0, 0, 1)]


def test_the_totals_are_the_textbook_s() -> None:
    totals = exam_figures(ASKED, CLASS)["totals"]
    assert totals["marked"] == 4
    assert totals["max_total"] == 10
    assert totals["mean"] == 5.5  # 22 / 4
    assert totals["median"] == 5.5  # between 4 and 7
    assert totals["sd"] == 3.3541  # the root of (20.25 + 2.25 + 2.25 + 20.25) / 4 = 11.25
    assert (totals["highest"], totals["lowest"]) == (10, 1)
    assert (totals["passed"], totals["pass_rate"]) == (2, 0.5)  # 10 and 7 are at least 6 of 10


def test_difficulty_is_the_mean_as_a_share_of_what_could_be_had() -> None:
    questions = exam_figures(ASKED, CLASS)["questions"]
    assert [questions[name]["difficulty"] for name in ("Q1", "Q2", "Q3")] == [0.5, 0.5, 0.5625]  # 18 / 4 / 8
    assert (questions["Q1"]["full"], questions["Q1"]["zero"]) == (2, 2)


def test_discrimination_is_the_point_biserial_against_the_rest() -> None:
    """Q1 is right for a and b. The others got them 9, 6 of 9 and 4, 1 to c and d: means 7.5 and 2.5, the deviation of
    all four is the root of 8.5; (7.5 - 2.5) / 2.9155 * sqrt(0.25) = 0.8575."""
    questions = exam_figures(ASKED, CLASS)["questions"]
    assert questions["Q1"]["discrimination"] == 0.8575
    # Q2: rests 9, 7, 3, 1; right for a and c: (6 - 4) / 3.1623 * 0.5
    assert questions["Q2"]["discrimination"] == 0.3162


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([(1.0, 0.5), (0.0, 0.2)], id="two students"),
        pytest.param([(1.0, 0.5), (1.0, 0.2), (1.0, 0.9)], id="everybody has it right"),
        pytest.param([(1.0, 0.5), (0.0, 0.5), (1.0, 0.5)], id="the rest is the same for all"),
    ],
)
def test_discrimination_is_null_where_it_is_not_defined(pairs: list[tuple[float, float]]) -> None:
    assert discrimination(pairs) is None


def test_an_exam_of_one_question_has_no_rest() -> None:
    whole = Asked("TOTAL", 100)
    students = [Sat(str(mark), {"TOTAL": mark}, mark) for mark in (90.0, 60.0, 20.0)]
    assert exam_figures([whole], students)["questions"]["TOTAL"]["discrimination"] is None


def test_who_was_absent_or_is_exempt_changes_no_figure_of_the_others() -> None:
    absent = sat("e", None, None, None)
    exempt = sat("f", 1, 1, None, exempt=frozenset({"Q3"}))
    figures = exam_figures(ASKED, [*CLASS, absent, exempt])
    assert figures["totals"]["marked"] == 5
    assert figures["questions"]["Q3"]["students"] == 4
    assert figures["questions"]["Q3"]["difficulty"] == 0.5625
    assert figures["totals"]["passed"] == 3  # 2 of the 2 that count


def test_the_highest_share_stands_in_the_highest_bin() -> None:
    bins = distribution([0.0, 0.1, 0.3, 0.59, 0.6, 1.0, 1.0])
    assert [each["students"] for each in bins] == [1, 1, 0, 1, 0, 1, 1, 0, 0, 2]
    assert (bins[0]["from"], bins[-1]["to"]) == (0.0, 1.0)


def test_equal_totals_share_a_rank_and_the_next_one_is_skipped() -> None:
    students = [Sat(name, {}, total) for name, total in (("a", 5.0), ("b", 9.0), ("c", 5.0), ("d", 1.0), ("e", None))]
    assert ranks(students) == {"b": 1, "a": 2, "c": 2, "d": 4}


def test_a_question_counts_for_each_of_its_points() -> None:
    found = {each["knowledge_point"]: each for each in class_points(ASKED, CLASS)}
    assert found["ohm"]["mastery"] == 0.5  # 4 of 8
    assert found["units"]["mastery"] == 0.5  # 2 of 4
    assert found["circuits"]["mastery"] == 0.5625
    assert (found["ohm"]["questions"], found["ohm"]["weak_students"]) == (2, 3)  # a has it all, b and c half
    assert [each["knowledge_point"] for each in class_points(ASKED, CLASS)][-1] == "circuits"


def test_a_student_s_weak_points_come_the_weakest_first() -> None:
    assert weak_points(CLASS[1], ASKED) == [
        {"knowledge_point": "units", "mastery": 0.0, "questions": 1},
        {"knowledge_point": "ohm", "mastery": 0.5, "questions": 2},
    ]
    assert weak_points(CLASS[0], ASKED) == []


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_a_text(cell: str) -> None:
    assert safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Ada", "a=b", "", -3.5, 0, None])
def test_other_cells_stay_as_they_are(cell: Any) -> None:
    assert safe(cell) == cell
