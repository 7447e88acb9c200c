"""One way to read a table: which rows are its header, and what each column is for."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise

from app.documents.scores.labels import IGNORED, MAX_ROW, Label, label_of
from app.documents.scores.marks import read_mark
from app.documents.tables.table import Table, cell_text
from app.documents.values import Layout, ScoreMode

HEADER_DEPTH = 15
TALLEST_HEADER = 3
SAMPLE_ROWS = 60
MOSTLY = 0.5
PEOPLE = {"name", "id"}
NAME = re.compile(r"^(?:[\u4e00-\u9fff·]{2,8}|[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’.-]*(?:,?\s+[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’.-]*){0,4})$")
BARE = re.compile(r"^[\d.]+$")
PERSON_ID = re.compile(r"[A-Za-z]{0,6}[-_]?\d{4,24}|[A-Za-z]{1,6}[-_]?\d{2,3}")
STUDENT_ID = re.compile(r"^[A-Za-z]{0,6}[-_]?\d{2,24}[A-Za-z]?$")


@dataclass(slots=True)
class Columns:
    """The plan by which a table is read."""

    table: Table
    layout: Layout
    header_row: int
    body: int  # the first row below the header
    labels: list[Label]
    names: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    total: int | None = None
    scored: dict[int, str] = field(default_factory=dict)  # column: question id
    maxima: dict[str, float] = field(default_factory=dict)
    mode: ScoreMode = "question"
    guessed: bool = False  # a column was found by what stands in it, not by its label
    item: int | None = None  # in long tables: where the question is named
    mark: int | None = None
    topic: int | None = None
    repaired: list[str] = field(default_factory=list)  # questions whose labels were inferred from their neighbours
    unused: list[str] = field(default_factory=list)  # columns of numbers that nothing could be made of

    @property
    def question_ids(self) -> list[str]:
        return list(dict.fromkeys(self.scored.values()))


def plans(table: Table) -> list[Columns]:
    """Every header that makes sense of this table, in each of the layouts."""
    found = []
    for layout, oriented in (("wide", table), ("transposed", table.transposed())):
        for top in range(min(HEADER_DEPTH, len(oriented.rows))):
            for height in range(1, TALLEST_HEADER + 1):
                if top + height < len(oriented.rows) or (height == 1 and len(oriented.rows) > top + 1):
                    found += _plans_at(oriented, layout, top, height)  # type: ignore[arg-type]
    return found


def _plans_at(table: Table, layout: Layout, top: int, height: int) -> list[Columns]:
    labels = _labels(table, top, height)
    if labels is None:
        return []
    base = Columns(table, layout, top, top + height, labels)
    base.names = [at for at, label in enumerate(labels) if label.role == "name"]
    base.ids = [at for at, label in enumerate(labels) if label.role == "id"]
    base.classes = [at for at, label in enumerate(labels) if label.role == "class"]
    base.total = next((at for at, label in enumerate(labels) if label.role == "total"), None)
    if base.total is None:
        base.total = _score_of_all(labels)
    if not base.names and not base.ids:
        _guess_people(base)
    if not base.names and not base.ids:
        return []
    return [plan for plan in (_by_question(base), _by_subject(base), _long(base), _by_total(base)) if plan is not None]


def _score_of_all(labels: list[Label]) -> int | None:
    """“Score” beside columns of questions, and alone, is what they add up to."""
    marks = [at for at, label in enumerate(labels) if label.role == "mark"]
    questions = [at for at, label in enumerate(labels) if label.role == "question"]
    return marks[0] if len(marks) == 1 and len(questions) > 1 else None


def _labels(table: Table, top: int, height: int) -> list[Label] | None:
    """The lowest cell of the header that says something; a group's heading above it only helps where it must."""
    if any(isinstance(cell, float) and cell % 1 for row in table.rows[top : top + height] for cell in row):
        return None  # 4.5 is a mark
    rows = [[cell_text(cell) for cell in row] for row in table.rows[top : top + height]]
    if any(_looks_like_body(row) for row in rows[1:]) or any(
        _has_a_person(above, below) for at, above in enumerate(rows) for below in rows[at + 1 :]
    ):
        return None
    if any(MAX_ROW.match(cell) and any(BARE.match(other) for other in row) for row in rows for cell in row[:4]):
        return None
    labels = []
    for column in zip(*rows, strict=True):
        words = list(dict.fromkeys(cell for cell in column if cell))
        label = label_of(words[-1]) if words else label_of("")
        for above in reversed(words[:-1]):
            if label.role in {"other", "empty", "mark"}:
                upper = label_of(above)
                label = upper if upper.role not in {"other", "empty"} else label
            elif label.part == "" and label.number is None and label.role == "question":
                label = label_of(above + words[-1])
        labels.append(_within_group(label, words))
    return labels


