"""The tenth and eleventh lot: an examiner's papers and sheets, drawn from a seed and kept as drawn. What reportlab set lies in `files`
(`python -m tests.corpus.unseen.stress --keep` sets it again).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.corpus.documents.corpus import PaperCase, SheetCase
from tests.corpus.unseen.examiner import exam_of
from tests.corpus.unseen.examiner_manners import FORMATS, Manner, manner_of, second_manner_of
from tests.corpus.unseen.examiner_office import word
from tests.corpus.unseen.examiner_sheets import sheet_of
from tests.corpus.unseen.examiner_writers import WRITERS

FILES = Path(__file__).parent / "files"
FIRST, PAPERS, SHEETS = 1_000, 63, 25
SECOND, MORE_PAPERS = 2_000, 42


def kept_manners() -> Iterator[Manner]:
    for at in range(PAPERS):
        yield manner_of(FIRST + at, FORMATS[at % len(FORMATS)])
    for at in range(MORE_PAPERS):
        yield second_manner_of(SECOND + at, FORMATS[at % len(FORMATS)])


def examined_papers() -> Iterator[PaperCase]:
    for manner in kept_manners():
        exam = exam_of(manner)
        if manner.format.startswith("pdf"):
            label, content = "pdf", (FILES / f"examiner-{manner.seed}.pdf").read_bytes()
        else:
            label, content = manner.format, (word if manner.format == "docx" else WRITERS[manner.format])(exam)
        yield PaperCase(label, exam.paper(), ((f"examiner-{manner.seed}.{label}", content),))


def examined_sheets() -> Iterator[SheetCase]:
    for at in range(SHEETS):
        name, content, book = sheet_of(FIRST + at)
        yield SheetCase(name.rpartition(".")[2], book, ((name, content),))
