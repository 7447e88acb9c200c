"""Score sheets in the layouts that schools use, with the marks that a perfect reader finds in them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

Value = str | float | int | None
Rows = list[list[Value]]
Merge = tuple[int, int, int, int]  # top, left, bottom, right

NAMES = {
    "en": ("Alice Martin", "Ben O'Neill", "Carla Gomez", "David Chen", "Emma Novak", "Farid Khan", "Grace Lee", "Hugo Smith", "Ines Costa",
           "Jack Brown", "Kira Popov", "Liam Murphy"),
    "zh": ("张伟", "王芳", "李娜", "刘洋", "陈静", "杨帆", "赵敏", "黄磊", "周杰", "吴倩", "徐强", "孙丽"),
}  # fmt: skip
OUT_OF = (3, 3, 4, 5, 5, 10)
SUBJECTS = {"en": ("Math", "English", "Physics"), "zh": ("语文", "数学", "英语")}


@dataclass(frozen=True)
class Sheet:
    name: str
    rows: Rows
    merges: tuple[Merge, ...] = ()


@dataclass
class Book:
    """A score file and its truth: student (id, else name) to question to mark."""

    name: str
    mode: str
    sheets: list[Sheet]
    truth: dict[str, dict[str, float | None]]
    totals: dict[str, float | None]
    maxima: dict[str, float] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    exempt: tuple[tuple[str, str], ...] = ()
    answers: dict[str, dict[str, str]] = field(default_factory=dict)
    flagged: bool = False  # a layout that a careful reader asks about


@dataclass
class Class:
    language: str
    names: tuple[str, ...]
    ids: tuple[str, ...]
    marks: list[list[int]]

    @property
    def totals(self) -> list[int]:
        return [sum(row) for row in self.marks]


def _class(language: str, seed: int, first: int = 0, count: int = 12) -> Class:
    dice = random.Random(seed)
    names = NAMES[language][first : first + count]
    ids = tuple(f"2024{seed % 10}{at:03}" for at in range(1 + first, len(names) + 1 + first))
    return Class(language, names, ids, [[dice.randint(0, most) for most in OUT_OF] for _ in names])


def _ids(number: int) -> list[str]:
    return [f"Q{at + 1}" for at in range(number)]


def _book(
    name: str,
    who: Class,
    rows: Rows,
    *,
    merges: tuple[Merge, ...] = (),
    keys: tuple[str, ...] | None = None,
    questions: list[str] | None = None,
) -> Book:
    keys = keys or who.ids
    questions = questions or _ids(len(OUT_OF))
    truth: dict[str, dict[str, float | None]] = {
        key: {question: float(mark) for question, mark in zip(questions, row, strict=True)}
        for key, row in zip(keys, who.marks, strict=True)
    }
    return Book(
        name, "question", [Sheet("Sheet1", rows, merges)], truth, dict(zip(keys, map(float, who.totals), strict=True))
    )


def plain(seed: int) -> Book:
    who = _class("en", seed)
    head: list[Value] = ["Student ID", "Name", *[f"Q{at}" for at in range(1, 7)], "Total"]
    return _book("plain", who, [head, *_body(who)])


def plain_zh(seed: int) -> Book:
    who = _class("zh", seed)
    head: list[Value] = ["序号", "学号", "姓名", *range(1, 7), "总分"]
    return _book("plain_zh", who, [head, *[[at, *row] for at, row in enumerate(_body(who), start=1)]])


def titled(seed: int) -> Book:
    who = _class("zh", seed)
    title: Value = "八年级（3）班期中考试成绩表"
    rows: Rows = [[title] + [None] * 8, ["考试日期：2024-11-05"] + [None] * 8, [None] * 9]
    head: list[Value] = ["考号", "姓名", *[f"第{at}题" for at in range(1, 7)], "合计"]
    return _book("titled", who, [*rows, head, *_body(who)], merges=((0, 0, 0, 8), (1, 0, 1, 8)))


def out_of_in_header(seed: int) -> Book:
    who = _class("en", seed)
    head: list[Value] = ["ID", "Student", *[f"Q{at} ({most})" for at, most in enumerate(OUT_OF, start=1)], "Total (30)"]
    book = _book("out_of_in_header", who, [head, *_body(who)])
    book.maxima = {f"Q{at}": float(most) for at, most in enumerate(OUT_OF, start=1)}
    return book


def out_of_row(seed: int) -> Book:
    who = _class("zh", seed)
    head: list[Value] = ["学号", "姓名", *range(1, 7), "总分"]
    book = _book("out_of_row", who, [head, ["满分", None, *OUT_OF, 30], *_body(who)])
    book.maxima = {f"Q{at}": float(most) for at, most in enumerate(OUT_OF, start=1)}
    return book


def two_rows(seed: int) -> Book:
    who = _class("zh", seed)
    head: list[Value] = ["学号", "姓名", "选择题", None, None, "解答题", None, None, "总分"]
    below: list[Value] = [None, None, 1, 2, 3, 4, 5, 6, None]
    merges = ((0, 2, 0, 4), (0, 5, 0, 7), (0, 0, 1, 0), (0, 1, 1, 1), (0, 8, 1, 8))
    return _book("two_rows", who, [head, below, *_body(who)], merges=merges)


def total_only(seed: int) -> Book:
    who = _class("en", seed)
    rows: Rows = [["No.", "Name", "Class", "Score", "Rank"]]
    rows += [
        [at, name, "8B", total, at] for at, (name, total) in enumerate(zip(who.names, who.totals, strict=True), start=1)
    ]
    truth: dict[str, dict[str, float | None]] = {
        name: {"TOTAL": float(total)} for name, total in zip(who.names, who.totals, strict=True)
    }
    return Book(
        "total_only",
        "total",
        [Sheet("Scores", rows)],
        truth,
        {name: float(t) for name, t in zip(who.names, who.totals, strict=True)},
    )


def subjects(seed: int) -> Book:
    who = _class("zh", seed)
    names = SUBJECTS["zh"]
    marks = [[row[0] * 20 + 30, row[1] * 20 + 25, row[2] * 15 + 30] for row in who.marks]
    rows: Rows = [["班级", "姓名", "学号", *names, "总分", "班级排名"]]
    rows += [
        ["八3班", name, key, *row, sum(row), at]
        for at, (name, key, row) in enumerate(zip(who.names, who.ids, marks, strict=True), start=1)
    ]
    truth: dict[str, dict[str, float | None]] = {
        key: {f"SUBJECT_{subject}": float(mark) for subject, mark in zip(names, row, strict=True)}
        for key, row in zip(who.ids, marks, strict=True)
    }
    return Book(
        "subjects",
        "subject",
        [Sheet("成绩", rows)],
        truth,
        {key: float(sum(row)) for key, row in zip(who.ids, marks, strict=True)},
    )


def transposed(seed: int) -> Book:
    who = _class("en", seed)
    rows: Rows = [["Name", *who.names], ["Student ID", *who.ids]]
    rows += [[f"Q{at + 1}", *[row[at] for row in who.marks]] for at in range(6)]
    return _book("transposed", who, [*rows, ["Total", *who.totals]])


def long_table(seed: int) -> Book:
    who = _class("en", seed)
    rows: Rows = [["Student ID", "Name", "Question", "Score"]]
    for key, name, row in zip(who.ids, who.names, who.marks, strict=True):
        rows += [[key, name, f"Q{at}", mark] for at, mark in enumerate(row, start=1)]
    book = _book("long_table", who, rows)
    book.totals = {}
    return book


def side_by_side(seed: int) -> Book:
    who = _class("zh", seed)
    rows: Rows = [["学号", "姓名", "成绩", "学号", "姓名", "成绩"]]
    half = len(who.names) // 2
    for at in range(half):
        rows.append(
            [
                who.ids[at],
                who.names[at],
                who.totals[at],
                who.ids[at + half],
                who.names[at + half],
                who.totals[at + half],
            ]
        )
    truth: dict[str, dict[str, float | None]] = {
        key: {"TOTAL": float(total)} for key, total in zip(who.ids, who.totals, strict=True)
    }
    return Book("side_by_side", "total", [Sheet("Sheet1", rows)], truth, {})


def with_footer(seed: int) -> Book:
    who = _class("en", seed)
    head: list[Value] = ["Candidate No.", "Full Name", *[f"Question {at}" for at in range(1, 7)], "Total Marks"]
    means = [round(sum(row[at] for row in who.marks) / len(who.marks), 2) for at in range(6)]
    feet: Rows = [
        ["Average", None, *means, round(sum(who.totals) / 12, 2)],
        ["Highest", None, *map(max, zip(*who.marks, strict=True)), max(who.totals)],
    ]
    return _book("with_footer", who, [head, *_body(who), *feet])


def absent_and_exempt(seed: int) -> Book:
    who = _class("zh", seed)
    head: list[Value] = ["学号", "姓名", *range(1, 7), "总分"]
    rows = _body(who)
    rows[3][2:] = ["缺考", None, None, None, None, None, "缺考"]
    rows[6][4] = "免考"
    rows[6][8] = sum(value for at, value in enumerate(who.marks[6]) if at != 2)
    book = _book("absent_and_exempt", who, [head, *rows])
    book.truth[who.ids[3]] = dict.fromkeys(_ids(6), None)
    book.truth[who.ids[6]]["Q3"] = None
    book.totals[who.ids[3]] = None
    book.totals[who.ids[6]] = float(str(rows[6][8]))
    book.absent, book.exempt = (who.ids[3],), ((who.ids[6], "Q3"),)
    return book


def with_parts(seed: int) -> Book:
    who = _class("zh", seed)
    head: list[Value] = ["准考证号", "姓名", "1", "2", "3(1)", "3(2)", "4(1)", "4(2)", "总分"]
    return _book("with_parts", who, [head, *_body(who)], questions=["Q1", "Q2", "Q3(1)", "Q3(2)", "Q4(1)", "Q4(2)"])


def lettered_parts(seed: int) -> Book:
    who = _class("en", seed)
    head: list[Value] = ["Last Name", "First Name", "Roll No", "1", "2", "3a", "3b", "4a", "4b", "Total", "Percentage"]
    rows: Rows = []
    for key, name, row in zip(who.ids, who.names, who.marks, strict=True):
        first, last = name.split(" ")
        rows.append([last, first, key, *row, sum(row), f"{sum(row) / 0.3:.0f}%"])
    return _book("lettered_parts", who, [head, *rows], questions=["Q1", "Q2", "Q3a", "Q3b", "Q4a", "Q4b"])


def two_classes(seed: int) -> Book:
    one, two = _class("zh", seed, 0, 6), _class("zh", seed + 1, 6, 6)
    head: list[Value] = ["学号", "姓名", *range(1, 7), "总分"]
    book = _book("two_classes", one, [head, *_body(one)])
    other = _book("two_classes", two, [head, *_body(two)])
    book.sheets = [Sheet("八1班", book.sheets[0].rows), Sheet("八2班", other.sheets[0].rows)]
    book.truth |= other.truth
    book.totals |= other.totals
    return book


def chosen_letters(seed: int) -> Book:
    who = _class("en", seed)
    dice = random.Random(seed)
    rows: Rows = [["Student ID", "Name", *[f"Q{at}" for at in range(1, 7)]]]
    answers = {key: {f"Q{at}": dice.choice(["A", "B", "C", "D", "AC"]) for at in range(1, 7)} for key in who.ids}
    rows += [[key, name, *answers[key].values()] for key, name in zip(who.ids, who.names, strict=True)]
    truth: dict[str, dict[str, float | None]] = {key: dict.fromkeys(_ids(6), None) for key in who.ids}
    return Book("chosen_letters", "question", [Sheet("Answers", rows)], truth, {}, answers=answers)


def unlabelled(seed: int) -> Book:
    who = _class("zh", seed)
    head: list[Value] = [None, *range(1, 7), "总分"]
    book = _book("unlabelled", who, [head, *[row[1:] for row in _body(who)]], keys=who.names)
    book.flagged = True
    return book


def _body(who: Class) -> Rows:
    return [[key, name, *row, sum(row)] for key, name, row in zip(who.ids, who.names, who.marks, strict=True)]


LAYOUTS: tuple[Callable[[int], Book], ...] = (
    plain, plain_zh, titled, out_of_in_header, out_of_row, two_rows, total_only, subjects, transposed, long_table, side_by_side, with_footer,
    absent_and_exempt, with_parts, lettered_parts, two_classes, chosen_letters, unlabelled,
)  # fmt: skip