def _within_group(label: Label, words: list[str]) -> Label:
    """(1) below 12 is 12(1)."""
    inner = (
        re.fullmatch(r"[（(]\s*(\d{1,2}|[a-z]{1,4})\s*[）)]|([a-h])", words[-1], re.IGNORECASE)
        if len(words) > 1
        else None
    )
    above = label_of(words[-2]) if inner else None
    if inner and above is not None and above.role == "question":
        return label_of(f"{above.number}({(inner.group(1) or inner.group(2))})")
    return label


def _looks_like_body(row: list[str]) -> bool:
    """A row that has a person's id and marks, not words and numbers of questions."""
    ids = sum(bool(PERSON_ID.fullmatch(cell)) and label_of(cell).role != "question" for cell in row)
    labelled = sum(label_of(cell).role in {"name", "id", "total", "class", "rank"} for cell in row if cell)
    return bool(ids) and not labelled


def _has_a_person(header: list[str], row: list[str]) -> bool:
    """Below the label of names stands a name: the header has ended."""
    return any(
        below and below != above and label_of(above).role in PEOPLE and label_of(below).role not in PEOPLE
        for above, below in zip(header, row, strict=True)
    )


def _guess_people(plan: Columns) -> None:
    rows = plan.table.rows[plan.body : plan.body + SAMPLE_ROWS]
    for at, label in enumerate(plan.labels):
        if label.role not in {"empty", "other", "order", "item"} or len(rows) < 2:  # noqa: PLR2004 - one row shows nothing
            continue
        cells = [cell_text(row[at]) for row in rows]
        filled = [cell for cell in cells if cell]
        if len(filled) * 2 < len(rows):
            continue
        if not plan.names and sum(bool(NAME.match(cell)) for cell in filled) > 0.7 * len(filled):
            plan.names, plan.guessed = [at], True
        elif not plan.ids and len(set(filled)) == len(filled) and all(STUDENT_ID.match(cell) for cell in filled):
            plan.ids, plan.guessed = [at], True


def _by_question(base: Columns) -> Columns | None:
    columns = {at: label for at, label in enumerate(base.labels) if label.role == "question"}
    if not columns:
        return None
    repaired = _between(base, columns)
    columns |= repaired
    if all(BARE.match(label.text) for label in columns.values()) and not _are_numbers(base, list(columns.values())):
        return None  # a row of marks, not of numbers of questions
    parts = _brackets_are_parts(list(columns.values()))
    plan = replace(base, scored={}, maxima={}, mode="question", repaired=[label.text for label in repaired.values()])
    for at, label in columns.items():
        part = f"({label.bracket})" if label.bracket and parts else label.part
        name = f"Q{label.number}{part}"
        plan.scored[at] = name
        if label.max_score is not None:
            plan.maxima[name] = label.max_score
        elif label.bracket and not parts:
            plan.maxima[name] = float(label.bracket)
    plan.unused = _unused(base, [*columns, *([] if base.total is None else [base.total])])
    return plan if len(columns) > 1 or base.total is not None or "q" in label_text(columns) else None


def _count_up(labels: list[Label]) -> bool:
    order = [(label.number or 0, [int(piece) for piece in re.findall(r"\d+", label.part)]) for label in labels]
    texts = [label.text for label in labels]
    return order == sorted(order) and len(set(texts)) == len(texts)


