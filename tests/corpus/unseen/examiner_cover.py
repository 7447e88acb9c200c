"""What stands above the first question of an examiner's paper."""

from __future__ import annotations

from collections.abc import Callable

from tests.corpus.unseen.examiner_manners import Manner

RULES = {
    "en": (
        "1. Answer all questions.",
        "2. Write your answers in the spaces provided.",
        "3. Calculators are not allowed.",
    ),
    "zh": ("1. 答题前请将姓名、考号填写清楚。", "2. 请用黑色签字笔作答。", "3. 考试结束后，将试卷和答题卡一并交回。"),
}


def _english(manner: Manner) -> list[str]:
    title = (
        "Grade 9 Midterm Examination",
        "Unit 4 Test",
        "General Studies Final Exam 2024",
        "Year 10 Mock Paper 1",
        "Weekly Quiz 7",
        "End-of-Term Assessment",
    )[manner.variant]
    lines = {
        "bare": [title],
        "named": [title, "Name: ____________________    Date: ____________"],
        "school": ["Riverside High School", title, "Time: 60 minutes        Total: 100 points", "Name: ______________ Class: ______ Score: ______"],
        "rules": [title, "Time allowed: 1 hour 30 minutes", "Instructions:", *RULES["en"]],
        "table": [title, "Subject: General Science", "Maximum marks: 80", "Duration: 2 hours", "Answer all questions in the spaces provided."],
    }  # fmt: skip
    return lines[manner.cover]


def _chinese(manner: Manner) -> list[str]:
    title = (
        "2023-2024学年第一学期期末考试",
        "九年级综合测试题",
        "第三单元检测卷",
        "2024年初中学业水平模拟考试（一）",
        "八年级下册期中试卷",
        "课堂小测验",
    )[manner.variant]
    lines = {
        "bare": [title],
        "named": [title, "姓名：________ 班级：________ 得分：________"],
        "school": [
            "实验中学",
            title,
            "（考试时间：90分钟  满分：120分）",
            "学校：________ 班级：________ 姓名：________",
        ],
        "rules": [title, "注意事项：", *RULES["zh"]],
        "table": [title, "考试时间：100分钟", "满分：100分", "本试卷共4页，请在答题卡上作答。"],
    }
    return lines[manner.cover]


COVER: dict[str, Callable[[Manner], list[str]]] = {"en": _english, "zh": _chinese}
