"""Score sheets as they are kept in staff rooms: notes above the header, totals in the middle, several ways to say absent."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.corpus.documents.sheets import Book, Merge, Rows, Sheet, Value
from tests.corpus.documents.writers import comma, workbook

PEOPLE = (("Abbott", "Zoe"), ("Bauer", "Felix"), ("Cruz", "Maria Elena"), ("Dubois", "Jean-Luc"), ("Eze", "Chidi"), ("Fischer", "Anna"),
          ("Gupta", "Ravi"), ("Haddad", "Leila"), ("Ito", "Kenji"), ("Jensen", "Oskar"))  # fmt: skip
ZH = ("欧阳娜娜", "林子涵", "马小云", "郭天宇", "何雨欣", "罗浩然", "梁思琪", "宋佳怡", "唐一鸣", "韩梅梅")
MOST = (2, 4, 6, 8, 10)
Made = tuple[str, bytes, Book]  # the file's name, its bytes, and the truth


@dataclass(frozen=True)
class Room:
    """A class with its marks; `None` is a mark that was not given."""

    ids: tuple[str, ...]
    marks: tuple[tuple[float | None, ...], ...]

    def total(self, at: int) -> float:
        return float(sum(mark or 0 for mark in self.marks[at]))


def room_of(seed: int, *, halves: bool = False, prefix: str = "S", most: Sequence[int] = MOST) -> Room:
    dice = random.Random(seed)
    steps = 2 if halves else 1
    marks = tuple(tuple(dice.randint(0, top * steps) / steps for top in most) for _ in PEOPLE)
    return Room(tuple(f"{prefix}{1000 + seed * 100 + 7 * at}" for at in range(len(PEOPLE))), marks)


def shown(value: float | None) -> Value:
    return None if value is None else int(value) if value == int(value) else value


def as_book(
    name: str,
    rows: Rows,
    keys: Sequence[str],
    room: Room,
    *,
    merges: tuple[Merge, ...] = (),
    maxima: Sequence[float] = (),
    more: tuple[Sheet, ...] = (),
) -> Book:
    truth = {
        key: {f"Q{at + 1}": mark for at, mark in enumerate(marks)} for key, marks in zip(keys, room.marks, strict=True)
    }
    totals: dict[str, float | None] = {key: room.total(at) for at, key in enumerate(keys)}
    return Book(
        name,
        "question",
        [Sheet("Sheet1", rows, merges), *more],
        truth,
        totals,
        {f"Q{at + 1}": float(most) for at, most in enumerate(maxima)},
    )


def two_headers() -> Made:
    """Merged groups over the questions, names in two columns, what each is out of in the lower row."""
    room = room_of(1)
    rows: Rows = [["Pupil", None, None, "Section A", None, None, "Section B", None, "Result"],
                  ["ID", "Surname", "First name", "Q1 (2)", "Q2 (4)", "Q3 (6)", "Q4 (8)", "Q5 (10)", "Total (30)"]]  # fmt: skip
    rows += [
        [room.ids[at], *PEOPLE[at], *map(shown, room.marks[at]), shown(room.total(at))] for at in range(len(PEOPLE))
    ]
    book = as_book("two_headers", rows, room.ids, room, merges=((0, 0, 0, 2), (0, 3, 0, 5), (0, 6, 0, 7)), maxima=MOST)
    return "markbook.xlsx", workbook(book), book


def total_in_the_middle() -> Made:
    """Names, then the total and the percentage, then the questions; averages at the end."""
    room = room_of(2)
    names = [f"{first} {last}" for last, first in PEOPLE]
    rows: Rows = [["Candidate", "Total", "%", "Grade", *(f"Question {at}" for at in range(1, 6))]]
    for at, name in enumerate(names):
        percent = round(room.total(at) / 30 * 100, 1)
        rows.append(
            [
                name,
                shown(room.total(at)),
                percent,
                "ABCDE"[min(4, int((100 - percent) // 20))],
                *map(shown, room.marks[at]),
            ]
        )
    rows += [
        ["Class average", 15.2, 50.7, None, 1.1, 2.2, 3.0, 4.1, 4.8],
        ["Highest", 28, 93.3, None, *MOST],
        ["Std. dev.", 4.4, None, None, 0.8, 1.1, 1.9, 2.2, 3.1],
    ]
    book = as_book("total_in_the_middle", rows, names, room)
    return "results.xlsx", workbook(book), book


def noted_zh() -> Made:
    """Three rows of notes above the header, a class column, 缺考 in words, a row of full marks below the header."""
    room = room_of(3, prefix="2024")
    rows: Rows = [["育才中学2023—2024学年第二学期期中考试成绩登记表", *[None] * 8], ["科目：数学", None, None, "任课教师：李老师", *[None] * 5],
                  ["注：缺考不计入平均分", *[None] * 8], ["班级", "学号", "姓名", "1", "2", "3", "4", "5", "总分"], ["满分", None, None, *MOST, 30]]  # fmt: skip
    for at, name in enumerate(ZH):
        rows.append(["七（2）班", room.ids[at], name, *map(shown, room.marks[at]), shown(room.total(at))])
    rows[5 + 4][3:] = ["缺考"] * 6
    rows += [["平均分", None, None, 1.0, 2.0, 3.1, 4.2, 5.1, 15.4], ["及格率", None, None, *["60%"] * 6]]
    book = as_book("noted_zh", rows, room.ids, room, merges=((0, 0, 0, 8),), maxima=MOST)
    who = room.ids[4]
    book.truth[who], book.totals[who], book.absent = {f"Q{at}": None for at in range(1, 6)}, None, (who,)
    return "成绩登记表.xlsx", workbook(book), book


def students_across() -> Made:
    """Students as columns, questions as rows, the total below."""
    room = room_of(4)
    names = [f"{first} {last[0]}." for last, first in PEOPLE]
    rows: Rows = [["Question", "Out of", *names]]
    rows += [[f"Q{at + 1}", MOST[at], *(shown(marks[at]) for marks in room.marks)] for at in range(5)]
    rows.append(["Total", 30, *(shown(room.total(at)) for at in range(len(names)))])
    book = as_book("students_across", rows, names, room, maxima=MOST)
    return "test4.csv", comma(book), book


def comma_decimals() -> Made:
    """A spreadsheet from the continent: semicolons, decimal commas, names as “Last, First”."""
    room = room_of(5, halves=True)
    names = [f"{last}, {first}" for last, first in PEOPLE]
    rows: Rows = [["No.", "Name", "Student ID", *(f"Q{at}" for at in range(1, 6)), "Total"]]
    for at, name in enumerate(names):
        marks = [str(shown(mark)).replace(".", ",") for mark in room.marks[at]]
        rows.append([at + 1, name, room.ids[at], *marks, str(shown(room.total(at))).replace(".", ",")])
    book = as_book("comma_decimals", rows, room.ids, room)
    return "noten.csv", comma(book, ";", "cp1252"), book


def utf16_tabs() -> Made:
    """“Unicode text”: UTF-16 with tabs; absences as abs, marks that are missing as dashes."""
    room = room_of(6)
    marks = [list(row) for row in room.marks]
    marks[3][2] = None
    room = Room(room.ids, tuple(map(tuple, marks)))
    rows: Rows = [["Student No", "Student Name", *(f"Q{at}" for at in range(1, 6)), "Total", "Remarks"]]
    for at, (last, first) in enumerate(PEOPLE):
        rows.append(
            [
                room.ids[at],
                f"{last} {first}",
                *("-" if mark is None else shown(mark) for mark in room.marks[at]),
                shown(room.total(at)),
                None,
            ]
        )
    rows[8][2:9] = ["abs", "abs", "abs", "abs", "abs", None, "ill, doctor's note"]
    book = as_book("utf16_tabs", rows, room.ids, room)
    who = room.ids[7]
    book.truth[who], book.totals[who], book.absent = {f"Q{at}": None for at in range(1, 6)}, None, (who,)
    return "export.csv", codecs.BOM_UTF16_LE + comma(book, "\t", "utf-16-le"), book


def numbers_as_text() -> Made:
    """Everything is text, with blanks around it, as copied from a web page; a BOM in front."""
    room = room_of(7)
    rows: Rows = [["  Student ID ", " Name ", *(f" Q{at} /{MOST[at - 1]} " for at in range(1, 6)), " Score /30 "]]
    for at, (last, first) in enumerate(PEOPLE):
        rows.append(
            [
                f" {room.ids[at]}",
                f"{first} {last} ",
                *(f" {shown(mark)} " for mark in room.marks[at]),
                f" {shown(room.total(at))} ",
            ]
        )
    book = as_book("numbers_as_text", rows, room.ids, room, maxima=MOST)
    return "copied.csv", codecs.BOM_UTF8 + comma(book), book


def second_sheet() -> Made:
    """The first sheet is an overview with a chart's numbers; the marks are on the second."""
    room = room_of(8)
    overview: Rows = [
        ["Overview", None],
        ["Number of students", 10],
        ["Mean", 15.1],
        ["Median", 14.5],
        ["Pass rate", "70%"],
    ]
    rows: Rows = [["ID", "Name", *(f"Task {at}" for at in range(1, 6)), "Sum"]]
    rows += [
        [room.ids[at], f"{first} {last}", *map(shown, room.marks[at]), shown(room.total(at))]
        for at, (last, first) in enumerate(PEOPLE)
    ]
    book = as_book("second_sheet", rows, room.ids, room)
    book.sheets = [Sheet("Overview", overview), Sheet("Marks", rows)]
    return "report.xlsx", workbook(book), book


