"""`make quality`: the whole corpus through the real reader, as tables on stdout; with -v every mistake on stderr."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from app.documents.failures import DocumentFailure
from app.documents.reader import Reader
from app.documents.sandbox.run import SourceFile
from tests.corpus.documents.corpus import PaperCase, SheetCase, scan_cases, scanned_sheet_cases, sheet_cases, text_cases
from tests.corpus.documents.measure import FIELDS, Tally, compare_paper, compare_sheet
from tests.corpus.documents.targets import MARKS_EXACT, SCANS_EXACT, SCANS_F1, SILENT, TEXT_EXACT, TEXT_F1
from tests.corpus.unseen.corpus import unseen_papers, unseen_photographs, unseen_sheets
from tests.corpus.unseen.history import FIRST_READING

INTRODUCTION = """# Quality

What the parsers find in the corpus, without any model. Written by `make quality`, which makes every document anew
(`tests/corpus/documents`), hands it to the reader that workers use, and compares with what is true. Spaces and the width of
characters count as no difference. *Silent* is what was wrong although neither the confidence nor a warning asked a person to
look: the share of questions, or of marks.

Targets: questions found (F1) 0.97 on text formats and 0.92 on scans; stems, options, answers and points exact 0.95 and 0.88;
marks exact 0.99 in layouts that are not flagged; silent mistakes at most 1 %.

## The corpus
"""

ANOTHER_WAY = """
## Documents made another way

The readers grew up with the corpus, so its figures are theirs to be proud of and nobody's to rely on. These documents
(`tests/corpus/unseen`) were written by other means, and their layouts are not the corpus' layouts: lists that count by
themselves in Word, pages saved from word processors and shared documents, LaTeX's exam class and plain `enumerate`, quiz
programs' Markdown, worksheets, Chinese school papers, pages printed by a browser and photographs of them, gradebooks and
exports of learning platforms; and the ordinary papers and sheets that an examiner's generators drew. The measures and the
targets are the same.
"""


Tallies = dict[str, Tally]


async def main() -> None:
    reader = Reader()
    first = await _read(reader, chain(text_cases(), scan_cases()), chain(sheet_cases(), scanned_sheet_cases()))
    second = await _read(reader, chain(unseen_papers(), unseen_photographs()), unseen_sheets())
    await reader.close()
    sys.stdout.write(INTRODUCTION + _tables(*first) + ANOTHER_WAY + _tables(*second) + FIRST_READING)
    if "-v" in sys.argv:
        for tally in (tally for tallies in (*first, *second) for tally in tallies.values()):
            sys.stderr.write("".join(f"{mistake}\n" for mistake in tally.mistakes))


async def _read(reader: Reader, papers: Iterable[PaperCase], sheets: Iterable[SheetCase]) -> tuple[Tallies, Tallies]:
    paper_tallies: Tallies = defaultdict(Tally)
    sheet_tallies: Tallies = defaultdict(Tally)
    with tempfile.TemporaryDirectory() as folder:
        for paper_case in papers:
            await _paper(reader, paper_case, paper_tallies[paper_case.format], Path(folder))
        for sheet_case in sheets:
            await _sheet(reader, sheet_case, sheet_tallies[sheet_case.format], Path(folder))
    return paper_tallies, sheet_tallies


def _tables(papers: Tallies, sheets: Tallies) -> str:
    missed = [*_missed_by_papers(papers), *_missed_by_sheets(sheets)]
    said = "".join(f"- {line}\n" for line in missed)
    verdict = f"\nTargets that are missed:\n\n{said}" if missed else "\nEvery target is met.\n"
    return _paper_table(papers) + _sheet_table(sheets) + verdict


def _missed_by_papers(tallies: Tallies) -> Iterator[str]:
    for name, tally in tallies.items():
        f1, exact = (SCANS_F1, SCANS_EXACT) if name.startswith(("scan", "picture", "photo")) else (TEXT_F1, TEXT_EXACT)
        if tally.f1 < f1:
            yield f"{name}: questions found {tally.f1:.3f}, not {f1}"
        for one in FIELDS[:-1]:
            if tally.exact(one) < exact:
                yield f"{name}: {one} exact {tally.exact(one):.3f}, not {exact}"
        if tally.silent > SILENT:
            yield f"{name}: {tally.silent:.1%} silent mistakes, not {SILENT:.0%}"


def _missed_by_sheets(tallies: Tallies) -> Iterator[str]:
    for name, tally in tallies.items():
        if tally.exact("mark") < MARKS_EXACT:
            yield f"{name}: marks exact {tally.exact('mark'):.3f}, not {MARKS_EXACT}"
        if tally.silent > SILENT:
            yield f"{name}: {tally.silent:.1%} silent mistakes, not {SILENT:.0%}"
        if tally.recall < MARKS_EXACT:
            yield f"{name}: {1 - tally.recall:.1%} of the marks were not found, and that was said"


async def _paper(reader: Reader, case: PaperCase, tally: Tally, folder: Path) -> None:
    name = f"{case.format}/{case.paper.name}"
    try:
        compare_paper(name, await reader.parse_paper(_stored(case.files, folder)), case.paper.truth, tally)
    except DocumentFailure as failure:
        _lost(name, failure, len(case.paper.truth), tally)


async def _sheet(reader: Reader, case: SheetCase, tally: Tally, folder: Path) -> None:
    name = f"{case.format}/{case.book.name}"
    try:
        compare_sheet(name, await reader.parse_scores(_stored(case.files, folder)), case.book, tally)
    except DocumentFailure as failure:
        _lost(name, failure, sum(map(len, case.book.truth.values())), tally)


def _lost(name: str, failure: DocumentFailure, expected: int, tally: Tally) -> None:
    tally.documents += 1
    tally.expected += expected
    tally.mistakes.append(f"{name}: {failure.code} {failure}")


def _stored(files: Iterable[tuple[str, bytes]], folder: Path) -> list[SourceFile]:
    stored = []
    for at, (name, content) in enumerate(files):
        path = folder / f"file-{at}"
        path.write_bytes(content)
        stored.append(SourceFile(name, path))
    return stored


def _paper_table(tallies: dict[str, Tally]) -> str:
    head = "| format | documents | questions | precision | recall | F1 | " + " | ".join(FIELDS) + " | silent |\n"
    lines = "".join(
        f"| {name} | {tally.documents} | {tally.expected} | {tally.precision:.3f} | {tally.recall:.3f} | {tally.f1:.3f} | "
        + " | ".join(f"{tally.exact(one):.3f}" for one in FIELDS)
        + f" | {tally.silent:.1%} |\n"
        for name, tally in tallies.items()
    )
    return f"\n### Papers\n\n{head}|{'---|' * (7 + len(FIELDS))}\n{lines}"


def _sheet_table(tallies: dict[str, Tally]) -> str:
    head = "| format | sheets | marks | precision | recall | exact | whole sheet right | silent |\n"
    lines = "".join(
        f"| {name} | {tally.documents} | {tally.expected} | {tally.precision:.3f} | {tally.recall:.3f} | {tally.exact('mark'):.3f} | "
        f"{tally.right['sheet']} of {tally.documents} | {tally.silent:.1%} |\n"
        for name, tally in tallies.items()
    )
    return f"\n### Score sheets\n\n{head}|{'---|' * 8}\n{lines}"


if __name__ == "__main__":
    asyncio.run(main())
