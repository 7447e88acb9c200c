"""Questions out of lines: the styles of papers, and what is never to be invented."""

from __future__ import annotations

import pytest

from app.documents.extract.lines import Line
from app.documents.questions.parser import parse_questions
from app.documents.values import Paper, Question


def read(text: str, name: str = "paper.txt") -> Paper:
    return parse_questions([Line(line, name) for line in text.split("\n")])


def one(text: str) -> Question:
    questions = read(text).questions
    assert len(questions) == 1, [question.stem for question in questions]
    return questions[0]


@pytest.mark.parametrize(
    "form",
    [
        "{}. ",
        "{}、",
        "{}．",
        "{}) ",
        "({}) ",
        "（{}）",
        "Q{}. ",
        "Q{}: ",
        "Question {}. ",
        "Question {} ",
        "第{}题 ",
        "Problem {}: ",
    ],
)
def test_every_style_of_numbers_counts(form: str) -> None:
    text = "\n".join(f"{form.format(at)}What is number {at}?" for at in range(1, 4))
    assert [(question.question_id, question.stem) for question in read(text).questions] == [
        (f"Q{at}", f"What is number {at}?") for at in range(1, 4)
    ]


def test_chinese_numbers_are_questions_where_they_are_no_sections() -> None:
    paper = read("一、什么是光？\n二、什么是力？\n三、什么是热？")
    assert [(question.question_id, question.stem) for question in paper.questions] == [
        ("Q1", "什么是光？"),
        ("Q2", "什么是力？"),
        ("Q3", "什么是热？"),
    ]


def test_a_number_within_the_text_is_no_question() -> None:
    text = "1. The firm had 12. employees in\n1998. Its profit was\n3.5 million. What then?\n2. Next?"
    assert [question.question_id for question in read(text).questions] == ["Q1", "Q2"]


def test_advice_to_candidates_is_no_question() -> None:
    text = "Instructions:\n1. Write your name.\n2. Use a pen.\nSection A\n1. What is light?\n2. What is heat?"
    assert [question.stem for question in read(text).questions] == ["What is light?", "What is heat?"]


OPTIONS = [("A", "red"), ("B", "blue"), ("C", "green"), ("D", "grey")]


@pytest.mark.parametrize(
    "options",
    [
        "A. red\nB. blue\nC. green\nD. grey",
        "A. red   B. blue   C. green   D. grey",
        "A) red B) blue C) green D) grey",
        "(A) red   (B) blue\n(C) green   (D) grey",
        "A．red   C．green\nB．blue   D．grey",
        "A、red B、blue C、green D、grey",
        "a. red\nb. blue\nc. green\nd. grey",
        "A   red\nB   blue\nC   green\nD   grey",
    ],
)
def test_options_stand_stacked_in_a_row_or_in_a_grid(options: str) -> None:
    question = one(f"1. Which colour is it?\n{options}")
    assert (question.type, question.stem) == ("single", "Which colour is it?")
    assert [(option.key, option.text) for option in question.options] == OPTIONS


@pytest.mark.parametrize(
    ("written", "points"),
    [
        ("1. What is it? (5 points)", 5),
        ("1. (5 pts) What is it?", 5),
        ("1. What is it? [5 marks]", 5),
        ("1.（5分）What is it?", 5),
        ("1. What is it?（本题满分12分）", 12),
        ("1. What is it?（每空2分，共6分）", 6),
        ("1. What is it?\nPoints: 2.5", 2.5),
        ("Question 1 (4 points)\nWhat is it?", 4),
        ("1. What is it? - 3 marks", 3),
    ],
)
def test_points_are_taken_out_of_the_stem(written: str, points: float) -> None:
    question = one(written)
    assert (question.max_score, question.stem) == (points, "What is it?")


def test_points_that_are_not_stated_are_null() -> None:
    assert one("1. The team won 3 points in 2 games. How many games were lost?").max_score is None


def test_a_section_says_what_each_question_is_worth() -> None:
    paper = read("一、选择题（本大题共2小题，每小题3分，共6分）\n1．甲（  ）\nA．一 B．二\n2．乙（  ）\nA．一 B．二")
    assert [question.max_score for question in paper.questions] == [3, 3]
    assert paper.warnings == []


def test_another_count_than_announced_is_said() -> None:
    paper = read("一、选择题（本大题共3小题）\n1．甲（  ）\nA．一 B．二\n2．乙（  ）\nA．一 B．二")
    assert [warning.code for warning in paper.warnings] == ["count_differs"]


