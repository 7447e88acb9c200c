"""Rules that an examiner's ordinary papers and sheets asked for."""

from __future__ import annotations

import pytest

from app.documents.values import Paper, Question, ScoreSheets
from tests.corpus.documents.direct import paper_of, sheets_of


def paper(text: str, suffix: str = "txt") -> Paper:
    return paper_of(((f"paper.{suffix}", text.encode()),))


def one(text: str) -> Question:
    return paper(text).questions[0]


def answers(text: str) -> dict[str, str | None]:
    return {question.question_id: question.answer for question in paper(text).questions}


def sheet(text: str) -> ScoreSheets:
    return sheets_of((("marks.csv", text.encode()),))


QUESTIONS = "{0} Which planet is red?\nA. Venus\nB. Mars\n{1} Which is ringed?\nA. Saturn\nB. Earth\n"


class TestNumbers:
    def test_a_key_may_count_in_another_way_than_its_paper(self) -> None:
        assert answers(QUESTIONS.format("1)", "2)") + "Answer Key\n1. B\n2. A") == {"Q1": "B", "Q2": "A"}
        assert answers(QUESTIONS.format("Q1)", "Q2)") + "Answer Key\nProblem 1. B\nProblem 2. A") == {
            "Q1": "B",
            "Q2": "A",
        }

    @pytest.mark.parametrize("numbers", [("(1)", "(2)"), ("（1）", "（2）"), ("一、", "二、")])
    def test_a_key_may_count_as_its_paper_does(self, numbers: tuple[str, str]) -> None:
        first, second = numbers
        assert answers(QUESTIONS.format(first, second) + f"答案\n{first}B\n{second}A") == {"Q1": "B", "Q2": "A"}

    @pytest.mark.parametrize("numbers", [("(1)", "(2)"), ("一、", "二、"), ("Q1.", "Q2."), ("1.", "2.")])
    def test_numbered_advice_above_is_no_question(self, numbers: tuple[str, str]) -> None:
        text = "Instructions:\n1. Answer all questions.\n2. Write clearly.\nPart I: Multiple Choice\n"
        assert [question.stem for question in paper(text + QUESTIONS.format(*numbers)).questions] == [
            "Which planet is red?",
            "Which is ringed?",
        ]

    def test_a_section_that_counts_anew_is_no_advice(self) -> None:
        text = "Instructions: answer all.\nPart A: Multiple Choice\n" + QUESTIONS.format("1.", "2.")
        found = paper(text + "Part B: Short Answer\n1. Why is Mars red?\n2. Why has Saturn rings?")
        assert [question.question_id for question in found.questions] == ["Q1", "Q2", "S2Q1", "S2Q2"]

    def test_a_lettered_heading_is_no_option_and_an_option_is_no_heading(self) -> None:
        text = "A. MULTIPLE CHOICE\n" + QUESTIONS.format("1.", "2.") + "B. SHORT ANSWER\n3. Why is Mars red?"
        assert [len(question.options) for question in paper(text).questions] == [2, 2, 0]
        last = (
            "1. 没有语病的是\nA. 使我明白了。    B. 我们要发扬传统。\nC. 他的写作提高了。    D. 我们去了。\n2. 为什么？"
        )
        assert len(one(last).options) == 4

    def test_the_place_for_the_answer_may_stand_before_any_number(self) -> None:
        for numbers in (("____ (1)", "____ (2)"), ("（    ）一、", "（    ）二、"), ("____ 1.", "____ 2.")):
            assert paper(QUESTIONS.format(*numbers)).questions[0].stem == "Which planet is red?"


