"""Papers and sheets of an examiner, drawn anew: `python -m tests.corpus.unseen.stress --seed 9 --papers 60 --sheets 40 -v`.

What was mended was mended for documents that had been seen. Only a fresh seed shows how strangers will be read.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict

from app.documents.failures import DocumentFailure
from tests.corpus.documents.direct import paper_of, sheets_of
from tests.corpus.documents.measure import FIELDS, Tally, compare_paper, compare_sheet
from tests.corpus.unseen.examiner import exam_of
from tests.corpus.unseen.examiner_manners import FORMATS, Manner, manner_of, second_manner_of
from tests.corpus.unseen.examiner_office import word
from tests.corpus.unseen.examiner_print import printed
from tests.corpus.unseen.examiner_sheets import sheet_of
from tests.corpus.unseen.examiner_writers import WRITERS
from tests.corpus.unseen.lot_ten import FILES, kept_manners


def paper_case(manner: Manner) -> tuple[str, str, bytes]:
    """The format, the file's name and its content."""
    exam, seed = exam_of(manner), manner.seed
    if manner.format.startswith("pdf"):
        return manner.format, f"paper-{seed}.pdf", printed(exam, 2 if manner.format == "pdf2" else 1)
    write = word if manner.format == "docx" else WRITERS[manner.format]
    return manner.format, f"paper-{seed}.{manner.format}", write(exam)


def lost(name: str, failure: DocumentFailure, expected: int, tally: Tally) -> None:
    """A document that was refused: nothing of it was found, and that was said."""
    tally.documents += 1
    tally.expected += expected
    tally.mistakes.append(f"{name}: {failure.code} {failure}")


def read_papers(seed: int, count: int, forms: list[str], draw: int) -> dict[str, Tally]:
    tallies: dict[str, Tally] = defaultdict(Tally)
    for at in range(count):
        manner = (second_manner_of if draw == 2 else manner_of)(seed * 1000 + at, forms[at % len(forms)])
        form, name, content = paper_case(manner)
        truth = exam_of(manner).truth
        try:
            compare_paper(f"{form}/{name}", paper_of(((name, content),)), truth, tallies[form])
        except DocumentFailure as failure:
            lost(f"{form}/{name}", failure, len(truth), tallies[form])
    return tallies


def read_sheets(seed: int, count: int) -> dict[str, Tally]:
    tallies: dict[str, Tally] = defaultdict(Tally)
    for at in range(count):
        name, content, book = sheet_of(seed * 1000 + at)
        tally = tallies[name.rpartition(".")[2]]
        try:
            compare_sheet(name, sheets_of(((name, content),)), book, tally)
        except DocumentFailure as failure:
            lost(name, failure, sum(map(len, book.truth.values())), tally)
    return tallies


def keep() -> None:
    for manner in kept_manners():
        if manner.format.startswith("pdf"):
            (FILES / f"examiner-{manner.seed}.pdf").write_bytes(paper_case(manner)[2])


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--papers", type=int, default=70)
    asked.add_argument("--sheets", type=int, default=40)
    asked.add_argument("--forms", default=",".join(FORMATS), help="without reportlab: txt,md,html,tex,docx")
    asked.add_argument("--draw", type=int, default=1, help="2: with more things in it")
    asked.add_argument("-v", action="store_true", help="every mistake on stderr")
    asked.add_argument("--keep", action="store_true", help="set the pages of the kept lots again, with reportlab")
    chosen = asked.parse_args()
    if chosen.keep:
        keep()
        return
    papers = read_papers(chosen.seed, chosen.papers, chosen.forms.split(","), chosen.draw)
    sheets = read_sheets(chosen.seed, chosen.sheets)
    for form, tally in sorted(papers.items()):
        fields = "  ".join(f"{one} {tally.exact(one):.3f}" for one in FIELDS)
        head = f"{form:5} {tally.documents:3} {tally.expected:4}"
        sys.stdout.write(f"{head}  F1 {tally.f1:.3f}  {fields}  silent {tally.silent:.1%}\n")
    for form, tally in sorted(sheets.items()):
        head = f"{form:5} {tally.documents:3} {tally.expected:4}"
        found = f"found {tally.recall:.3f}  exact {tally.exact('mark'):.3f}"
        whole = f"whole {tally.right['sheet']} of {tally.documents}"
        sys.stdout.write(f"{head}  {found}  {whole}  silent {tally.silent:.1%}\n")
    if chosen.v:
        for tally in (*papers.values(), *sheets.values()):
            sys.stderr.write("".join(f"{mistake}\n" for mistake in tally.mistakes))


if __name__ == "__main__":
    main()
