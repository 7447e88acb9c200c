"""Score files to one set of marks: every candidate judged, the best recommended, what is doubtful said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.documents.failures import DocumentFailure
from app.documents.scores.blocks import side_by_side
from app.documents.scores.columns import plans
from app.documents.scores.labels import label_of
from app.documents.scores.people import merge_people
from app.documents.scores.reading import Read, read_table
from app.documents.tables.table import Cell, Table, cell_text
from app.documents.values import Candidate, Notice, ScoredQuestion, ScoreMode, ScoreSchema, ScoreSheets

LEAST_COVERAGE = 0.85
LEAST_CONFIDENCE = 0.82
MODE_WEIGHT: dict[ScoreMode, float] = {"question": 1.0, "subject": 0.9, "total": 0.75}
GUESSED = 0.8
REPAIRED = 0.9
WRONG_SUMS = 0.75
WRONG_MARKS = 0.6
NO_PEOPLE = 0.3
NO_LABELS = {"other", "empty"}
UPRIGHT = 1.05
LESS_THAN_ALL = 0.6
LONGEST_PLACE = 60  # characters of a candidate's id that say where it stands; the table's name is at the end


@dataclass(slots=True)
class Reading:
    """One way to read one or several tables of one shape."""

    reads: list[Read]
    quality: float
    confidence: float
    notes: list[str] = field(default_factory=list)

    @property
    def first(self) -> Read:
        return self.reads[0]

    @property
    def candidate_id(self) -> str:
        plan = self.first.plan
        where = re.sub(r"\W+", "-", f"{plan.table.file}:{plan.table.name}").lower()[-LONGEST_PLACE:].strip("-")
        return f"{plan.mode}:{plan.layout}:{where}:r{plan.header_row + 1}"


def read_scores(tables: list[Table], selected: str | None, warnings: list[Notice]) -> ScoreSheets:
    readings = _readings(tables)
    if not readings:
        raise DocumentFailure("no_scores", "no table of students and marks was found")
    best = readings[0]
    chosen = next((reading for reading in readings if reading.candidate_id == selected), None)
    vanished = selected is not None and chosen is None
    use = chosen or best
    students, merged = merge_people([student for read in use.reads for student in read.students])
    questions = list(dict.fromkeys(name for read in use.reads for name in read.plan.question_ids))
    coverage = sum(read.understood for read in use.reads) / max(1, sum(read.cells for read in use.reads))
    doubtful = coverage < LEAST_COVERAGE or use.confidence < LEAST_CONFIDENCE or bool(merged.ambiguous)
    maxima = {name: most for read in use.reads for name, most in read.plan.maxima.items()}
    labels = {name: read.plan.labels[at].text for read in use.reads for at, name in read.plan.scored.items() if at >= 0}
    return ScoreSheets(
        score_mode=use.first.plan.mode,
        questions=[
            ScoredQuestion(question_id=name, label=labels.get(name, name), max_score=maxima.get(name))
            for name in questions
        ],
        students=students,
        score_schema=ScoreSchema(
            candidates=[_candidate(reading) for reading in readings],
            recommended=best.candidate_id,
            selected=use.candidate_id,
            needs_confirm=vanished or (doubtful and chosen is None),
        ),
        warnings=[
            *warnings,
            *(notice for read in use.reads for notice in read.warnings),
            *merged.warnings,
            *_doubts(use, coverage),
            *_unused(tables, use),
        ],
    )


def _readings(tables: list[Table]) -> list[Reading]:
    """The best header of each table, layout and mode; tables of one shape and other students together."""
    by_kind: dict[tuple[str, str, str, str], Reading] = {}
    for whole in tables:
        for table in side_by_side(whole):
            for plan in plans(table):
                read = read_table(plan)
                if not read.students or not read.cells:
                    continue
                reading = judge(read)
                key = (table.file, f"{table.name}/{id(table)}", plan.layout, plan.mode)
                if key not in by_kind or reading.quality > by_kind[key].quality:
                    by_kind[key] = reading
    readings = sorted(_together(list(by_kind.values())), key=lambda reading: -reading.quality)
    return _without_shadows(readings)


def judge(read: Read) -> Reading:
    """How sure this reading is, why not more, and how it ranks among the others."""
    plan = read.plan
    confidence, notes = plan.table.sure, []
    for factor, note in (*_doubts_about_columns(read), *_doubts_about_cells(read)):
        confidence *= factor
        notes.append(note)
    weight = MODE_WEIGHT[plan.mode] * (UPRIGHT if plan.layout != "transposed" else 1.0)
    size = min(1.0, 0.8 + 0.02 * len(read.students)) * min(1.0, 0.9 + 0.02 * len(plan.question_ids))
    return Reading([read], confidence * weight * size * (0.5 + 0.5 * read.coverage), confidence, notes)


def _doubts_about_columns(read: Read) -> Iterator[tuple[float, str]]:
    plan = read.plan
    if plan.guessed:
        yield GUESSED, "a column of names or ids has no label"
    names = [cell_text(row[at]) for at in plan.names for row in _body_of(read)]
    ids = [cell_text(row[at]) for at in plan.ids for row in _body_of(read)]
    if any(label_of(name).role not in NO_LABELS for name in names) or any(map(_is_a_label, ids)):
        yield NO_PEOPLE, "there are labels where names should be"
    if names and Counter(names).most_common(1)[0][1] > max(2, len(names) // 3):
        yield GUESSED, "the same name stands in many rows"
    if plan.mode == "total" and sum(label.role in {"question", "subject"} for label in plan.labels) > 1:
        yield LESS_THAN_ALL, "only totals, where there are marks of questions or subjects as well"
    if plan.repaired:
        yield REPAIRED, f"labels inferred from their neighbours: {', '.join(plan.repaired[:8])}"
    if plan.unused:
        yield GUESSED, f"not used: {', '.join(plan.unused[:8])}"
    numbers = [label.number for label in plan.labels if label.role == "question" and label.number is not None]
    if plan.mode == "question" and plan.layout != "long" and not _count_up(numbers):
        yield GUESSED, "the questions' numbers do not count up"
    if len(set(plan.scored.values())) < len(plan.scored):
        yield WRONG_MARKS, "a question has two columns"


def _is_a_label(text: str) -> bool:
    """总分 or Q3 among ids; a number of a few digits may be either."""
    return not re.fullmatch(r"[A-Z]?\d+[A-Z]?", text) and label_of(text).role not in NO_LABELS


def _body_of(read: Read) -> list[list[Cell]]:
    """The rows that were taken for students."""
    return [read.plan.table.rows[at] for at in read.rows]


def _doubts_about_cells(read: Read) -> Iterator[tuple[float, str]]:
    if read.coverage < LEAST_COVERAGE:
        yield max(0.3, read.coverage), f"{read.cells - read.understood} of {read.cells} cells hold no mark"
    if read.odd:
        yield (
            max(0.5, 1 - 2 * len(read.odd) / max(1, read.cells)),
            f"not understood: {', '.join(dict.fromkeys(read.odd[:5]))}",
        )
    if read.beyond:
        yield WRONG_MARKS, f"{read.beyond} marks are beyond what their question is out of"
    agree, compared = read.sums
    if agree < compared:
        yield WRONG_SUMS, f"{compared - agree} of {compared} totals are not the sum of their marks"


def _count_up(numbers: list[int]) -> bool:
    return bool(numbers) and numbers == sorted(numbers)


def _together(readings: list[Reading]) -> list[Reading]:
    """One sheet for each class is one exam; the same students twice are two ways to read it."""
    joined: list[Reading] = []
    for reading in readings:
        read = reading.first
        people = {(student.student_id, student.name, student.class_name) for student in read.students}
        for other in joined:
            shape = other.first.plan
            same = (shape.mode, shape.layout, set(shape.question_ids)) == (
                read.plan.mode,
                read.plan.layout,
                set(read.plan.question_ids),
            )
            known = {(who.student_id, who.name, who.class_name) for one in other.reads for who in one.students}
            if same and not people & known:
                other.reads.append(read)
                other.confidence = min(other.confidence, reading.confidence)
                other.quality = max(other.quality, reading.quality) + 0.001
                other.notes = list(dict.fromkeys([*other.notes, *reading.notes]))
                break
        else:
            joined.append(reading)
    return joined


def _without_shadows(readings: list[Reading]) -> list[Reading]:
    """A table turned on its side can be read, badly, too: that is no candidate beside the proper reading."""
    best = readings[0].quality if readings else 0.0
    return [reading for reading in readings if reading.quality >= 0.4 * best]


def _candidate(reading: Reading) -> Candidate:
    plan = reading.first.plan
    read = reading.reads
    return Candidate(
        candidate_id=reading.candidate_id,
        file=plan.table.file,
        table=", ".join(dict.fromkeys(one.plan.table.name for one in read)),
        layout=plan.layout,
        mode=plan.mode,
        header_row=plan.header_row + 1,
        columns={label.text: label.role for label in plan.labels if label.text},
        students=sum(len(one.students) for one in read),
        questions=len(plan.question_ids),
        coverage=round(min(one.coverage for one in read), 3),
        confidence=round(min(1.0, reading.confidence), 3),
        notes=reading.notes,
    )


def _doubts(reading: Reading, coverage: float) -> list[Notice]:
    table = reading.first.plan.table
    found = [Notice(code="doubtful_scores", detail=note, file=table.file, page=table.page) for note in reading.notes]
    if coverage < LEAST_COVERAGE:
        found.append(Notice(code="low_coverage", detail=f"{coverage:.0%} of the cells hold a mark.", file=table.file))
    return found


def _unused(tables: list[Table], reading: Reading) -> list[Notice]:
    """A table that was left out of what is recommended; teachers should know."""
    used = {(read.plan.table.file, read.plan.table.name) for read in reading.reads}
    return [
        Notice(code="table_not_used", detail=f"“{table.name}” was not read as marks.", file=table.file, page=table.page)
        for table in tables
        if (table.file, table.name) not in used and len(table.rows) > 2  # noqa: PLR2004 - a legend is no table
    ]
