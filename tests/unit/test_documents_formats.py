"""Formats to lines: what each keeps, what each throws away, and in which order."""

from __future__ import annotations

import io
from pathlib import Path

import docx
import pytest

from app.documents.extract.docx import extract as extract_docx
from app.documents.extract.encoding import decode
from app.documents.extract.html import extract as extract_html
from app.documents.extract.image import without_echoes
from app.documents.extract.layout import Piece, arrange
from app.documents.extract.lines import Line
from app.documents.extract.markdown import extract as extract_markdown
from app.documents.extract.source import Source
from app.documents.extract.tex import extract as extract_tex
from app.documents.failures import DocumentFailure
from app.documents.kinds import kind_of
from app.documents.limits import DEFAULT
from app.documents.ocr.child import apart
from app.documents.questions.parser import parse_questions
from app.documents.sniff import sniff
from tests.corpus.documents import corpus
from tests.corpus.documents.direct import NoRecogniser, key_of, sheets_of

FILES = Path(corpus.__file__).parent / "files"


def source(name: str, content: bytes | str) -> Source:
    data = content.encode() if isinstance(content, str) else content
    return Source(name, data, DEFAULT, "auto", NoRecogniser())


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines if line.text.strip()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
def test_chinese_text_is_read_in_every_usual_encoding(encoding: str) -> None:
    assert decode("1. 什么是光？\r\n".encode(encoding)) == "1. 什么是光？\n"


def test_western_text_is_not_taken_for_chinese() -> None:
    assert decode("Où est le café?".encode("cp1252")) == "Où est le café?"


def test_markdown_loses_its_marks() -> None:
    lines = extract_markdown(
        source("a.md", "# Test\n**1.** What *is* it?\n- A) ice\n![x](y.png)\n| 1 | 2 |\n|---|---|\n| A | B |")
    ).lines
    assert texts(lines) == ["Test", "1. What is it?", "A) ice", "[figure]", "1   2", "A   B"]
    assert lines[0].heading
    assert lines[-1].cells == ["A", "B"]


def test_html_counts_lists_and_runs_nothing() -> None:
    page = (
        "<h1>Test</h1><script>1. no</script><ol start=3><li>One?<ol type=A><li>ice<li>fire</ol><li>Two?</ol><p>a<br>b"
    )
    assert texts(extract_html(source("a.html", page)).lines) == [
        "Test",
        "3. One?",
        "A. ice",
        "B. fire",
        "4. Two?",
        "a",
        "b",
    ]


def test_latex_counts_the_exam_class_and_drops_comments() -> None:
    paper = (
        r"\begin{document}\begin{questions}\question[5] What? % no\begin{choices}\choice a"
        "\n"
        r"\CorrectChoice b\end{choices}\end{questions}\end{document}"
    )
    paper = paper.replace(r"% no\begin", "% no\n\\begin")
    assert texts(extract_tex(source("a.tex", paper)).lines) == ["1. (5 points) What?", "A. a", "B. b ✓"]


def test_word_lists_get_the_numbers_that_word_prints() -> None:
    document = docx.Document()
    for text in ("What is ice?", "What is fire?"):
        document.add_paragraph(text, style="List Number")
    document.add_table(1, 2).cell(0, 1).text = "cell"
    stream = io.BytesIO()
    document.save(stream)
    assert texts(extract_docx(source("a.docx", stream.getvalue())).lines) == [
        "1. What is ice?",
        "2. What is fire?",
        "cell",
    ]


def piece(text: str, x: float, y: float, width: float = 200) -> Piece:
    return Piece(text, x, y, x + width, y + 10)


def test_the_left_column_is_read_before_the_right_one() -> None:
    left = [piece(f"{at}. left", 50, 100 + 20 * at) for at in range(1, 7)]
    right = [piece(f"{at + 6}. right", 310, 100 + 20 * at) for at in range(1, 7)]
    lines = arrange([piece("Title", 200, 50), *right, *left], width=600, height=800, file="a.pdf", page=1)
    assert [line.text for line in lines] == [
        "Title",
        *[f"{at}. left" for at in range(1, 7)],
        *[f"{at}. right" for at in range(7, 13)],
    ]