def _are_numbers(base: Columns, labels: list[Label]) -> bool:
    numbers = list(dict.fromkeys(label.number or 0 for label in labels))
    dense = numbers == list(range(1, len(numbers) + 1)) or (
        not base.guessed and numbers[-1] - numbers[0] < 2 * len(numbers)
    )
    return dense and _count_up(labels)


def label_text(columns: dict[int, Label]) -> str:
    return " ".join(label.text.lower() for label in columns.values())


def _brackets_are_parts(labels: list[Label]) -> bool:
    """12(1) 12(2) are parts; 1(5) 2(5) 3(10) say what each question is out of."""
    bracketed = [label for label in labels if label.bracket]
    by_number = Counter(label.number for label in bracketed)
    if any(count > 1 for count in by_number.values()):
        return True
    return bool(bracketed) and all(label.bracket == "1" for label in bracketed)


def _by_subject(base: Columns) -> Columns | None:
    known = {at: label for at, label in enumerate(base.labels) if label.role == "subject"}
    if not known:
        return None
    plan = replace(base, scored={}, maxima={}, mode="subject")
    for at, label in known.items():
        name = f"SUBJECT_{label.text}"
        if name not in plan.scored.values() and _numeric_share(base, at) > MOSTLY:
            plan.scored[at] = name
            if label.max_score is not None:
                plan.maxima[name] = label.max_score
    return plan if plan.scored else None


def _by_total(base: Columns) -> Columns | None:
    at = base.total
    if at is None:
        at = next((index for index, label in enumerate(base.labels) if label.role == "mark"), None)
    if at is None:  # a grade may be a mark as well as a letter
        graded = (index for index, label in enumerate(base.labels) if label.text.lower() in {"grade", "grades"})
        at = next((index for index in graded if _numeric_share(base, index) > MOSTLY), None)
    if at is None or (base.labels[at].role == "mark" and any(label.role in {"item", "topic"} for label in base.labels)):
        return None
    plan = replace(base, scored={at: "TOTAL"}, maxima={}, mode="total", total=at, unused=_unused(base, [at]))
    most = base.labels[at].max_score
    if most is not None:
        plan.maxima["TOTAL"] = most
    return plan


def _between(base: Columns, columns: dict[int, Label]) -> dict[int, Label]:
    """A column of marks between questions 2 and 4 is question 3, however its label was misread."""
    found: dict[int, Label] = {}
    known = sorted(columns)
    for before, after in pairwise(known):
        first, last = columns[before].number or 0, columns[after].number or 0
        between = range(before + 1, after)
        if not between:
            continue
        unread = [
            at for at in between if base.labels[at].role in {"other", "empty"} and _numeric_share(base, at) > MOSTLY
        ]
        if len(unread) == len(between) == last - first - 1:
            found |= {at: Label("question", str(first + step), first + step) for step, at in enumerate(unread, start=1)}
    return found


def _unused(base: Columns, used: list[int]) -> list[str]:
    return [
        label.text
        for at, label in enumerate(base.labels)
        if at not in used
        and label.role in {"other", "mark"}
        and _numeric_share(base, at) > MOSTLY
        and not IGNORED.search(label.text)
    ]


def _long(base: Columns) -> Columns | None:
    """One mark a row: who, which question or subject, how many."""
    mark = next((at for at, label in enumerate(base.labels) if label.role == "mark"), None)
    item = next((at for at, label in enumerate(base.labels) if label.role == "item"), None)
    topic = next((at for at, label in enumerate(base.labels) if label.role == "topic"), None)
    if mark is None or (item is None and topic is None) or base.layout != "wide":
        return None
    mode: ScoreMode = "question" if item is not None else "subject"
    return replace(base, layout="long", item=item, mark=mark, topic=topic, mode=mode, scored={}, maxima={}, total=None)


def _numeric_share(plan: Columns, at: int) -> float:
    cells = [read_mark(row[at]) for row in plan.table.rows[plan.body : plan.body + SAMPLE_ROWS]]
    filled = [reading for reading in cells if reading.kind != "empty"]
    return sum(reading.kind in {"mark", "absent", "exempt"} for reading in filled) / max(1, len(filled))