def sections_zh() -> Made:
    """Two rows of header: the sections merged above, question numbers below with their marks, rank at the end."""
    room = room_of(9, prefix="0")
    rows: Rows = [["序号", "姓名", "考号", "一、选择题", None, None, "二、解答题", None, "总分", "名次"],
                  [None, None, None, "1题（2分）", "2题（4分）", "3题（6分）", "4题（8分）", "5题（10分）", None, None]]  # fmt: skip
    for at, name in enumerate(ZH):
        rank = 1 + sum(room.total(other) > room.total(at) for other in range(len(ZH)))
        rows.append([at + 1, name, room.ids[at], *map(shown, room.marks[at]), shown(room.total(at)), rank])
    merges = ((0, 0, 1, 0), (0, 1, 1, 1), (0, 2, 1, 2), (0, 3, 0, 5), (0, 6, 0, 7), (0, 8, 1, 8), (0, 9, 1, 9))
    book = as_book("sections_zh", rows, room.ids, room, merges=merges, maxima=MOST)
    return "小题分.xlsx", workbook(book), book


def totals_only() -> Made:
    """One mark each, with the percentage before it and a comment behind; a blank for who was away."""
    room = room_of(10)
    names = [f"{first} {last}" for last, first in PEOPLE]
    rows: Rows = [
        ["Essay marks, set 9B (out of 30)", None, None, None],
        [None] * 4,
        ["Name", "Percentage", "Mark", "Comment"],
    ]
    for at, name in enumerate(names):
        rows.append(
            [
                name,
                f"{room.total(at) / 30:.0%}",
                shown(room.total(at)),
                "Good work" if room.total(at) > 15 else "See me",
            ]
        )
    rows[5][1:] = [None, None, "absent"]
    totals: dict[str, float | None] = {name: room.total(at) for at, name in enumerate(names)}
    totals[names[2]] = None
    book = Book(
        "totals_only",
        "total",
        [Sheet("Sheet1", rows)],
        {name: {"TOTAL": total} for name, total in totals.items()},
        totals,
    )
    return "essay.xlsx", workbook(book), book