def test_parts_are_questions_of_their_own() -> None:
    paper = read(
        "3. A car starts.\n(a) Find its speed. (2 points)\n"
        "(b) It stops.\n(i) State when. (1 point)\n(ii) State why. (2 points)\n4. End?"
    )
    assert [
        (question.question_id, question.stem, question.context, question.max_score) for question in paper.questions[:3]
    ] == [
        ("Q3a", "Find its speed.", "A car starts.", 2),
        ("Q3bi", "State when.", "A car starts.\nIt stops.", 1),
        ("Q3bii", "State why.", "A car starts.\nIt stops.", 2),
    ]


def test_statements_to_choose_from_are_no_parts() -> None:
    question = one("1. Which are right? (1) Ice melts. (2) Iron floats.\nA. (1)\nB. (2)\nC. both\nD. neither")
    assert question.question_id == "Q1"
    assert len(question.options) == 4


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Answer: B", "B"),
        ("答案：B", "B"),
        ("【答案】B", "B"),
        ("Ans. B", "B"),
        ("Ans - B", "B"),
        ("Ans. may vary", None),
        ("Correct answer: (B)", "B"),
        ("Key: B. blue", "B"),
        ("Answer: ____", None),
    ],
)
def test_answers_beside_their_question(said: str, answer: str | None) -> None:
    assert one(f"1. Which?\nA. red\nB. blue\n{said}").answer == answer


@pytest.mark.parametrize(
    "key",
    [
        "1. B\n2. AC\n3. 4 cm",
        "1-2 B AC\n3. 4 cm",
        "1.B  2.AC  3.4 cm",
        "1 B\n2 A, C\n3 4 cm",
        "1) B 2) AC 3) 4 cm",
        "1: B\n2: CA\n3: 4 cm",
    ],
)
def test_a_key_at_the_end_answers(key: str) -> None:
    paper = read(f"1. Which?\nA. red\nB. blue\n2. Which two?\nA. a\nB. b\nC. c\n3. How long?\n\nAnswer Key\n{key}")
    assert [question.answer for question in paper.questions] == ["B", "AC", "4 cm"]
    assert paper.questions[1].type == "multiple"


def test_what_the_key_says_about_nothing_is_said() -> None:
    paper = read("1. What is it?\n2. And this?\nAnswers\n1. Ice\n2. Iron\n3. Gold")
    assert [(warning.code, "3" in warning.detail) for warning in paper.warnings] == [("key_without_question", True)]


def test_a_missing_number_is_said_and_the_neighbours_stay() -> None:
    paper = read("1. One?\n2. Two?\n4. Four?\n5. Five?")
    assert [question.question_id for question in paper.questions] == ["Q1", "Q2", "Q4", "Q5"]
    assert [(warning.code, warning.question_id) for warning in paper.warnings] == [
        ("number_missing", None),
        ("low_confidence", "Q2"),
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1. True or false: ice floats.", "true_false"),
        ("1. Ice ______ on water.", "blank"),
        ("1. Calculate the area of the square.", "calculation"),
        ("1. Write an essay about winter.", "essay"),
        ("1. Name two metals.", "short"),
        ("1. Which are metals? Select all that apply.\nA. gold\nB. wood\nC. iron", "multiple"),
        ("1. Ice floats.\nA. True\nB. False", "true_false"),
        ("1. 解方程：2x=4。", "calculation"),
        ("1. 写一篇不少于600字的作文。", "essay"),
    ],
)
def test_the_kind_of_question_is_told_by_its_words(text: str, kind: str) -> None:
    assert one(text).type == kind


def test_page_numbers_and_running_heads_belong_to_no_question() -> None:
    lines = []
    for page in (1, 2, 3):
        lines += [
            Line("School of Physics", "a.pdf", page, top=0.04),
            Line(f"{page}. What is number {page}?", "a.pdf", page, top=0.3),
            Line(f"Page {page} of 3", "a.pdf", page, top=0.96),
        ]
    assert [question.stem for question in parse_questions(lines).questions] == [
        f"What is number {at}?" for at in (1, 2, 3)
    ]


def test_figures_are_noted_with_their_page() -> None:
    lines = [Line("1. What does it show?", "a.pdf", 2), Line("[figure]", "a.pdf", 2, figure=True)]
    assert parse_questions(lines).questions[0].figures == ["a.pdf, page 2"]


def test_what_the_recogniser_doubted_is_doubted() -> None:
    paper = parse_questions([Line("1. Whal is il?", "scan.jpg", score=0.55)])
    assert paper.questions[0].confidence < 0.7
    assert [warning.code for warning in paper.warnings] == ["low_confidence"]


def test_a_shared_passage_is_the_context_of_its_questions() -> None:
    paper = read(
        "Read the text and answer questions 1-2.\nTom has a dog.\n1. Who has it?\n2. What is it?\n3. What is 2 + 2?"
    )
    assert [bool(question.context and "Tom has a dog." in question.context) for question in paper.questions] == [
        True,
        True,
        False,
    ]
