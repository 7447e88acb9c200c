"""The second set: documents made another way than those that the readers grew up with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from tests.corpus.documents.corpus import PaperCase, SheetCase
from tests.corpus.unseen.exports import EXPORTS
from tests.corpus.unseen.lot_eight import LOT_EIGHT
from tests.corpus.unseen.lot_five import LOT_FIVE
from tests.corpus.unseen.lot_five_sheets import LOT_FIVE_SHEETS
from tests.corpus.unseen.lot_four import LOT_FOUR
from tests.corpus.unseen.lot_nine import LOT_NINE
from tests.corpus.unseen.lot_seven import LOT_SEVEN
from tests.corpus.unseen.lot_six import LOT_SIX
from tests.corpus.unseen.lot_ten import examined_papers, examined_sheets
from tests.corpus.unseen.lot_three import LOT_THREE
from tests.corpus.unseen.lot_three_sheets import LOT_THREE_SHEETS
from tests.corpus.unseen.office import OFFICE
from tests.corpus.unseen.printed import PHOTOGRAPHED, photographs, prints
from tests.corpus.unseen.sheets import UNSEEN_SHEETS
from tests.corpus.unseen.typed import TYPED, Made
from tests.corpus.unseen.web import WEB
from tests.corpus.unseen.word import WORD
from tests.corpus.unseen.worksheets import WORKSHEETS


def unseen_papers() -> Iterator[PaperCase]:
    by_suffix: dict[str, list[Callable[[], Made]]] = defaultdict(list)
    for hand in (
        TYPED,
        WORKSHEETS,
        {"html": WEB, "docx": WORD},
        OFFICE,
        LOT_THREE,
        LOT_FOUR,
        LOT_FIVE,
        LOT_SIX,
        LOT_SEVEN,
        LOT_EIGHT,
        LOT_NINE,
    ):
        for suffix, writers in hand.items():
            by_suffix[suffix] += writers
    for suffix, written in by_suffix.items():
        yield from _cases(suffix, (write() for write in written))
    yield from _cases("pdf", prints())
    yield from examined_papers()


def unseen_photographs() -> Iterator[PaperCase]:
    for at, (content, paper) in enumerate(prints()):
        if paper.name in PHOTOGRAPHED:
            pages = photographs(content, 40 + 10 * at)
            yield PaperCase(
                "photo (jpg)", paper, tuple((f"IMG_{at}{page}.jpg", photo) for page, photo in enumerate(pages))
            )


def unseen_sheets() -> Iterator[SheetCase]:
    for write in (*UNSEEN_SHEETS, *EXPORTS, *LOT_THREE_SHEETS, *LOT_FIVE_SHEETS):
        name, content, book = write()
        yield SheetCase(name.rpartition(".")[2], book, ((name, content),))
    yield from examined_sheets()


def _cases(suffix: str, made: Iterable[Made]) -> Iterator[PaperCase]:
    for content, paper in made:
        yield PaperCase(suffix, paper, ((f"{paper.name}.{suffix}", content),))
