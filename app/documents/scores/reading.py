"""A table read by one plan: its students, their marks, and how much of it made sense."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from app.documents.scores.columns import Columns
from app.documents.scores.labels import FOOTER, KEY_ROW, MAX_ROW, label_of
from app.documents.scores.marks import NOT_THERE, Reading, read_mark
from app.documents.tables.table import cell_text
from app.documents.values import Notice, Student

MAX_ROW_DEPTH = 4
LEAD_CELLS = 4
MOST = 1_000
ROUNDING = 0.01


@dataclass(slots=True)
class Read:
    plan: Columns
    students: list[Student] = field(default_factory=list)
    cells: int = 0  # under questions, beside students
    understood: int = 0
    odd: list[str] = field(default_factory=list)
    beyond: int = 0  # marks above what the question is out of, or below nothing
    sums: tuple[int, int] = (0, 0)  # totals that are the sum of the marks, and all that could be
    warnings: list[Notice] = field(default_factory=list)
    answers: int = 0
    rows: list[int] = field(default_factory=list)  # those of students

    @property
    def coverage(self) -> float:
        return self.understood / self.cells if self.cells else 0.0

    def warn(self, code: str, detail: str) -> None:
        table = self.plan.table
        self.warnings.append(Notice(code=code, detail=detail, file=table.file, page=table.page))


def read_table(plan: Columns) -> Read:
    read = Read(plan)
    _take_maxima(plan)
    header = [cell_text(cell) for cell in plan.table.rows[plan.header_row]]
    for row in range(plan.body, len(plan.table.rows)):
        cells = [cell_text(cell) for cell in plan.table.rows[row]]
        if _is_footer(plan, cells) or cells == header or _is_key_or_maxima(cells):
            continue
        if plan.layout == "long":
            _long_row(read, row)
        else:
            _wide_row(read, row)
    _tell_letters_from_absence(read)
    return read


def _tell_letters_from_absence(read: Read) -> None:
    """A from end to end, among marks: the student was not there. A letter that stands alone among marks is odd."""
    marks = sum(mark is not None for student in read.students for mark in student.scores.values())
    if read.answers * 2 > marks:
        return  # a sheet of answers
    for student in read.students:
        none = all(mark is None for mark in student.scores.values())
        if student.answers and none and set(student.answers.values()) == {"A"} and student.total is None:
            student.answers, student.absent = {}, True
        elif student.answers:
            read.understood -= len(student.answers)
            read.odd += [f"{question}: {answer}" for question, answer in student.answers.items()]


def _is_key_or_maxima(cells: list[str]) -> bool:
    return any(MAX_ROW.match(cell) or KEY_ROW.match(cell) for cell in cells[:LEAD_CELLS])


def _take_maxima(plan: Columns) -> None:
    """A row "out of" below the header, or a line of numbers between the header and it."""
    for row in range(max(0, plan.header_row - 1), min(plan.body + MAX_ROW_DEPTH, len(plan.table.rows))):
        cells = plan.table.rows[row]
        if not any(MAX_ROW.match(cell_text(cell)) for cell in cells[:LEAD_CELLS]):
            continue
        for at, name in plan.scored.items():
            reading = read_mark(cells[at])
            if reading.mark is not None and 0 < reading.mark <= MOST:
                plan.maxima[name] = reading.mark


def _is_footer(plan: Columns, cells: list[str]) -> bool:
    lead = [cells[at] for at in (*plan.ids, *plan.names)] + cells[:2]
    return any(FOOTER.match(cell) for cell in lead if cell)


def _person(plan: Columns, row: int) -> tuple[str | None, str | None, str | None]:
    cells = plan.table.rows[row]
    student_id = next((text for at in plan.ids if (text := cell_text(cells[at]))), None)
    names = [text for at in plan.names if (text := cell_text(cells[at]))]
    chinese = any(re.match(r"[\u4e00-\u9fff]", name) for name in names)
    name = ("" if chinese else " ").join(dict.fromkeys(names)) or None
    class_name = next((text for at in plan.classes if (text := cell_text(cells[at]))), None)
    return student_id, name, class_name


def _wide_row(read: Read, row: int) -> None:
    plan = read.plan
    student_id, name, class_name = _person(plan, row)
    if student_id is None and name is None:
        return
    cells = plan.table.rows[row]
    student = Student(student_id=student_id, name=name, class_name=class_name)
    kinds = []
    for at, question in plan.scored.items():
        reading = read_mark(cells[at])
        kinds.append(reading.kind)
        _take(read, student, question, reading, cell_text(cells[at]))
    total = read_mark(cells[plan.total]) if plan.total is not None else Reading("empty")
    if total.kind == "mark":
        student.total = total.mark
        _compare_sum(read, student)
    absent_total = total.kind == "absent"
    no_marks = all(score is None for score in student.scores.values()) and not student.answers
    nowhere = bool(student.exempt) and all(
        kind == "empty" or NOT_THERE.match(cell_text(cells[at])) for kind, at in zip(kinds, plan.scored, strict=True)
    )
    nowhere = nowhere and total.kind in {"empty", "exempt"}
    if nowhere:
        student.exempt = []
    student.absent = no_marks and (absent_total or nowhere or "absent" in kinds)
    if student.absent:
        missing = sum(kind in {"empty", "odd"} for kind in kinds)
        read.understood += missing  # an absent student's empty cells are as they should be
    if no_marks and not student.absent and not student.exempt and student.total is None:
        if all(kind == "empty" for kind in kinds):
            read.cells -= len(kinds)
            read.warn("student_without_marks", f"{name or student_id} has no marks.")
        else:
            read.odd.append(name or student_id or "")
    read.students.append(student)
    read.rows.append(row)


def _take(read: Read, student: Student, question: str, reading: Reading, text: str) -> None:
    read.cells += 1
    student.scores[question] = None
    if reading.kind == "mark" and reading.mark is not None:
        read.understood += 1
        student.scores[question] = reading.mark
        if reading.out_of is not None:
            read.plan.maxima.setdefault(question, reading.out_of)
        most = read.plan.maxima.get(question, float(MOST))
        read.beyond += not 0 <= reading.mark <= most
    elif reading.kind == "answer" and reading.answer is not None:
        read.understood += 1
        read.answers += 1
        student.answers[question] = reading.answer
    elif reading.kind == "exempt":
        read.understood += 1
        student.exempt.append(question)
    elif reading.kind == "absent":
        read.understood += 1
    elif reading.kind == "odd":
        read.odd.append(text[:20])


def _compare_sum(read: Read, student: Student) -> None:
    """A mark that was overlooked or misread shows in the sum."""
    marks = [mark for mark in student.scores.values() if mark is not None]
    if read.plan.mode == "total" or student.answers or len(student.scores) < 2:  # noqa: PLR2004 - no sum of one
        return
    agree, compared = read.sums
    assert student.total is not None
    agrees = abs(sum(marks) - student.total) < ROUNDING
    read.sums = (agree + agrees, compared + 1)
    if not agrees:
        read.warn("total_differs", f"{student.name or student.student_id}: the total is not the sum of the marks.")


def _long_row(read: Read, row: int) -> None:
    plan = read.plan
    assert plan.mark is not None
    student_id, name, class_name = _person(plan, row)
    cells = plan.table.rows[row]
    if student_id is None and name is None:
        return
    if plan.item is not None:
        label = label_of(cell_text(cells[plan.item]))
        bracket = f"({label.bracket})" if label.bracket else label.part
        question = f"Q{label.number}{bracket}" if label.role == "question" else "TOTAL" if label.role == "total" else ""
    else:
        assert plan.topic is not None
        topic = cell_text(cells[plan.topic])
        question = "TOTAL" if label_of(topic).role == "total" else f"SUBJECT_{topic}" if topic else ""
    if not question:
        read.cells += 1
        read.odd.append(cell_text(cells[plan.item if plan.item is not None else plan.mark])[:20])
        return
    student = next(
        (known for known in reversed(read.students) if (known.student_id, known.name) == (student_id, name)), None
    )
    if student is None:
        student = Student(student_id=student_id, name=name, class_name=class_name)
        read.students.append(student)
    reading = read_mark(cells[plan.mark])
    if question == "TOTAL":
        student.total = reading.mark
        return
    plan.scored.setdefault(-1 - len(plan.scored), question) if question not in plan.scored.values() else None
    if (
        student.scores.get(question) is not None
        and reading.mark is not None
        and reading.mark != student.scores[question]
    ):
        read.warn("duplicate_mark", f"{name or student_id} has two marks for {question}; the higher one is kept.")
        reading = Reading("mark", max(reading.mark, student.scores[question] or 0.0))
    _take(read, student, question, reading, cell_text(cells[plan.mark]))
    student.absent = reading.kind == "absent" and all(score is None for score in student.scores.values())
