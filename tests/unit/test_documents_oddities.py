"""What a reader could not make sense of is doubted; what it could is not."""

from __future__ import annotations

import pytest

from app.documents.extract.heights import lowered, raised
from app.documents.values import Paper
from tests.corpus.documents.direct import paper_of

DOUBTFUL = 0.7


def read(text: str, name: str = "paper.txt") -> Paper:
    return paper_of(((name, text.encode()),))


@pytest.mark.parametrize(
    "question",
    [
        "1. Which is a gas?\nneon\niron\nzinc\ntin",  # options that nothing marks
        "1. Which is a gas?\nA. neon\nB. iron\n\nSend your answers before eight.",  # below the options
        "1. Which is a gas?\nA. neon\nB. iron 2. Which metal melts in the hand?",  # the next question within an option
        "1. Name a gas. [/3]",  # marks in a form that is not known
        "1. Simplify the \\fancy{fraction} below.",  # markup
        "1. Name a gas.\n4. Iron is a metal.\n4. So is zinc.",  # numbers that are not the next one
    ],
)
def test_what_was_not_understood_is_doubted(question: str) -> None:
    paper = read(f"{question}\n")
    assert paper.questions
    assert all(question.confidence < DOUBTFUL for question in paper.questions)
    assert {warning.code for warning in paper.warnings} >= {"low_confidence"}


@pytest.mark.parametrize(
    "question",
    [
        "1. Which is a gas? (2 points)\nA. neon\nB. iron\nC. zinc",
        "1. A bag has a mass of\n3.5 kg. What is its weight?",
        "1. Consider:\n1. Ice melts.\n2. Iron floats.\nWhich are true?\nA. 1\nB. 2\nC. both\n2. Name a gas.",
        "1. Calculate.\n(1) 3 + 5\n(2) 4 × 6\n(3) 9 - 2",
        "1. Solve $\\frac{x}{2} = 4$.",
    ],
)
def test_what_was_understood_is_not(question: str) -> None:
    paper = read(f"{question}\n")
    assert all(question.confidence >= DOUBTFUL for question in paper.questions)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("____B____ 1. Which is a gas?\nA. iron\nB. neon", "B"),
        ("（ B ）1. 下列哪一种是气体？\nA. 铁\nB. 氖", "B"),
        ("（    ）1. 下列哪一种是气体？\nA. 铁\nB. 氖", None),
        ("Q1: Name a gas.\nA1: neon", "neon"),
        ("1. Which is a gas?\nA. iron\nB. neon\nThe correct answer is: neon", "B"),
        ("1. Work out 3 + 4.\nSolution: 7", "7"),
    ],
)
def test_answers_where_teachers_put_them(text: str, answer: str | None) -> None:
    (question,) = read(text).questions
    assert question.answer == answer


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("1. Name a gas.\n(Total for Question 1 is 3 marks)", 3.0),
        ("Points: 2\n1. Name a gas.", 2.0),
        ("1.（简答题，4分）写出一种气体。", 4.0),
        ("1. 写出一种气体。（2分 / 2 marks）", 2.0),
        ("一、填空题（每空2分）\n1. ____和____都是气体。", 4.0),
        ("Question 1\nMark 0.00 out of 3.00\nName a gas.", 3.0),
    ],
)
def test_points_where_teachers_put_them(text: str, points: float) -> None:
    (question,) = read(f"\n{text}").questions
    assert question.max_score == points


def test_numbered_options_are_told_by_the_answer() -> None:
    paper = read("1. Which is a gas?\n(1) iron\n(2) neon\n(3) zinc\nAns. (2)\n2. Name a metal.")
    first, _ = paper.questions
    assert (first.answer, [option.key for option in first.options]) == ("B", ["A", "B", "C"])


def test_parts_that_ask_for_nothing_are_doubted() -> None:
    paper = read("1. Which are right?\n(1) neon\n(2) iron\n(3) zinc\n2. Name a metal.")
    assert all(question.confidence < DOUBTFUL for question in paper.questions[:-1])


def test_letters_before_numbers_may_be_options() -> None:
    paper = read("1. 下列哪两个数的和是7？\n（A）3、4\n（B）5、6\n2. 写出一个偶数。")
    assert [question.question_id for question in paper.questions] == ["Q1", "Q2"]
    assert [option.text for option in paper.questions[0].options] == ["3、4", "5、6"]


def test_a_passage_with_a_heading_of_its_own_is_said_to_be_left_out() -> None:
    paper = read("1. Name a gas.\n\n2. Name a metal.\n\n## Rubric\n\nFull marks for iron.\n", "paper.md")
    assert paper.questions[-1].stem == "Name a metal."
    assert [warning.code for warning in paper.warnings] == ["passage_not_read"]


def test_a_list_in_markdown_counts_for_itself() -> None:
    paper = read("1. Name a gas.\n1. Name a metal.\n1. Name a salt.\n", "paper.md")
    assert [question.question_id for question in paper.questions] == ["Q1", "Q2", "Q3"]


def test_a_bank_of_questions_is_read_row_by_row() -> None:
    page = (
        "<table><tr><th>题干</th><th>选项A</th><th>选项B</th><th>答案</th><th>分值</th></tr>"
        "<tr><td>下列哪一种是气体？</td><td>铁</td><td>氖</td><td>B</td><td>2</td></tr></table>"
    )
    (question,) = read(page, "bank.html").questions
    assert (question.stem, question.answer, question.max_score) == ("下列哪一种是气体？", "B", 2.0)
    assert [option.text for option in question.options] == ["铁", "氖"]


def test_a_captions_figure_is_no_part_of_an_option() -> None:
    page = "<p>1. Which is a gas?</p><p>A. iron</p><p>B. neon</p><img src='a.png'><p>Figure 1: A balloon</p>"
    (question,) = read(page, "paper.html").questions
    assert [option.text for option in question.options] == ["iron", "neon"]
    assert question.figures


@pytest.mark.parametrize(("given", "shown"), [("3", "³"), ("-2", "⁻²"), ("k+1", "^(k+1)"), ("th", "th")])
def test_raised_text_keeps_its_height(given: str, shown: str) -> None:
    assert raised(given) == shown


def test_lowered_text_keeps_its_depth() -> None:
    assert lowered("2") == "₂"
