"""Figures: what was measured, how often, and how it spread; kept as JSON so that tables can be written again."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Figure:
    """One quantity of one contestant: a value for each run."""

    part: str  # A to K, memory, budget, profile
    who: str
    what: str
    unit: str
    values: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def spread(self) -> tuple[float, float, float]:
        return min(self.values), self.median, max(self.values)


class Figures:
    """All figures of a run, in the order in which they were first taken."""

    def __init__(self, figures: Iterable[Figure] = ()) -> None:
        self._figures = {(each.part, each.who, each.what): each for each in figures}

    def add(self, part: str, who: str, what: str, unit: str, *values: float, note: str = "") -> None:
        figure = self._figures.setdefault((part, who, what), Figure(part, who, what, unit))
        figure.values.extend(values)
        figure.note = note or figure.note

    def take(self, others: Figures) -> None:
        """Their values behind ours."""
        for each in others:
            self.add(each.part, each.who, each.what, each.unit, *each.values, note=each.note)

    def of(self, part: str, what: str | None = None) -> list[Figure]:
        return [each for each in self._figures.values() if each.part == part and what in (None, each.what)]

    def find(self, part: str, who: str, what: str) -> Figure | None:
        return self._figures.get((part, who, what))

    def parts(self) -> list[str]:
        return list(dict.fromkeys(each.part for each in self._figures.values()))

    def without(self, parts: Sequence[str]) -> Figures:
        return Figures(each for each in self._figures.values() if each.part not in parts)

    def __iter__(self) -> Any:
        return iter(self._figures.values())


@dataclass(slots=True)
class Results:
    """Figures and what must be known to read them; `taken` tells of each part when and how it was measured."""

    machine: dict[str, Any]
    versions: dict[str, dict[str, str]]
    taken: dict[str, dict[str, Any]]
    figures: Figures

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {
            "machine": self.machine,
            "versions": self.versions,
            "taken": self.taken,
            "figures": [asdict(each) | {"values": [round(value, 6) for value in each.values]} for each in self.figures],
        }
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> Results:
        kept: Mapping[str, Any] = json.loads(path.read_text())
        figures = Figures(Figure(**each) for each in kept["figures"])
        return cls(dict(kept["machine"]), dict(kept["versions"]), dict(kept["taken"]), figures)

    def merged_into(self, earlier: Results) -> Results:
        """These parts in place of the earlier ones of the same letters, the others as they were."""
        figures = Figures([*earlier.figures.without(self.figures.parts()), *self.figures])
        return Results(self.machine, earlier.versions | self.versions, earlier.taken | self.taken, figures)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
