"""Documents made another way, held against the same targets: `make quality` has the photographs, too."""

from __future__ import annotations

from collections import defaultdict

from app.documents.failures import DocumentFailure
from tests.corpus.documents.direct import paper_of, sheets_of
from tests.corpus.documents.measure import FIELDS, Tally, compare_paper, compare_sheet
from tests.corpus.documents.targets import MARKS_EXACT, SILENT, TEXT_EXACT, TEXT_F1
from tests.corpus.unseen.corpus import unseen_papers, unseen_sheets

LEAST_FOUND = 0.97  # of the marks: a sheet of nothing but percentages is refused
FORMATS = {"txt", "md", "html", "tex", "docx", "pdf"}


def test_papers_made_another_way_are_read_as_well_as_promised() -> None:
    tallies: dict[str, Tally] = defaultdict(Tally)
    for case in unseen_papers():
        tally = tallies[case.format]
        try:
            compare_paper(f"{case.format}/{case.paper.name}", paper_of(case.files), case.paper.truth, tally)
        except DocumentFailure as failure:  # a clear refusal: nothing was found, and nothing is silently wrong
            assert failure.code == "no_questions", (case.paper.name, failure)  # noqa: PT017
            tally.documents += 1
            tally.expected += len(case.paper.truth)
    assert set(tallies) == FORMATS
    for label, tally in tallies.items():
        assert tally.documents >= 4
        assert tally.f1 >= TEXT_F1, (label, tally.mistakes)
        assert min(tally.exact(field) for field in FIELDS) >= TEXT_EXACT, (label, tally.mistakes)
        assert tally.silent <= SILENT, (label, tally.mistakes)


def test_score_sheets_made_another_way_are_read_as_well_as_promised() -> None:
    tally = Tally()
    for case in unseen_sheets():
        try:
            compare_sheet(case.book.name, sheets_of(case.files), case.book, tally)
        except DocumentFailure as failure:
            assert failure.code == "no_scores", (case.book.name, failure)  # noqa: PT017 - a clear refusal is no mistake
            tally.expected += sum(map(len, case.book.truth.values()))
    assert tally.documents >= 15
    assert tally.exact("mark") >= MARKS_EXACT, tally.mistakes
    assert tally.recall >= LEAST_FOUND, tally.mistakes
    assert tally.silent <= SILENT, tally.mistakes