class TestAnswers:
    @pytest.mark.parametrize(
        "said",
        ["[Answer: B]", "Ans. B", "Answer - B", "【答案】 B", "[Answer: B. Mars]", "Ans. B\nExplanation - It is rust."],
    )
    def test_told_below_a_question(self, said: str) -> None:
        found = one(f"1. Which planet is red?\nA. Venus\nB. Mars\n{said}")
        assert (found.answer, found.options[-1].text) == ("B", "Mars")

    def test_an_answer_below_its_question_begins_no_key(self) -> None:
        text = "一、选择题\n1. 红色的是\nA. 金星\nB. 火星\n【答案】B\n二、填空题\n1. 水的化学式是____。\n【答案】H2O"
        assert answers(text) == {"Q1": "B", "S2Q1": "H2O"}

    def test_multiple_answers_is_a_kind_of_question(self) -> None:
        text = "Part A: Multiple Choice\n" + QUESTIONS.format("1.", "2.") + "Part B: Multiple Answers\n"
        assert len(paper(text + QUESTIONS.format("1.", "2.")).questions) == 4

    @pytest.mark.parametrize(
        ("key", "told"),
        [
            ("1. C\n3. x = 2\n2. (a) 4 m (b) 5 s", {"Q2a": "4 m", "Q2b": "5 s"}),
            ("1. C\n2. a. 4 m  b. 5 s\n3. x = 2", {"Q2a": "4 m", "Q2b": "5 s"}),
            ("1. C\n2a) 4 m\n2b) 5 s\n3. x = 2", {"Q2a": "4 m", "Q2b": "5 s"}),
            (
                "1. C  Explanation: divide 4 by 2.\n2. (a) 4 m (b) 5 s\n3. 1.5 m",
                {"Q1": "C", "Q2a": "4 m", "Q3": "1.5 m"},
            ),
        ],
    )
    def test_parts_in_a_key(self, key: str, told: dict[str, str]) -> None:
        text = f"1. Which?\nA. x\nB. y\nC. z\n2. A ball falls.\n(a) How far?\n(b) How long?\n3. Solve.\nAnswers\n{key}"
        found = answers(text)
        assert {name: found[name] for name in told} == told

    def test_parts_in_circles(self) -> None:
        text = (
            "1. 小明步行。\n①求他所用的时间。\n②如果他骑车，求节省的时间。\n2. 解方程。\n答案\n1. ① 8 s  ② 5 s\n2. x=1"
        )
        assert answers(text) == {"Q1(1)": "8 s", "Q1(2)": "5 s", "Q2": "x=1"}

    def test_a_key_under_the_titles_of_its_sections(self) -> None:
        text = "A. MULTIPLE CHOICE\n" + QUESTIONS.format("1.", "2.") + "B. SHORT ANSWER\n1. Why?\n2. How?\nKey\n"
        told = answers(text + "B. SHORT ANSWER\n1. rust\n2. ice\nA. MULTIPLE CHOICE\n1. B\n2. A")
        assert told == {"Q1": "B", "Q2": "A", "S2Q1": "rust", "S2Q2": "ice"}


class TestPoints:
    @pytest.mark.parametrize("said", ["(2 point(s))", "（2'）", "[2 Marks]", "(worth 2 points)", "(2 pts)"])
    def test_stated_behind_a_stem_or_before_it(self, said: str) -> None:
        for text in (f"1. Why is Mars red? {said}", f"1. {said} Why is Mars red?"):
            assert (one(text).max_score, one(text).stem) == (2, "Why is Mars red?")

    def test_beside_the_number(self) -> None:
        found = one("Problem 1 (2 pts). Why is Mars red?")
        assert (found.max_score, found.stem) == (2, "Why is Mars red?")

    def test_bare_brackets_count_where_most_questions_begin_with_them(self) -> None:
        found = paper("1. [2] Why is Mars red?\n2. [3] Why is Venus hot?\n3. [2] Why has Saturn rings?")
        assert [question.max_score for question in found.questions] == [2, 3, 2]

    @pytest.mark.parametrize(
        "heading",
        ["Short Answer (2 x 3 = 6 marks)", "简答题（3分×2）", "Short Answer (3 marks each, 6 marks in total)"],
    )
    def test_each_of_a_section(self, heading: str) -> None:
        assert [question.max_score for question in paper(f"Part A\n{heading}\n1. Why?\n2. How?").questions] == [3, 3]


