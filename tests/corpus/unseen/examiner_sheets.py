"""An examiner's score sheets: labels, titles, totals, absences, footers and files crossed with one another, from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.corpus.documents.sheets import Book, Merge, Rows, Sheet, Value
from tests.corpus.documents.writers import comma, workbook

NAMES = {
    "en": ("Olivia Turner", "Noah Patel", "Sofia Rossi", "Ethan Wright", "Mia O'Connor", "Lucas Meyer", "Aisha Bello", "Leo Tanaka", "Chloe Martin", "Omar Farouk",
           "Isla McDonald", "Ryan Lee"),
    "zh": ("李明", "王小红", "张建国", "赵丽颖", "陈思远", "刘芳", "孙浩", "周婷婷", "吴磊", "郑爽", "诸葛亮亮", "冯雪"),
}  # fmt: skip
LABELS = {
    "en": ("Q{}", "Q{}", "Question {}", "{}", "Q {}", "Q.{}", "Item {}", "Problem {}"),
    "zh": ("第{}题", "{}", "Q{}", "题{}", "T{}", "{}题", "第{}小题"),
}
OUT_OF = {
    "en": ("{} ({})", "{} /{}", "{} [{} pts]", "{} ({} marks)", "{} (max {})", "{}\n({})"),
    "zh": ("{}（{}分）", "{}({}分)", "{}/{}分", "{}\n({}分)", "{}（满分{}）"),
}
IDS = {
    "en": ("Student ID", "ID", "Student No.", "Candidate Number", "Roll Number", "StudentID", "student_id", "Index No"),
    "zh": ("学号", "考号", "准考证号", "学生编号", "考生号", "学籍号"),
}
WHO = {
    "en": ("Name", "Student Name", "Student", "Full Name", "name", "Pupil"),
    "zh": ("姓名", "学生姓名", "名字", "考生姓名"),
}
TOTALS = {"en": ("Total", "Total Score", "TOTAL", "Total Marks", "Sum", "Final Score"), "zh": ("总分", "合计", "总成绩", "总得分", "卷面总分")}  # fmt: skip
SCORES = {
    "en": ("Score", "Mark", "Marks", "Grade", "Points", "Result"),
    "zh": ("成绩", "得分", "分数", "总分", "考试成绩"),
}
SUBJECTS = {
    "en": ("Mathematics", "English", "Science", "History", "Geography", "Physics", "Chemistry"),
    "zh": ("语文", "数学", "英语", "物理", "化学", "历史", "道德与法治"),
}
ABSENT = {"en": ("Absent", "ABS", "absent", "A", "AB", "N/A"), "zh": ("缺考", "缺", "缺席", "未考")}
EXEMPT = {"en": ("Exempt", "EX", "exempt", "Excused"), "zh": ("免考", "免", "免试")}
TITLES = {
    "en": ("Class 9B Midterm Results", "Physics Test - Mark Sheet", "Score Report: Unit 3 (June 2024)"),
    "zh": ("九年级（2）班期末考试成绩表", "2023-2024学年第二学期数学成绩", "月考成绩统计表"),
}
NOTES = {"en": ("Teacher: Ms. Alvarez", "Date: 12/06/2024"), "zh": ("任课教师：王老师", "考试日期：2024年6月12日")}
FEET = {
    "en": (
        ("Average", "Highest", "Lowest"),
        ("Mean", "Max", "Min"),
        ("Class Average",),
        ("AVERAGE", "STDEV"),
        ("Pass rate",),
    ),
    "zh": (("平均分", "最高分", "最低分"), ("班级平均",), ("平均", "及格率"), ("均分", "优秀率")),
}
FULL = {"en": ("Max", "Max Score", "Full marks", "Out of", "Maximum", "Possible"), "zh": ("满分", "分值", "总分值", "题目满分")}  # fmt: skip
MOST = ((5, 5, 10, 10, 20), (2, 2, 2, 4, 4, 6), (3, 3, 3, 3, 8, 10, 10), (10, 15, 25), (4, 6, 8, 12), (2,) * 10)


@dataclass
class Columns:
    """The sheet in its making: a label and a value for each student, column by column."""

    labels: list[list[Value]] = field(default_factory=list)  # one or two rows of header
    values: list[list[Value]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)  # person, mark, total, other

    def add(self, kind: str, label: Value, values: list[Value], over: Value = None) -> None:
        self.kinds.append(kind)
        self.labels.append([over, label])
        self.values.append(values)


def sheet_of(seed: int) -> tuple[str, bytes, Book]:
    dice = random.Random(f"an examiner's sheet {seed}")
    language = dice.choice(("en", "zh"))
    mode = dice.choice(("question", "question", "question", "total", "subject"))
    names = list(NAMES[language][: dice.randint(6, 12)])
    start = dice.choice((20240001, 1001, 101, 20231101))
    known = mode == "question" or dice.random() < 0.75
    prefix = dice.choice(("", "", "S"))
    ids = [f"{prefix}{start + at}" for at in range(len(names))]
    most = dice.choice(MOST) if mode == "question" else (100,) * (1 if mode == "total" else dice.randint(3, 5))
    halves = dice.random() < 0.25
    marks: list[list[float | None]] = [
        [dice.randint(0, top * 2) / 2 if halves else float(dice.randint(0, top)) for top in most] for _ in names
    ]
    keys = ids if known else names
    questions = _questions(dice, language, mode, most)
    book = Book(f"examiner-{seed}", mode, [], {}, {})
    absent, exempt = _missing(dice, marks, known=known, mode=mode)
    for at, key in enumerate(keys):
        book.truth[key] = dict(zip(questions, marks[at], strict=True))
    columns = _columns(
        dice,
        language,
        mode,
        names=names,
        ids=ids if known else None,
        marks=marks,
        most=most,
        book=book,
        absent=absent,
        exempt=exempt,
    )
    rows, merges = _rows(dice, language, columns=columns, most=most, mode=mode, book=book)
    book.absent = (ids[absent],) if absent is not None else ()
    book.exempt = ((ids[exempt[0]], questions[exempt[1]]),) if exempt else ()
    if mode == "subject":
        book.truth = {key: {f"SUBJECT_{name}": mark for name, mark in book.truth[key].items()} for key in keys}
        book.maxima = {f"SUBJECT_{name}": value for name, value in book.maxima.items()}
    book.sheets = [Sheet(dice.choice(("Sheet1", "成绩", "Marks")), rows, merges)]
    form = dice.choice(("xlsx", "xlsx", "csv", "csv", "tsv"))
    if form == "xlsx":
        return f"scores-{seed}.xlsx", workbook(book), book
    encoding = dice.choice(("utf-8", "utf-8-sig", "gb18030" if language == "zh" else "cp1252"))
    return f"scores-{seed}.csv", comma(book, "\t" if form == "tsv" else dice.choice((",", ",", ";")), encoding), book


def _questions(dice: random.Random, language: str, mode: str, most: tuple[int, ...]) -> list[str]:
    if mode == "total":
        return ["TOTAL"]
    if mode == "subject":
        return list(dice.sample(SUBJECTS[language], len(most)))
    return [f"Q{at}" for at in range(1, len(most) + 1)]


def _missing(
    dice: random.Random, marks: list[list[float | None]], *, known: bool, mode: str
) -> tuple[int | None, tuple[int, int] | None]:
    """Who was away, and who need not answer what: their marks are taken out."""
    absent = dice.randrange(len(marks)) if known and dice.random() < 0.45 else None
    exempt = None
    if mode == "question" and dice.random() < 0.25:
        exempt = ((1 if absent is None else absent + 1) % len(marks), dice.randrange(len(marks[0])))
        marks[exempt[0]][exempt[1]] = None
    if absent is not None:
        marks[absent] = [None] * len(marks[absent])
    return absent, exempt


def _columns(  # noqa: C901 - column by column
    dice: random.Random, language: str, mode: str, *, names: list[str], ids: list[str] | None, marks: list[list[float | None]],
    most: tuple[int, ...], book: Book, absent: int | None, exempt: tuple[int, int] | None,
) -> Columns:  # fmt: skip
    columns = Columns()
    away, excused = dice.choice(ABSENT[language]), dice.choice(EXEMPT[language])
    totals: list[float | None] = [
        None if at == absent else float(sum(mark or 0 for mark in row)) for at, row in enumerate(marks)
    ]
    keys = ids or names
    if dice.random() < 0.3:
        columns.add("person", "No." if language == "en" else "序号", list(range(1, len(names) + 1)))
    if dice.random() < 0.25:
        columns.add(
            "person", "Class" if language == "en" else "班级", ["9B" if language == "en" else "九（2）班"] * len(names)
        )
    people: list[tuple[Value, list[Value]]] = [(dice.choice(WHO[language]), list(names))]
    if language == "en" and dice.random() < 0.2 and ids:
        people = [
            ("First Name", [name.split(" ", 1)[0] for name in names]),
            ("Last Name", [name.split(" ", 1)[1] for name in names]),
        ]
    counted = dice.random() < 0.5
    if ids:
        numbers: list[Value] = [int(one) if one.isdigit() and counted else one for one in ids]
        people.insert(dice.choice((0, 0, len(people))), (dice.choice(IDS[language]), numbers))
    for label, values in people:
        columns.add("person", label, values)
    if dice.random() < 0.15:
        columns.add(
            "person",
            "Gender" if language == "en" else "性别",
            [
                ("M" if language == "en" else "男") if at % 2 else ("F" if language == "en" else "女")
                for at in range(len(names))
            ],
        )
    total = mode != "total" and dice.random() < 0.75
    early = total and dice.random() < 0.15
    label = dice.choice(TOTALS[language])
    shown: list[Value] = [
        away if at == absent and dice.random() < 0.3 else _shown(value) for at, value in enumerate(totals)
    ]
    if early:
        columns.add("total", label, shown)
    _mark_columns(
        dice,
        language,
        mode,
        columns=columns,
        marks=marks,
        most=most,
        book=book,
        absent=(absent, away),
        exempt=(exempt, excused),
    )
    if total and not early:
        columns.add("total", label, shown)
    if dice.random() < 0.3:
        ranks: list[Value] = [
            None if value is None else 1 + sum((other or 0) > value for other in totals) for value in totals
        ]
        columns.add("other", "Rank" if language == "en" else dice.choice(("名次", "排名", "班级排名")), ranks)
    if dice.random() < 0.2:
        columns.add("other", "Remarks" if language == "en" else "备注", [None] * len(names))
    if mode == "total" or total:
        book.totals = {key: totals[at] for at, key in enumerate(keys)}
    return columns


def _mark_columns(
    dice: random.Random, language: str, mode: str, *, columns: Columns, marks: list[list[float | None]], most: tuple[int, ...], book: Book,
    absent: tuple[int | None, str], exempt: tuple[tuple[int, int] | None, str],
) -> None:  # fmt: skip
    names = list(next(iter(book.truth.values())))
    form, out = dice.choice(LABELS[language]), dice.choice(OUT_OF[language])
    told = dice.random() < 0.35 and mode != "total"
    everywhere = dice.random() < 0.6
    groups = mode == "question" and len(most) > 3 and dice.random() < 0.2
    half = len(names) // 2
    for at, name in enumerate(names):
        label: Value = (
            form.replace("{}", str(at + 1))
            if mode == "question"
            else name
            if mode == "subject"
            else dice.choice(SCORES[language])
        )
        if told:
            label = out.replace("{}", str(label), 1).replace("{}", str(most[at]), 1)
            book.maxima[name] = float(most[at])
        elif label == str(at + 1) and dice.random() < 0.5:
            label = at + 1
        values: list[Value] = [_shown(row[at]) for row in marks]
        if absent[0] is not None:
            values[absent[0]] = absent[1] if everywhere or not at else None
        if exempt[0] and exempt[0][1] == at and exempt[0][0] != absent[0]:
            values[exempt[0][0]] = exempt[1]
        over: Value = None
        if groups and at in {0, half}:
            over = (("Section A", "Section B") if language == "en" else ("选择题", "解答题"))[at == half]
        columns.add("mark", label, values, over)


def _rows(  # noqa: C901 - from top to bottom
    dice: random.Random, language: str, *, columns: Columns, most: tuple[int, ...], mode: str, book: Book
) -> tuple[Rows, tuple[Merge, ...]]:
    width = len(columns.kinds)
    merges: list[Merge] = []
    rows: Rows = []
    if dice.random() < 0.4:
        rows.append([dice.choice(TITLES[language]), *[None] * (width - 1)])
        merges.append((0, 0, 0, width - 1))
        if dice.random() < 0.5:
            rows.append(
                [NOTES[language][0], *[None] * (width - 2), NOTES[language][1]] if width > 2 else [*NOTES[language]]
            )
        if dice.random() < 0.3:
            rows.append([None] * width)
    if any(over for over, _ in columns.labels):
        rows.append([over for over, _ in columns.labels])
        starts = [at for at, (over, _) in enumerate(columns.labels) if over]
        last = max(at for at, kind in enumerate(columns.kinds) if kind == "mark")
        for start, end in zip(starts, [*(at - 1 for at in starts[1:]), last], strict=True):
            merges.append((len(rows) - 1, start, len(rows) - 1, end))
    rows.append([label for _, label in columns.labels])
    if not book.maxima and mode == "question" and dice.random() < 0.25:
        values = iter(most)
        first = dice.choice(FULL[language])
        rows.append(
            [
                first if not at else next(values) if kind == "mark" else sum(most) if kind == "total" else None
                for at, kind in enumerate(columns.kinds)
            ]
        )
        book.maxima = {f"Q{at}": float(top) for at, top in enumerate(most, start=1)}
    body = [list(row) for row in zip(*columns.values, strict=True)]
    if dice.random() < 0.12 and book.mode != "total":
        body.append(list(body[0]))
    rows += body
    if dice.random() < 0.4:
        if dice.random() < 0.4:
            rows.append([None] * width)
        for foot in dice.choice(FEET[language]):
            rows.append(
                [
                    foot if not at else round(dice.uniform(1, 9), 1) if kind in {"mark", "total"} else None
                    for at, kind in enumerate(columns.kinds)
                ]
            )
    return rows, tuple(merges)


def _shown(value: float | None) -> Value:
    return None if value is None else int(value) if value == int(value) else value
