"""Score sheets: which column is whose, what is no mark, and when a teacher has to be asked."""

from __future__ import annotations

import pytest

from app.documents.failures import DocumentFailure
from app.documents.scores.objective import score_objective
from app.documents.scores.sheets import read_scores
from app.documents.tables.table import Cell, Table
from app.documents.values import ScoreSheets


def cell(text: str) -> Cell:
    try:
        return float(text)
    except ValueError:
        return text or None


def read(*sheets: str, selected: str | None = None) -> ScoreSheets:
    tables = []
    for at, sheet in enumerate(sheets, start=1):
        rows = [[cell(value) for value in line.split(",")] for line in sheet.strip().split("\n")]
        tables.append(Table("scores.xlsx", f"Sheet{at}", rows))
    return read_scores(tables, selected, [])


def marks(sheets: ScoreSheets) -> dict[str, dict[str, float | None]]:
    return {student.student_id or student.name or "": student.scores for student in sheets.students}


PLAIN = "Student ID,Name,Q1,Q2,Total\ns1,Ann Lee,3,4,7\ns2,Bob Ray,2,5,7"


def test_a_plain_sheet_needs_no_teacher() -> None:
    sheets = read(PLAIN)
    assert marks(sheets) == {"s1": {"Q1": 3, "Q2": 4}, "s2": {"Q1": 2, "Q2": 5}}
    assert [student.total for student in sheets.students] == [7, 7]
    assert (sheets.score_mode, sheets.score_schema.needs_confirm, sheets.warnings) == ("question", False, [])


@pytest.mark.parametrize(
    ("label", "question", "out_of"),
    [
        ("Q3", "Q3", None),
        ("第3题", "Q3", None),
        ("3.0", "Q3", None),
        ("Question 3 (5)", "Q3", 5),
        ("Q3 (5 marks)", "Q3", 5),
        ("3（5分）", "Q3", 5),
        ("Q3/5", "Q3", 5),
        ("Q3a", "Q3a", None),
        ("3(b)(ii)", "Q3bii", None),
        ("3-2", "Q3(2)", None),
        ("Q. 3 /5.00", "Q3", 5),
    ],
)
def test_labels_name_their_question(label: str, question: str, out_of: float | None) -> None:
    sheets = read(f"Student ID,Name,Q1,Q2,{label}\ns1,Ann,1,1,2\ns2,Bob,1,0,3")
    assert sheets.questions[2].question_id == question
    assert sheets.questions[2].max_score == out_of


def test_brackets_are_parts_or_what_a_question_is_out_of() -> None:
    parts = read("学号,姓名,12(1),12(2)\ns1,张三,1,2\ns2,李四,2,1")
    assert [question.question_id for question in parts.questions] == ["Q12(1)", "Q12(2)"]
    out_of = read("学号,姓名,1(5),2(10)\ns1,张三,1,2\ns2,李四,2,1")
    assert [(question.question_id, question.max_score) for question in out_of.questions] == [("Q1", 5), ("Q2", 10)]


def test_absent_and_exempt_are_no_zeroes() -> None:
    sheets = read("学号,姓名,1,2,总分\ns1,张三,缺考,,缺考\ns2,李四,免考,4,4\ns3,王五,1,0,1")
    assert marks(sheets) == {"s1": {"Q1": None, "Q2": None}, "s2": {"Q1": None, "Q2": 4}, "s3": {"Q1": 1, "Q2": 0}}
    assert [student.absent for student in sheets.students] == [True, False, False]
    assert sheets.students[1].exempt == ["Q1"]
    assert not sheets.score_schema.needs_confirm


def test_averages_and_the_row_of_maxima_are_no_students() -> None:
    sheets = read("学号,姓名,1,2,总分\n满分,,5,5,10\ns1,张三,1,2,3\ns2,李四,2,3,5\n平均分,,1.5,2.5,4\n及格率,,0.5,0.5,")
    assert list(marks(sheets)) == ["s1", "s2"]
    assert [question.max_score for question in sheets.questions] == [5, 5]


def test_a_total_alone_and_subjects_are_modes_of_their_own() -> None:
    total = read("Name,Class,Score\nAnn,8B,71\nBob,8B,64")
    assert (total.score_mode, marks(total)["Ann"]) == ("total", {"TOTAL": 71})
    subject = read("姓名,语文,数学,总分,班名次\n张三,90,80,170,1\n李四,70,90,160,2")
    assert (subject.score_mode, marks(subject)["张三"]) == ("subject", {"SUBJECT_语文": 90, "SUBJECT_数学": 80})