def test_a_grid_of_options_is_no_pair_of_columns() -> None:
    rows = [
        one
        for at in range(4)
        for one in (
            piece(f"{at + 1}. What is number {at}?", 50, 100 + 60 * at, 150),
            piece("A. one", 60, 120 + 60 * at, 60),
            piece("B. two", 320, 120 + 60 * at, 60),
            piece("C. three", 60, 140 + 60 * at, 60),
            piece("D. four", 320, 140 + 60 * at, 60),
        )
    ]
    lines = arrange(rows, width=600, height=800, file="a.pdf", page=1)
    assert [line.text for line in lines[:3]] == ["1. What is number 0?", "A. one   B. two", "C. three   D. four"]


@pytest.mark.parametrize("name", ["a.exe", "a", "a.pdf.zip", "a.doc"])
def test_other_types_are_refused_by_name(name: str) -> None:
    with pytest.raises(DocumentFailure) as refusal:
        kind_of(name)
    assert refusal.value.code == "unsupported_type"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.PDF", b"%PDF-1.7\n%%EOF"), ("a.csv", "姓名,1".encode("gbk")), ("a.txt", "x".encode("utf-16"))],
)
def test_name_and_bytes_that_agree_are_believed(name: str, content: bytes) -> None:
    assert sniff(name, content) == kind_of(name)


def test_a_key_may_be_a_table_of_its_own() -> None:
    key = key_of((("key.csv", '题号,答案,分值\n1,B,3\n2,"A,C",4\n12(1),√,2\n'.encode("gbk")),))
    assert [(entry.question_id, entry.answer, entry.max_score) for entry in key.entries] == [
        ("Q1", "B", 3),
        ("Q2", "AC", 4),
        ("Q12(1)", "√", 2),
    ]


def test_marks_may_stand_in_a_word_or_web_page() -> None:
    page = "<table><tr><th>Student ID<th>Name<th>Q1<th>Q2<tr><td>s1<td>Ann<td>3<td>4<tr><td>s2<td>Bob<td>1<td>2</table>"
    sheets = sheets_of((("marks.html", page.encode()),))
    assert [student.scores for student in sheets.students] == [{"Q1": 3, "Q2": 4}, {"Q1": 1, "Q2": 2}]


def test_an_old_workbook_is_read() -> None:
    sheets = sheets_of((("marks.xls", (FILES / "marks.xls").read_bytes()),))
    assert [(student.student_id, student.scores, student.absent) for student in sheets.students] == [
        ("2024001", {"Q1": 4, "Q2": 7.5}, False),
        ("2024002", {"Q1": None, "Q2": None}, True),
        ("2024003", {"Q1": 5, "Q2": 9}, False),
    ]
    assert [question.max_score for question in sheets.questions] == [5, 10]


def test_a_key_in_a_printed_table_is_read_by_its_columns() -> None:
    lines = [
        Line("1. Which?", "a.pdf"),
        Line("A. ice   B. fire", "a.pdf"),
        Line("2. How long?", "a.pdf"),
        Line("Answer Key", "a.pdf"),
    ]
    lines += [Line(text, "a.pdf") for text in ("Question   Answer   Points", "1   B   3", "2   4 cm 5")]
    paper = parse_questions(lines)
    assert [(question.answer, question.max_score) for question in paper.questions] == [("B", 3), ("4 cm", 5)]


def test_characters_between_two_overlapping_boxes_are_read_once() -> None:
    pieces = [Piece("A. 90 C", 100, 0, 320, 50), Piece("C", 290, 0, 318, 50), Piece("B. 95 C", 400, 0, 600, 50)]
    assert [kept.text for kept in without_echoes(pieces)] == ["A. 90 C", "B. 95 C"]


def test_words_far_apart_in_one_line_are_cells() -> None:
    def box(left: float, right: float) -> list[list[float]]:
        return [[left, 0], [right, 0], [right, 20], [left, 20]]

    line = {"text": "2 3 4", "score": 0.9, "box": box(0, 240)}
    words = [("2", 0.9, box(0, 10)), ("3", 0.8, box(100, 110)), ("4", 0.9, box(230, 240))]
    assert [(part["text"], part["box"][0][0]) for part in apart(line, words)] == [("2", 0), ("3", 100), ("4", 230)]
