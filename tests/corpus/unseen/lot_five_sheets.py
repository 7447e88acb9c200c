"""Score sheets of the fifth hand: a result sheet with percentages, one mark a line, a term's parts."""

from __future__ import annotations

from collections.abc import Callable

from tests.corpus.documents.sheets import Book, Rows, Sheet
from tests.corpus.documents.writers import comma, workbook
from tests.corpus.unseen.sheets import MOST, PEOPLE, ZH, Made, as_book, room_of, shown


def result_sheet() -> Made:
    """Roll No., %age and Pass or Fail; AB for who was absent; the signature of the teacher below."""
    room = room_of(41)
    rows: Rows = [["ST. MARY'S HIGH SCHOOL", *[None] * 9], ["Result Sheet - Class VIII B", *[None] * 9],
                  ["Roll No.", "Name of Student", *(f"Q{at}({most})" for at, most in enumerate(MOST, start=1)), "Total(30)", "%age", "Result"]]  # fmt: skip
    for at, (last, first) in enumerate(PEOPLE):
        share = room.total(at) / 30
        rows.append(
            [
                at + 1,
                f"{first} {last}",
                *map(shown, room.marks[at]),
                shown(room.total(at)),
                f"{share:.1%}",
                "Pass" if share > 0.4 else "Fail",
            ]
        )
    rows[5][2:] = ["AB"] * 6 + [None, "Absent"]
    rows += [[None] * 10, [None, "Class Teacher's Signature", *[None] * 8]]
    ids = [str(at + 1) for at in range(len(PEOPLE))]
    book = as_book("result_sheet", rows, ids, room, merges=((0, 0, 0, 9), (1, 0, 1, 9)), maxima=MOST)
    book.truth["3"], book.totals["3"], book.absent = {f"Q{at}": None for at in range(1, 6)}, None, ("3",)
    return "result.xlsx", workbook(book), book


def one_a_line() -> Made:
    """A mark in each line, as a database gives it."""
    room = room_of(42)
    rows: Rows = [["student_id", "student_name", "question", "score", "max_score"]]
    for at, (last, first) in enumerate(PEOPLE):
        rows += [
            [room.ids[at], f"{first} {last}", f"Q{number}", shown(mark), MOST[number - 1]]
            for number, mark in enumerate(room.marks[at], start=1)
        ]
    book = as_book("one_a_line", rows, room.ids, room)
    book.totals = {}
    return "scores_long.csv", comma(book), book


def term_zh() -> Made:
    """Only totals: 总评 behind the parts of a term would be a guess, so the sheet has one column of marks."""
    room = room_of(43, prefix="31")
    rows: Rows = [["七年级（1）班 数学期末成绩", None, None, None], ["座号", "姓名", "成绩", "等级"]]
    rows += [[at + 1, name, shown(room.total(at)), "ABCD"[at % 4]] for at, name in enumerate(ZH)]
    rows.append(["平均分", None, 15.3, None])
    totals: dict[str, float | None] = {name: room.total(at) for at, name in enumerate(ZH)}
    book = Book(
        "term_zh",
        "total",
        [Sheet("Sheet1", rows, ((0, 0, 0, 3),))],
        {name: {"TOTAL": total} for name, total in totals.items()},
        totals,
    )
    return "期末.xlsx", workbook(book), book


LOT_FIVE_SHEETS: tuple[Callable[[], Made], ...] = (result_sheet, one_a_line, term_zh)