def test_letters_are_answers_and_no_marks() -> None:
    sheets = read("ID,Name,1,2,3\ns1,Ann,A,BC,5\ns2,Bob,B,B,4")
    assert [student.answers for student in sheets.students] == [{"Q1": "A", "Q2": "BC"}, {"Q1": "B", "Q2": "B"}]
    assert marks(sheets)["s1"] == {"Q1": None, "Q2": None, "Q3": 5}


def test_the_same_row_twice_is_one_student_and_another_mark_is_said() -> None:
    same = read(PLAIN + "\ns2,Bob Ray,2,5,7")
    assert (len(same.students), same.warnings) == (2, [])
    other = read(PLAIN + "\ns2,Bob Ray,4,1,5")
    assert marks(other)["s2"] == {"Q1": 4, "Q2": 5}
    assert [warning.code for warning in other.warnings] == ["duplicate_student"]


def test_two_of_one_name_without_ids_are_asked_about() -> None:
    sheets = read("Name,Score\nAnn,71\nAnn,64")
    assert (len(sheets.students), sheets.score_schema.needs_confirm) == (2, True)


def test_one_sheet_for_each_class_is_one_exam() -> None:
    sheets = read(PLAIN, "Student ID,Name,Q1,Q2,Total\ns3,Cy Fox,1,1,2\ns4,Di Orr,0,1,1")
    assert list(marks(sheets)) == ["s1", "s2", "s3", "s4"]
    assert len([one for one in sheets.score_schema.candidates if one.mode == "question"]) == 1


@pytest.mark.parametrize(
    ("sheet", "note"),
    [
        ("Student ID,Name,Q1,Q2,Total\ns1,Ann,3,4,9\ns2,Bob,2,5,3", "totals"),
        ("Student ID,Name,Q1 (5),Q2 (5)\ns1,Ann,3,14\ns2,Bob,2,5", "beyond"),
        ("Student ID,Name,Q1,Q2\ns1,Ann,3,4\ns2,Bob,see me,5", "not understood"),
        (",1,2,总分\n张三,1,2,3\n李四,2,2,4", "no label"),
        ("Name,Quiz,Midterm,Total\nAnn,10,20,30\nBob,5,10,15", "not used"),
        ("Student ID,Name,Q1,Q2\ns1,Ann,3,\ns2,Bob,,5", "hold no mark"),
    ],
)
def test_what_is_doubtful_needs_a_teacher(sheet: str, note: str) -> None:
    sheets = read(sheet)
    assert sheets.score_schema.needs_confirm
    assert any(note in warning.detail for warning in sheets.warnings)


def test_another_candidate_can_be_selected() -> None:
    first = read(PLAIN)
    total = next(one for one in first.score_schema.candidates if one.mode == "total")
    again = read(PLAIN, selected=total.candidate_id)
    assert (again.score_mode, marks(again)["s1"]) == ("total", {"TOTAL": 7})
    assert again.score_schema.recommended == first.score_schema.recommended
    assert not again.score_schema.needs_confirm


def test_a_selection_that_vanished_is_asked_about() -> None:
    assert read(PLAIN, selected="question:wide:gone:r1").score_schema.needs_confirm


def test_a_label_that_was_misread_is_inferred_and_said() -> None:
    sheets = read("Student ID,Name,Q1,ε,Q3\ns1,Ann,1,2,3\ns2,Bob,2,2,2")
    assert marks(sheets)["s1"] == {"Q1": 1, "Q2": 2, "Q3": 3}
    assert any("inferred" in warning.detail for warning in sheets.warnings)


def test_a_table_without_students_is_refused() -> None:
    with pytest.raises(DocumentFailure) as refusal:
        read("Term,Meaning\nice,cold\nfire,hot")
    assert refusal.value.code == "no_scores"


@pytest.mark.parametrize(
    ("answer", "key", "share"),
    [
        ("A", "A", 1), ("a", "A", 1), ("B", "A", 0), (None, "A", 0), ("", "A", 0),
        ("AC", "AC", 1), ("CA", "AC", 1), ("A,C", "AC", 1), ("A", "AC", 0.5), ("AB", "AC", 0), ("ABC", "AC", 0),
        ("T", "True", 1), ("√", "对", 1), ("×", "√", 0), ("错", "F", 1), ("went", "went", 1),
    ],
)  # fmt: skip
def test_objective_marks(answer: str | None, key: str, share: float) -> None:
    assert score_objective(answer, key, 4) == 4 * share