def subjects_zh() -> Made:
    """A class's subjects with ranks between them, the total and the average behind."""
    room = room_of(11, prefix="2023", most=(100, 100, 100))
    rows: Rows = [
        ["高一（3）班月考成绩", *[None] * 9],
        ["学号", "姓名", "语文", "语文排名", "数学", "数学排名", "英语", "英语排名", "总分", "平均分"],
    ]
    for at, name in enumerate(ZH):
        ranks = [
            1 + sum((other[subject] or 0) > (room.marks[at][subject] or 0) for other in room.marks)
            for subject in range(3)
        ]
        pairs = [value for mark, rank in zip(room.marks[at], ranks, strict=True) for value in (shown(mark), rank)]
        rows.append([room.ids[at], name, *pairs, shown(room.total(at)), round(room.total(at) / 3, 1)])
    names = ("SUBJECT_语文", "SUBJECT_数学", "SUBJECT_英语")
    truth = {who: dict(zip(names, room.marks[at], strict=True)) for at, who in enumerate(room.ids)}
    totals: dict[str, float | None] = {who: room.total(at) for at, who in enumerate(room.ids)}
    book = Book("subjects_zh", "subject", [Sheet("月考", rows, ((0, 0, 0, 9),))], truth, totals)
    return "月考.xlsx", workbook(book), book


UNSEEN_SHEETS: tuple[Callable[[], Made], ...] = (
    two_headers, total_in_the_middle, noted_zh, students_across, comma_decimals, utf16_tabs, numbers_as_text, second_sheet, sections_zh,
    totals_only, subjects_zh,
)  # fmt: skip
