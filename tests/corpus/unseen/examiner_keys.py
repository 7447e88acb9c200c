"""An examiner's keys: line by line, in runs, in tables, with reasons and marks."""

from __future__ import annotations

from itertools import groupby

from tests.corpus.unseen.examiner_exam import Block, Entry, Exam, numbered
from tests.corpus.unseen.examiner_manners import Manner


def write_key(exam: Exam) -> None:
    manner = exam.manner
    entries = [entry for _, group in exam.keys for entry in group]
    if not entries:
        return
    exam.blocks.append(Block("heading", manner.key_title))
    if manner.key == "sections":
        for title, group in exam.keys:
            exam.blocks += [Block("note", title)] if group else []
            exam.blocks += _entries(manner, group)
        return
    chosen = [entry for entry in entries if entry.chosen]
    others = [entry for entry in entries if not entry.chosen]
    singles = [entry for entry in chosen if len(entry.answer) == 1]
    straight = [entry.number for entry in singles] == list(range(1, len(singles) + 1))
    if manner.key == "row":
        separator = "   " if manner.language == "en" else "  "
        exam.blocks.append(Block("key", separator.join(f"{entry.number}. {entry.answer}" for entry in chosen)))
        exam.blocks += _entries(manner, others)
    elif manner.key == "runs" and straight and len(singles) > 1:
        dash = "-" if manner.variant % 2 else "～" if manner.language == "zh" else "–"
        exam.blocks.append(
            Block(
                "key",
                f"1{dash}{len(singles)}{': ' if manner.variant > 2 else ' '}"
                + "".join(entry.answer for entry in singles),
            )
        )
        exam.blocks += _entries(manner, entries[len(singles) :])
    elif manner.key == "table" and not any(entry.label for entry in entries):
        head = ("Question", "Answer") if manner.language == "en" else ("题号", "答案")
        exam.blocks.append(Block("table", rows=(head, *((str(entry.number), entry.answer) for entry in entries))))
    elif manner.key in {"pairs", "columns"}:
        exam.blocks += _tables(manner, [entry for entry in entries if not entry.label], wide=manner.key == "pairs")
        exam.blocks += _entries(manner, [entry for entry in entries if entry.label])
    elif manner.key == "grid" and len(chosen) > 1:
        head = ("Question", "Answer") if manner.language == "en" else ("题号", "答案")
        rows = ((head[0], *(str(entry.number) for entry in chosen)), (head[1], *(entry.answer for entry in chosen)))
        exam.blocks.append(Block("table", rows=rows))
        exam.blocks += _entries(manner, others)
    else:
        exam.blocks += _entries(manner, entries)


def _tables(manner: Manner, entries: list[Entry], *, wide: bool) -> list[Block]:
    """Numbers over answers in rows of five, or one answer a row with a reason beside it."""
    number, answer, reason = ("No.", "Answer", "Explanation") if manner.language == "en" else ("题号", "答案", "解析")
    if not wide:
        told = ((str(entry.number), entry.answer, entry.solution) for entry in entries)
        return [Block("table", rows=((number, answer, reason), *told))]
    short = [entry for entry in entries if entry.chosen]
    rows: tuple[tuple[str, ...], ...] = ()
    for at in range(0, len(short), 5):
        five = short[at : at + 5]
        empty = ("",) * (5 - len(five))
        rows += (
            (number, *(str(entry.number) for entry in five), *empty),
            (answer, *(entry.answer for entry in five), *empty),
        )
    others = _entries(manner, [entry for entry in entries if not entry.chosen])
    return [*([Block("table", rows=rows)] if rows else []), *others]


def _entries(manner: Manner, entries: list[Entry]) -> list[Block]:
    found: list[Block] = []
    plain = manner.number if manner.variant % 2 and "\n" not in manner.number else "{}. "
    for number, group in groupby(entries, key=lambda entry: entry.number):
        mark, told = numbered(plain, number), list(group)
        if told[0].label:
            found += _part_entries(manner, mark, number, told)
            continue
        text, entry = told[0].answer, told[0]
        more = manner.solution.format(entry.solution) if manner.key == "explained" and entry.solution else ""
        if more and manner.variant % 3 == 0:
            found += [Block("key", text, mark=mark), Block("key", more)]
        else:
            found.append(Block("key", f"{text}  {more}".rstrip(), mark=mark))
            if manner.key == "scored" and not entry.chosen and entry.solution:
                found[-1] = Block(
                    "key",
                    f"{text}{f' ({entry.points:g} marks)' if manner.language == 'en' else f'（{entry.points:g}分）'}",
                    mark=mark,
                )
    return found


def _part_entries(manner: Manner, mark: str, number: int, told: list[Entry]) -> list[Block]:
    if manner.variant % 3 == 0:
        return [Block("key", "  ".join(f"{entry.label} {entry.answer}" for entry in told), mark=mark)]
    if manner.variant % 3 == 1:
        first, *rest = (f"{entry.label} {entry.answer}" for entry in told)
        return [Block("key", first, mark=mark), *(Block("key", f"   {one}") for one in rest)]
    return [Block("key", f"{entry.answer}", mark=f"{number}{entry.label} ") for entry in told]
