"""What is true of a paper: made from its questions, apart from the way in which they were written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tests.corpus.documents.bank import Item
from tests.corpus.documents.papers import Paper, Style, Truth

LETTERS = "ABCDEFGH"
Label = Callable[[int], str]


def letter(at: int) -> str:
    return LETTERS[at].lower()


def bracketed(at: int) -> str:
    return f"({at + 1})"


@dataclass
class Truths:
    """The truth of one document, written down question by question."""

    name: str
    language: str = "en"
    truth: list[Truth] = field(default_factory=list)
    asked: int = 0

    def add(
        self, items: Sequence[Item], *, told: bool, points: float | bool | None = None, brackets: bool = False
    ) -> Truths:
        """`points` is what each is worth, True for what the question itself says, None where nothing says it. `brackets`
        stand empty at the end of what is chosen or judged, and are part of the stem."""
        label: Label = letter if self.language == "en" else bracketed
        for one in items:
            self.asked, item = self.asked + 1, one
            if brackets and (item.options or item.type == "true_false"):
                item = replace(one, stem=f"{one.stem}（）")
            if item.parts:
                own = points if points is True else None
                for at, part in enumerate(item.parts):
                    self._one(f"Q{self.asked}{label(at)}", part, item.stem, told=told, points=own)
            else:
                self._one(f"Q{self.asked}", item, None, told=told, points=points)
        return self

    def _one(self, name: str, item: Item, context: str | None, *, told: bool, points: float | bool | None) -> None:
        most = None if points is None else float(item.points) if points is True else float(points)
        answer = (item.answer or None) if told else None
        self.truth.append(Truth(name, item.type, item.stem, item.options, answer, most, context))

    def paper(self) -> Paper:
        return Paper(self.name, Style(self.language), self.name, truth=self.truth)
