"""What a document says about its questions, and which terms of the curriculum they use."""

from __future__ import annotations

import pytest

from app.workloads.assignment.service.autofill import requirements_of
from app.workloads.uploads.knowledge import known_of, point_of_section
from app.workloads.uploads.labels import before_questions, level_of, points_in, said_of, unlabelled
from app.workloads.uploads.lexicon import terms_in
from tests.support.papers import paper_of

LABELLED = """\
浮力练习题
1. 下列说法正确的是（  ）（3分）
A. 浮力向上  B. 浮力向下  C. 无浮力  D. 不确定
答案：A
知识点：浮力、受力分析
难度：中
2. 什么是光的折射？（4分）
【知识点】折射
【难度】0.35
3. ★★★ 计算：12÷3+4×2。（4分） 标签：口算
"""
HEADINGS = """\
Arithmetic
Topic: Fractions

1. Add 1/2 and 1/3. (5 points)
2. What is 3/4 of 20? (5 points)

Topic: Decimals
3. Round 3.14159 to two places. [hard]
4. Write 0.5 as a fraction. (5 points)
"""
UNDER = """\
Homework
Topic: mixed practice
1. Name a prime number.
Answer: 7
Topic: primes
2. Name a vector.
Answer: velocity
Topic: vectors
Difficulty: easy
"""


def test_a_label_belongs_to_the_question_that_it_stands_in_or_under() -> None:
    first, second, third = said_of(paper_of(LABELLED))
    assert (first.knowledge_points, first.difficulty) == (("浮力", "受力分析"), "medium")
    assert (second.knowledge_points, second.difficulty) == (("折射",), "advanced")
    assert (third.knowledge_points, third.difficulty, third.tags) == ((), "advanced", ("口算",))


def test_labels_are_no_part_of_what_is_asked_or_answered() -> None:
    paper = paper_of(LABELLED)
    assert [said.stem for said in said_of(paper)] == ["下列说法正确的是（）", "什么是光的折射？", "计算：12÷3+4×2。"]
    assert unlabelled("velocity\nTopic: vectors\nDifficulty: easy") == "velocity"
    assert unlabelled("The topic: it is hard.") == "The topic: it is hard."


def test_a_few_labels_that_come_before_are_headings() -> None:
    assert [said.knowledge_points for said in said_of(paper_of(HEADINGS))] == [
        ("Fractions",),
        ("Fractions",),
        ("Decimals",),
        ("Decimals",),
    ]
    assert [said.difficulty for said in said_of(paper_of(HEADINGS))] == [None, None, "advanced", None]


def test_a_label_of_the_whole_is_no_questions_where_each_has_its_own() -> None:
    assert [said.knowledge_points for said in said_of(paper_of(UNDER))] == [("primes",), ("vectors",)]
    assert [said.difficulty for said in said_of(paper_of(UNDER))] == [None, "basic"]
    assert before_questions(paper_of(UNDER)) == "Homework\nTopic: mixed practice\n"


def test_the_topic_of_an_essay_is_its_task() -> None:
    (said,) = said_of(paper_of("1. Write an essay of 200 words.\nTopic: my summer\n"))
    assert said.knowledge_points == ()
    assert "my summer" in said.stem


def test_each_excerpt_is_the_questions_own_part_of_the_document() -> None:
    first, second = said_of(paper_of(UNDER))
    assert first.excerpt.startswith("Name a prime number.")
    assert "primes" in first.excerpt
    assert "velocity" in second.excerpt
    assert "velocity" not in first.excerpt


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("easy", "basic"),
        ("Medium", "medium"),
        ("very hard", "challenge"),
        ("较难", "advanced"),
        ("较易", "basic"),
        ("★★", "medium"),
        ("★★★★★", "challenge"),
        ("0.85", "basic"),
        ("0.2", "challenge"),
        ("3", "advanced"),
        ("4/5", "challenge"),
        ("0", None),
        ("blue", None),
    ],
)
def test_levels_are_written_in_many_ways(value: str, level: str | None) -> None:
    assert level_of(value) == level


def test_a_sentence_lists_no_points() -> None:
    assert points_in("浮力、密度，压强") == ("浮力", "密度", "压强")
    assert points_in("a, b, a") == ("a", "b")
    assert points_in("What does a car need in order to move faster than before?") == ()
    assert points_in("x" * 41) == ()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Explain photosynthesis.", ["photosynthesis"]),
        ("Solve these quadratic equations.", ["quadratic equation"]),
        ("State Ohm\u2019s law and define kinetic energy.", ["Ohm's law", "kinetic energy"]),
        ("解一元二次方程，并用勾股定理检验。", ["一元二次方程", "勾股定理"]),
        ("简述光合作用的意义。", ["光合作用"]),
        ("He felt the force of her argument.", []),
        ("The derivatives market", ["derivative"]),
        ("subatmospheric pressures", []),
    ],
)
def test_terms_are_found_as_whole_words(text: str, names: list[str]) -> None:
    assert [term.name for term in terms_in(text)] == names


@pytest.mark.parametrize(
    ("title", "point"),
    [
        ("Section B: Mechanics", "Mechanics"),
        ("Part II. Heat and temperature", "Heat and temperature"),
        ("第三章 电路", "电路"),
        ("一、选择题（本大题共10小题，每小题3分）", None),
        ("Section A: Multiple Choice", None),
        ("Section C: Extension Questions", None),
        ("Part 2", None),
        ("Mechanics", None),
        (None, None),
    ],
)
def test_a_section_may_name_a_point(title: str | None, point: str | None) -> None:
    assert point_of_section(title) == point


def test_what_is_stated_goes_before_what_is_deduced() -> None:
    stated, deduced, unknown = known_of(
        paper_of("1. Use Ohm's law here.\nKnowledge points: circuits\n2. Define osmosis.\n3. Name a colour.\n")
    )
    assert (stated.points, stated.stated) == (("circuits",), True)
    assert (deduced.points, deduced.stated) == (("osmosis",), False)
    assert (unknown.points, unknown.stated) == ((), False)


@pytest.mark.parametrize("filler", [" " * 200_000, "\n" * 100_000, "....\n" * 40_000, "[ " * 100_000, "★ " * 50_000])
def test_a_document_of_nothing_is_read_in_one_go(filler: str) -> None:
    """A pattern that looked at each place more than once would take hours."""
    paper = paper_of("1. What is a half?\nTopic: fractions\n2. What is a third?\n")
    paper.text = f"{filler}{paper.text}{filler}"
    assert known_of(paper)[0].points == ("fractions",)
    assert requirements_of(paper, known_of(paper))["typical_problem"] == "What is a half?"
