"""`make quality`: the whole corpus through the real reader, as tables on stdout; with -v every mistake on stderr."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from app.documents.failures import DocumentFailure
from app.documents.reader import Reader
from app.documents.sandbox.run import SourceFile
from tests.corpus.documents.corpus import PaperCase, SheetCase, scan_cases, scanned_sheet_cases, sheet_cases, text_cases
from tests.corpus.documents.measure import FIELDS, Tally, compare_paper, compare_sheet

INTRODUCTION = """# Quality

What the parsers find in the corpus, without any model. Written by `make quality`, which makes every document anew
(`tests/corpus/documents`), hands it to the reader that workers use, and compares with what is true. Spaces and the width of
characters count as no difference. *Silent* is what was wrong although neither the confidence nor a warning asked a person to
look: the share of questions, or of marks.

Targets: questions found (F1) 0.97 on text formats and 0.92 on scans; stems, options, answers and points exact 0.95 and 0.88;
marks exact 0.99 in layouts that are not flagged; silent mistakes at most 1 %.
"""


async def main() -> None:
    reader = Reader()
    papers: dict[str, Tally] = defaultdict(Tally)
    sheets: dict[str, Tally] = defaultdict(Tally)
    with tempfile.TemporaryDirectory() as folder:
        for paper_case in (*text_cases(), *scan_cases()):
            await _paper(reader, paper_case, papers[paper_case.format], Path(folder))
        for sheet_case in (*sheet_cases(), *scanned_sheet_cases()):
            await _sheet(reader, sheet_case, sheets[sheet_case.format], Path(folder))
    await reader.close()
    sys.stdout.write(INTRODUCTION + _paper_table(papers) + _sheet_table(sheets))
    if "-v" in sys.argv:
        for tally in (*papers.values(), *sheets.values()):
            sys.stderr.write("".join(f"{mistake}\n" for mistake in tally.mistakes))


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
    return f"\n## Papers\n\n{head}|{'---|' * (7 + len(FIELDS))}\n{lines}"


def _sheet_table(tallies: dict[str, Tally]) -> str:
    head = "| format | sheets | marks | precision | recall | exact | whole sheet right | silent |\n"
    lines = "".join(
        f"| {name} | {tally.documents} | {tally.expected} | {tally.precision:.3f} | {tally.recall:.3f} | {tally.exact('mark'):.3f} | "
        f"{tally.right['sheet']} of {tally.documents} | {tally.silent:.1%} |\n"
        for name, tally in tallies.items()
    )
    return f"\n## Score sheets\n\n{head}|{'---|' * 8}\n{lines}"


if __name__ == "__main__":
    asyncio.run(main())