class TestPassages:
    LEAD = "Read the passage below and answer the questions that follow."

    def test_a_text_is_for_the_questions_below_it_and_not_for_a_composition(self) -> None:
        text = f"1. Why?\n{self.LEAD}\n\nThe sea was calm.\n2. How was the sea?\n3. Write an essay about the sea."
        assert [bool(question.context) for question in paper(text).questions] == [False, True, False]

    def test_a_heading_ends_it(self) -> None:
        text = f"Part A: Reading\n{self.LEAD}\nThe sea was calm.\n1. How was it?\nPart B: Short Answer\n2. Why?"
        assert [bool(question.context) for question in paper(text).questions] == [True, False]

    def test_numbers_that_begin_anew_below_it_are_its_own(self) -> None:
        text = (
            "一、填空题\n1. 水是____。\n二、阅读理解\n阅读下面的短文，完成1-2题。\n海很静。\n1. 海怎样？\n2. 为什么？"
        )
        assert [bool(question.context) for question in paper(text).questions] == [False, True, True]


def test_blanks_are_no_emphasis_in_markdown() -> None:
    assert one("1. She ____ to school, and he ____ at home.").stem == "She ____ to school, and he ____ at home."
    assert paper("1. She ____ to school, and he ____ at home.", "md").questions[0].stem.count("____") == 2


def test_lines_of_a_stem_that_look_like_furniture_stay() -> None:
    found = one("1. What is printed?\ntotal = 0\nprint(total)\n2. Why?")
    assert found.stem == "What is printed?\ntotal = 0\nprint(total)"


class TestSheets:
    HEAD = "Student ID,Name,Q1,Q2,Total\n"

    def test_small_questions_and_the_row_of_what_they_are_out_of(self) -> None:
        found = sheet("学号,姓名,第1小题,第2小题,总分\n总分值,,3,4,7\n1001,李明,2,3,5\n1002,王芳,1,4,5")
        assert [(question.question_id, question.max_score) for question in found.questions] == [("Q1", 3), ("Q2", 4)]
        assert len(found.students) == 2

    @pytest.mark.parametrize("sign", ["A", "N/A"])
    def test_a_sign_from_end_to_end_means_that_a_student_was_away(self, sign: str) -> None:
        found = sheet(f"{self.HEAD}s1,Ann Lee,{sign},{sign},\ns2,Bob Ray,2,5,7\ns3,Cy Fox,1,2,3")
        assert [(student.absent, student.exempt) for student in found.students] == [
            (True, []),
            (False, []),
            (False, []),
        ]

    def test_a_letter_among_marks_is_asked_about(self) -> None:
        assert sheet(f"{self.HEAD}s1,Ann Lee,B,3,3\ns2,Bob Ray,2,5,7\ns3,Cy Fox,1,2,3").score_schema.needs_confirm

    def test_subjects_say_what_they_are_out_of(self) -> None:
        found = sheet("Name,Physics [100 pts],History [80 pts]\nAnn Lee,50,60\nBob Ray,70,20")
        assert (found.score_mode, [question.max_score for question in found.questions]) == ("subject", [100, 80])

    def test_a_row_copied_twice_is_one_student_and_that_is_said(self) -> None:
        found = sheet("Name,Q1,Q2\nAnn Lee,2,3\nBob Ray,1,1\nAnn Lee,2,3")
        assert (len(found.students), [notice.code for notice in found.warnings]) == (2, ["duplicate_student"])

    def test_the_deviation_is_no_student(self) -> None:
        assert len(sheet(f"{self.HEAD}s1,Ann Lee,2,3,5\ns2,Bob Ray,2,5,7\nSTDEV,,1.5,2.5,3.1").students) == 2
