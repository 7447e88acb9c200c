"""How well a student knows something: arithmetic on results, without a clock. README.md tells it in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal, NamedTuple

HALF_LIFE = timedelta(days=60)  # a result counts half as much as one that is so much younger
WEAK_BELOW = 0.6
STRONG_FROM = 0.85
ENOUGH_RESULTS = 2  # or as many points: one question of weight says as much as two small ones
ENOUGH_POINTS = 4.0
NOTABLE = 0.1  # by so much the latest source must differ from those before it to be a trend
DIGITS = 4  # shares are compared as they are shown

Standing = Literal["weak", "medium", "strong", "unclear"]
Trend = Literal["up", "steady", "down"]


class Piece(NamedTuple):
    """One result's part in a mastery."""

    at: datetime
    source: tuple[str, str]
    earned: float
    of: float


@dataclass(frozen=True, slots=True)
class Mastery:
    """How well, on how much evidence, and where it goes."""

    share: float  # 0 to 1
    results: int
    points: float  # that could be earned in them
    last_at: datetime
    trend: Trend | None  # None: only one source told of it

    @property
    def standing(self) -> Standing:
        if self.results < ENOUGH_RESULTS and self.points < ENOUGH_POINTS:
            return "unclear"
        if self.share < WEAK_BELOW:
            return "weak"
        return "strong" if self.share >= STRONG_FROM else "medium"


def mastery_of(pieces: Sequence[Piece]) -> Mastery | None:
    """None without evidence."""
    if not pieces:
        return None
    return Mastery(
        share=share_of(pieces),
        results=len(pieces),
        points=sum(piece.of for piece in pieces),
        last_at=max(piece.at for piece in pieces),
        trend=_trend(pieces),
    )


def share_of(pieces: Sequence[Piece]) -> float:
    """Points earned of points there were, each weighed by its age against the youngest. Since all weights shrink alike
    while time goes by, the share does not: it is the same whenever it is asked for."""
    youngest = max(piece.at for piece in pieces)
    weights = [math.pow(0.5, (youngest - piece.at) / HALF_LIFE) for piece in pieces]
    earned = sum(weight * piece.earned for weight, piece in zip(weights, pieces, strict=True))
    return round(earned / sum(weight * piece.of for weight, piece in zip(weights, pieces, strict=True)), DIGITS)


def _trend(pieces: Sequence[Piece]) -> Trend | None:
    """The latest source's share against that of all before it."""
    in_order = sorted(pieces, key=lambda piece: (piece.at, piece.source))
    sources = [list(group) for _, group in groupby(in_order, key=lambda piece: (piece.at, piece.source))]
    if len(sources) == 1:
        return None
    latest = share_of(sources[-1])
    change = round(latest - share_of([piece for source in sources[:-1] for piece in source]), DIGITS)
    if abs(change) < NOTABLE:
        return "steady"
    return "up" if change > 0 else "down"
