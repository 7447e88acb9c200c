"""From a paper to a draft by rules: what the document says is taken, what it does not say is missing."""

from __future__ import annotations

import pytest

from app.documents.values import AnswerKey, KeyEntry
from app.workloads.assignment.service.autofill import requirements_of
from app.workloads.assignment.service.drafting import draft_of
from app.workloads.assignment.service.requirements import MANDATORY, missing_of
from app.workloads.uploads.knowledge import known_of
from tests.support.assignments import WORKSHEET
from tests.support.papers import paper_of

CHINESE = """\
八年级数学作业 《勾股定理》
班级水平：混合
时间：45分钟
核心概念：勾股定理、直角三角形、斜边
易错点：
1. 把斜边当作直角边
（2）忘记开方
- 单位不一致
- 三角形不是直角三角形
作业偏好：A基础，C 生活应用

一、选择题（每小题3分）
1. 直角三角形两直角边为3和4，斜边为（  ）
A. 5  B. 6  C. 7  D. 8
2. 下列哪组数是勾股数（  ）
A. 1,2,3  B. 6,8,10  C. 2,3,4  D. 4,5,6
二、计算题
3. 求斜边为13，一直角边为5的直角三角形的另一直角边。（6分）
"""


def read(text: str) -> dict[str, object]:
    paper = paper_of(text)
    return requirements_of(paper, known_of(paper))


def test_a_worksheet_that_speaks_of_itself() -> None:
    found = read(WORKSHEET)
    assert found == {
        "subject": "Physics",
        "topic": "circuits",
        "grade_level": "Grade 8",
        "core_concepts": ["Ohm's law", "resistance", "units", "series circuits"],
        "typical_problem": "State Ohm's law in words.",
        "duration_minutes": 40,
    }
    assert missing_of(found) == ["class_level", "misconceptions", "preferences"]


def test_a_chinese_worksheet_may_lack_nothing() -> None:
    found = read(CHINESE)
    assert found["subject"] == "数学"
    assert found["topic"] == "勾股定理"
    assert found["grade_level"] == "八年级"
    assert found["class_level"] == "mixed"
    assert found["core_concepts"] == ["勾股定理", "直角三角形", "斜边"]
    assert found["misconceptions"] == ["把斜边当作直角边", "忘记开方", "单位不一致", "三角形不是直角三角形"]
    assert found["duration_minutes"] == 45
    assert found["preferences"] == ["A", "C"]
    assert found["typical_problem"] == "直角三角形两直角边为3和4，斜边为（）"
    assert missing_of(found) == []


def test_a_bare_list_of_questions_answers_next_to_nothing() -> None:
    assert read("1. What is a colour?\n2. Why is it so in 20 minutes?\n") == {"typical_problem": "What is a colour?"}
    assert missing_of({}) == list(MANDATORY)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Quadratic equations homework", {"topic": "Quadratic equations"}),
        ("Year 9 History: The Silk Road", {"topic": "Silk Road", "subject": "History", "grade_level": "Year 9"}),
        ("八年级第一学期期中考试试卷", {"grade_level": "八年级"}),
        ("高一物理 第三章 牛顿运动定律 练习题", {"subject": "物理", "grade_level": "高一", "topic": "牛顿运动定律"}),
        ("Homework 5", {}),
        ("10th grade quiz, 1 hour 30 minutes", {"grade_level": "10th grade", "duration_minutes": 90}),
        ("英语作业（90分钟）", {"subject": "英语", "duration_minutes": 90}),
    ],
)  # fmt: skip
def test_a_title_tells_what_it_tells(title: str, expected: dict[str, object]) -> None:
    found = read(f"{title}\n\n1. First?\n2. Second?\n")
    assert {name: value for name, value in found.items() if name != "typical_problem"} == expected


def test_terms_of_one_subject_name_it_and_those_of_two_do_not() -> None:
    assert read("1. Define osmosis.\n2. Define mitosis.\n3. Name a colour.\n")["subject"] == "Biology"
    assert "subject" not in read("1. Define osmosis.\n2. State Ohm's law.\n3. Define friction.\n4. Define mitosis.\n")


def test_a_draft_says_what_is_deduced_and_what_could_not_be_told() -> None:
    draft = draft_of(paper_of("1. Define osmosis.\n2. Why is the sky blue? (4 points)\n"), AnswerKey())
    first, second = draft["questions"]
    assert (first["knowledge_points"], first["autofilled"]) == (["osmosis"], ["difficulty", "knowledge_points"])
    assert (second["knowledge_points"], second["autofilled"]) == ([], ["difficulty"])
    assert (first["score"], first["answer"], second["score"]) == (None, None, 4.0)
    codes = {warning["code"] for warning in draft["warnings"]}
    assert {"answer_not_stated", "score_not_stated", "knowledge_points_unknown"} <= codes
    assert draft["autofilled"] == sorted(draft["requirements"])


def test_a_rule_for_difficulty_that_anyone_can_follow() -> None:
    words = "Read this carefully and then read it again. " * 10
    text = (
        "1. Pick one. (2 points)\nA. red  B. blue\n2. Explain it. (2 points)\n"
        f"3. {words}Explain it all. (9 points)\n4. Write an essay of 300 words about spring. (2 points)\n"
    )
    levels = [question["difficulty"] for question in draft_of(paper_of(text), AnswerKey())["questions"]]
    assert levels == ["basic", "medium", "challenge", "advanced"]


def test_a_key_in_a_file_of_its_own_answers_what_is_open() -> None:
    paper = paper_of("1. What is 2 + 2?\n2. What is 3 + 3? Answer: 6\n")
    key = AnswerKey(
        entries=[
            KeyEntry(question_id="Q1", answer="4", max_score=2.0),
            KeyEntry(question_id="Q2", answer="7"),
            KeyEntry(question_id="Q9", answer="A"),
        ]
    )
    draft = draft_of(paper, key)
    first, second = draft["questions"]
    assert (first["answer"], first["score"]) == ("4", 2.0)
    assert (second["answer"], second["confidence"]) == ("6", 0.5)  # the document's own stays, and is in doubt
    codes = [(warning["code"], warning["question_id"]) for warning in draft["warnings"]]
    assert ("answers_differ", "Q2") in codes
    assert ("key_without_question", None) in codes
