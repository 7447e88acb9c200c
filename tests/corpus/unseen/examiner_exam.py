"""A paper as its author thinks of it: blocks from top to bottom, what is true, and the entries of its key."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.corpus.documents.papers import Paper, Style, Truth
from tests.corpus.unseen.examiner_manners import Manner, letters


@dataclass(frozen=True)
class Block:
    """A piece of a paper. `mark` is its number as shown, `right` stands at the right edge, `choices` are options with their labels."""

    kind: str  # title, cover, heading, note, passage, stem, options, part, answer, rule, figure, key, table
    text: str = ""
    mark: str = ""
    right: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Entry:
    """One line of the key."""

    number: int
    answer: str
    solution: str = ""
    label: str = ""
    chosen: bool = False
    points: float = 0


@dataclass
class Exam:
    """A paper in its blocks, with its truth."""

    manner: Manner
    blocks: list[Block] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
    asked: int = 0
    section: int = 0
    shown: int = 0
    keys: list[tuple[str, list[Entry]]] = field(default_factory=list)

    @property
    def lead(self) -> str:
        """Q7; where the numbers begin anew in each section, S2Q1 from the second on."""
        return f"S{self.section}Q{self.shown}" if self.manner.restart and self.section > 1 else f"Q{self.shown}"

    def paper(self) -> Paper:
        name = f"examiner-{self.manner.seed}"
        return Paper(name, Style(self.manner.language), name, truth=self.truth)


def numbered(mark: str, number: int) -> str:
    return letters(mark, number - 1).replace("{}", str(number))
