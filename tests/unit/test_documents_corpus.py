"""The corpus against the targets, without recognition: `make quality` has the rest, and the figures."""

from __future__ import annotations

from collections import defaultdict

from tests.corpus.documents.corpus import sheet_cases, text_cases
from tests.corpus.documents.direct import paper_of, sheets_of
from tests.corpus.documents.measure import FIELDS, Tally, compare_paper, compare_sheet
from tests.corpus.documents.targets import MARKS_EXACT, SILENT, TEXT_EXACT, TEXT_F1


def test_papers_with_text_are_read_as_well_as_promised() -> None:
    tallies: dict[str, Tally] = defaultdict(Tally)
    for case in text_cases():
        compare_paper(f"{case.format}/{case.paper.name}", paper_of(case.files), case.paper.truth, tallies[case.format])
    assert len(tallies) == 7
    for label, tally in tallies.items():
        assert tally.documents >= 18
        assert tally.f1 >= TEXT_F1, (label, tally.mistakes)
        assert min(tally.exact(field) for field in FIELDS) >= TEXT_EXACT, (label, tally.mistakes)
        assert tally.silent <= SILENT, (label, tally.mistakes)


def test_score_sheets_are_read_as_well_as_promised() -> None:
    tallies: dict[str, Tally] = defaultdict(Tally)
    for case in sheet_cases():
        compare_sheet(f"{case.format}/{case.book.name}", sheets_of(case.files), case.book, tallies[case.format])
    assert tallies["xlsx"].documents >= 15
    for label, tally in tallies.items():
        assert min(tally.recall, tally.exact("mark")) >= MARKS_EXACT, (label, tally.mistakes)
        assert tally.right["sheet"] == tally.documents, (label, tally.mistakes)
        assert tally.silent <= SILENT, (label, tally.mistakes)
