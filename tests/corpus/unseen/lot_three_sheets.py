"""Score sheets of the third hand: see `lot_three`."""

from __future__ import annotations

import io
from collections.abc import Callable

import docx

from tests.corpus.documents.sheets import Book, Rows
from tests.corpus.documents.writers import comma, workbook
from tests.corpus.unseen.sheets import MOST, PEOPLE, ZH, Made, as_book, room_of, shown


def separator_line() -> Made:
    """sep=; in the first line, as spreadsheets write it for one another."""
    room = room_of(31, halves=True)
    rows: Rows = [["Student", "Candidate No.", *(f"Q{at}" for at in range(1, 6)), "Total"]]
    for at, (last, first) in enumerate(PEOPLE):
        rows.append(
            [
                f"{first} {last}",
                room.ids[at],
                *(str(shown(mark)).replace(".", ",") for mark in room.marks[at]),
                str(shown(room.total(at))).replace(".", ","),
            ]
        )
    book = as_book("separator_line", rows, room.ids, room)
    return "export.csv", b"sep=;\r\n" + comma(book, ";", "utf-8-sig"), book


def broken_headers() -> Made:
    """Line breaks within the header's cells, a blank column between the person and the marks, a retake's note in a cell."""
    room = room_of(32)
    rows: Rows = [
        [
            "Exam no.",
            "Learner\nname",
            None,
            *(f"Q{at}\n(max {most})" for at, most in enumerate(MOST, start=1)),
            "TOTAL\n(30)",
        ]
    ]
    rows += [
        [room.ids[at], f"{first} {last}", None, *map(shown, room.marks[at]), shown(room.total(at))]
        for at, (last, first) in enumerate(PEOPLE)
    ]
    book = as_book("broken_headers", rows, room.ids, room, maxima=MOST)
    return "exam.xlsx", workbook(book), book


def table_in_word() -> Made:
    """A table in a Word document, with a title above and a signature below."""
    room = room_of(33)
    document = docx.Document()
    document.add_heading("Results of the spring test", 1)
    table = document.add_table(rows=1, cols=8)
    for cell, text in zip(
        table.rows[0].cells, ("No", "Name", "Task 1", "Task 2", "Task 3", "Task 4", "Task 5", "Points"), strict=True
    ):
        cell.text = text
    names = [f"{first} {last}" for last, first in PEOPLE]
    for at, name in enumerate(names):
        for cell, value in zip(
            table.add_row().cells, (at + 1, name, *map(shown, room.marks[at]), shown(room.total(at))), strict=True
        ):
            cell.text = str(value)
    document.add_paragraph("Signed: __________________")
    stream = io.BytesIO()
    document.save(stream)
    return "results.docx", stream.getvalue(), as_book("table_in_word", [], names, room)


def exceptions_zh() -> Made:
    """Remarks among the marks: 缓考, 免考, 作弊, and a student who is listed twice with the same marks."""
    room = room_of(34, prefix="22")
    rows: Rows = [["学号", "姓名", "第1题", "第2题", "第3题", "第4题", "第5题", "总成绩", "备注"]]
    for at, name in enumerate(ZH):
        rows.append([room.ids[at], name, *map(shown, room.marks[at]), shown(room.total(at)), None])
    rows[2][2:8], rows[2][8] = [None] * 6, "缓考"
    rows[6][2:8] = ["免考"] * 6
    rows.append(list(rows[1]))
    book: Book = as_book("exceptions_zh", rows, room.ids, room)
    for at in (1, 5):
        who = room.ids[at]
        book.truth[who], book.totals[who] = {f"Q{number}": None for number in range(1, 6)}, None
    book.exempt = tuple((room.ids[5], f"Q{number}") for number in range(1, 6))
    return "成绩.xlsx", workbook(book), book


LOT_THREE_SHEETS: tuple[Callable[[], Made], ...] = (separator_line, broken_headers, table_in_word, exceptions_zh)
