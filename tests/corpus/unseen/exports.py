"""Score files as learning platforms, forms and marking machines write them."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from tests.corpus.documents.sheets import Book, Rows, Sheet
from tests.corpus.documents.writers import comma, workbook
from tests.corpus.unseen.sheets import MOST, PEOPLE, ZH, Made, as_book, room_of, shown


def course_platform() -> Made:
    """A course platform's grades: state and times between the person and the marks, /2.00 in the labels, an average at the end."""
    room = room_of(21)
    rows: Rows = [["Surname", "First name", "ID number", "Email address", "State", "Started on", "Completed", "Time taken", "Grade/30.00",
                   *(f"Q. {at} /{most:.2f}" for at, most in enumerate(MOST, start=1))]]  # fmt: skip
    for at, (last, first) in enumerate(PEOPLE):
        rows.append([last, first, room.ids[at], f"{first[0].lower()}{last.lower()}@school.example", "Finished", "3 May 2024 10:02 AM", f"3 May 2024 10:{31 + at} AM",
                     f"{29 + at} mins 12 secs", f"{room.total(at):.2f}", *(f"{mark:.2f}" for mark in room.marks[at])])  # fmt: skip
    rows.append(
        [
            "Overall average",
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            "15.20",
            *("1.10", "2.10", "3.20", "4.00", "4.80"),
        ]
    )
    book = as_book("course_platform", rows, room.ids, room, maxima=MOST)
    return "quiz-grades.csv", codecs.BOM_UTF8 + comma(book), book


def gradebook() -> Made:
    """A gradebook: assignments with long names and numbers behind them, a row “Points Possible” below the header."""
    room = room_of(22)
    names = [f"{last}, {first}" for last, first in PEOPLE]
    rows: Rows = [["Student", "ID", "SIS Login ID", "Section", *(f"Q{at} ({91200 + at})" for at in range(1, 6)), "Final Score"],
                  ["    Points Possible", None, None, None, *MOST, "(read only)"]]  # fmt: skip
    rows += [
        [name, room.ids[at], f"user{at}", "Grade 8 B", *map(shown, room.marks[at]), shown(room.total(at))]
        for at, name in enumerate(names)
    ]
    book = as_book("gradebook", rows, room.ids, room, maxima=MOST)
    return "gradebook.csv", comma(book), book


def form_answers() -> Made:
    """A form's answers: time, address, the score as a fraction, each question's text over its marks."""
    room = room_of(23)
    names = [f"{first} {last}" for last, first in PEOPLE]
    texts = (
        "Which planet is largest?",
        "Name two gases",
        "Explain photosynthesis",
        "Solve 2x = 8",
        "Describe the water cycle",
    )
    rows: Rows = [
        [
            "Timestamp",
            "Email Address",
            "Score",
            "Full name",
            *(f"{at}. {text} [Score]" for at, text in enumerate(texts, start=1)),
        ]
    ]
    for at, name in enumerate(names):
        rows.append([f"2024/05/03 10:{at:02}:11 AM", f"p{at}@school.example", f"{shown(room.total(at))} / 30", name,
                     *(f"{mark:.2f} / {most}" for mark, most in zip(room.marks[at], MOST, strict=True))])  # fmt: skip
    book = as_book("form_answers", rows, names, room, maxima=MOST)
    return "Form responses.csv", comma(book), book


def marking_machine_zh() -> Made:
    """What a Chinese marking service gives: notes above, objective and subjective totals, a column for each question, ranks."""
    room = room_of(24, prefix="1030")
    rows: Rows = [
        ["2024年5月联考数学小题得分明细", *[None] * 12],
        ["班级", "考号", "姓名", "总分", "校次", "班次", "客观题", "主观题", "1", "2", "3", "4", "5"],
    ]
    for at, name in enumerate(ZH):
        marks = room.marks[at]
        rank = 1 + sum(room.total(other) > room.total(at) for other in range(len(ZH)))
        objective = sum(mark or 0 for mark in marks[:2])
        rows.append(
            [
                "八年级3班",
                room.ids[at],
                name,
                shown(room.total(at)),
                rank * 3,
                rank,
                shown(objective),
                shown(room.total(at) - objective),
                *map(shown, marks),
            ]
        )
    book = as_book("marking_machine_zh", rows, room.ids, room, merges=((0, 0, 0, 12),))
    return "小题得分.xlsx", workbook(book), book


def classes_below() -> Made:
    """Two classes in one sheet, each with its title and header, an empty line and averages between them."""
    room = room_of(25)
    rows: Rows = []
    for title, group in (("Class 7A", range(5)), ("Class 7B", range(5, 10))):
        rows += [[title, *[None] * 7], ["No.", "Name", *(f"Q{at}" for at in range(1, 6)), "Total"]]
        for at in group:
            last, first = PEOPLE[at]
            rows.append([at % 5 + 1, f"{first} {last}", *map(shown, room.marks[at]), shown(room.total(at))])
        rows += [["Average", None, 1.0, 2.0, 3.0, 4.0, 5.0, 15.0], [None] * 8]
    names = [f"{first} {last}" for last, first in PEOPLE]
    book = as_book("classes_below", rows, names, room)
    return "both classes.xlsx", workbook(book), book


def percentages() -> Made:
    """Only percentages and a grade; what the paper is out of stands in a note below."""
    room = room_of(26)
    names = [f"{first} {last}" for last, first in PEOPLE]
    rows: Rows = [["Student", "Final %", "Grade"]]
    rows += [[name, f"{round(room.total(at) / 30 * 100)}%", "BCDE"[at % 4]] for at, name in enumerate(names)]
    rows += [[None] * 3, ["Note: the paper was out of 30.", None, None]]
    marks: dict[str, float | None] = {name: float(round(room.total(at) / 30 * 100)) for at, name in enumerate(names)}
    book = Book(
        "percentages", "total", [Sheet("Sheet1", rows)], {name: {"TOTAL": mark} for name, mark in marks.items()}, marks
    )
    return "final.csv", comma(book), book


def with_parts() -> Made:
    """Columns for parts as 1a, 1b, 2, 3a, 3b with an email address and a section; a blank line before the class's mean."""
    room = room_of(12)
    labels = ("Q1a", "Q1b", "Q2", "Q3a", "Q3b")
    rows: Rows = [
        [
            "First Name",
            "Last Name",
            "SID",
            "Email",
            "Sections",
            *(f"{label[1:]} ({most} pts)" for label, most in zip(labels, MOST, strict=True)),
            "Total Score",
            "Max Points",
        ]
    ]
    for at, (last, first) in enumerate(PEOPLE):
        rows.append(
            [
                first,
                last,
                room.ids[at],
                f"{last.lower()}@school.example",
                "Tue",
                *map(shown, room.marks[at]),
                shown(room.total(at)),
                30,
            ]
        )
    rows += [[None] * 12, [None, None, None, None, "Mean", 1.0, 2.1, 3.0, 4.4, 5.0, 15.5, 30]]
    truth = {who: dict(zip(labels, room.marks[at], strict=True)) for at, who in enumerate(room.ids)}
    totals: dict[str, float | None] = {who: room.total(at) for at, who in enumerate(room.ids)}
    book = Book(
        "with_parts",
        "question",
        [Sheet("Sheet1", rows)],
        truth,
        totals,
        dict(zip(labels, map(float, MOST), strict=True)),
    )
    return "scores.csv", comma(book), book


EXPORTS: tuple[Callable[[], Made], ...] = (
    course_platform,
    gradebook,
    form_answers,
    marking_machine_zh,
    classes_below,
    percentages,
    with_parts,
)
