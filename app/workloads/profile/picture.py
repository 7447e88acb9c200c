"""From the evidence to what a profile shows. Computed from the truth each time, so nothing in it can drift."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from app.kit.words import fold
from app.workloads.profile.evidence import Result, Source
from app.workloads.profile.mastery import (
    DIGITS,
    WEAK_BELOW,
    Mastery,
    Piece,
    Standing,
    Trend,
    mastery_of,
)

MOST_FOCUS = 5
MOST_TO_REVIEW = 10
REVIEWED_SOURCES = 3
MOST_SOURCES_SHOWN = 20


class PointView(BaseModel):
    """A knowledge point as the student stands with it."""

    name: str
    mastery: float | None
    standing: Standing
    results: int
    points: float
    last_at: datetime | None
    trend: Trend | None
    assigned: bool


class SourceView(BaseModel):
    kind: str
    id: str
    title: str | None
    occurred_at: datetime


class ReviewView(BaseModel):
    """A question that went badly lately."""

    source: SourceView
    question_id: str
    knowledge_points: list[str]
    score: float
    max_score: float


class OverallView(BaseModel):
    mastery: float | None
    results: int
    points: float
    trend: Trend | None


class Picture(BaseModel):
    """What the results say."""

    overall: OverallView
    knowledge_points: list[PointView]
    weak: list[str]
    medium: list[str]
    strong: list[str]
    next_focus: list[str]
    to_review: list[ReviewView]
    sources: list[SourceView]


def draw(sources: Sequence[Source]) -> Picture:
    """`sources`: the latest first."""
    points = sorted(_points(sources), key=lambda each: (each.mastery if each.mastery is not None else 2.0, each.name))
    overall = mastery_of(
        [piece for source in sources for result in source.results if (piece := _piece(source, result))]
    )
    return Picture(
        overall=OverallView(
            mastery=overall.share if overall else None,
            results=overall.results if overall else 0,
            points=overall.points if overall else 0.0,
            trend=overall.trend if overall else None,
        ),
        knowledge_points=points,
        weak=[each.name for each in points if each.standing == "weak"],
        medium=[each.name for each in points if each.standing == "medium"],
        strong=[each.name for each in points if each.standing == "strong"],
        next_focus=[each.name for each in _focus(points)],
        to_review=list(_to_review(sources)),
        sources=[_view(source) for source in sources if source.results or source.assigned][:MOST_SOURCES_SHOWN],
    )


def known_as(sources: Sequence[Source]) -> tuple[str | None, str | None]:
    """Name and class as the latest source that tells them has them."""
    name = next((each.name for each in sources if each.name is not None), None)
    return name, next((each.class_name for each in sources if each.class_name is not None), None)


def changes_between(before: Picture | None, after: Picture, *, most: int) -> list[dict[str, Any]]:
    """The knowledge points that stand differently, the largest changes first."""
    old = {fold(each.name): each for each in before.knowledge_points} if before is not None else {}
    new = {fold(each.name): each for each in after.knowledge_points}
    found = [
        _change(old.get(key), new.get(key)) for key in old.keys() | new.keys() if _differ(old.get(key), new.get(key))
    ]
    return sorted(found, key=lambda each: (-each["by"], each["name"]))[:most]


def _points(sources: Sequence[Source]) -> Iterator[PointView]:
    """One spelling for what reads the same: the latest source's."""
    names: dict[str, str] = {}
    pieces: dict[str, list[Piece]] = defaultdict(list)
    assigned: Counter[str] = Counter()
    for source in sources:
        for point in source.assigned:
            names.setdefault(fold(point), point)
            assigned[fold(point)] += 1
        for result in source.results:
            for key, point in {fold(point): point for point in result.knowledge_points}.items():
                names.setdefault(key, point)
                if (piece := _piece(source, result)) is not None:
                    pieces[key].append(piece)
    for key, name in names.items():
        yield _point(name, mastery_of(pieces[key]), assigned=assigned[key] > 0)


def _point(name: str, known: Mastery | None, *, assigned: bool) -> PointView:
    return PointView(
        name=name,
        mastery=known.share if known else None,
        standing=known.standing if known else "unclear",
        results=known.results if known else 0,
        points=known.points if known else 0.0,
        last_at=known.last_at if known else None,
        trend=known.trend if known else None,
        assigned=assigned,
    )


def _piece(source: Source, result: Result) -> Piece | None:
    if (earned := result.earned) is None:
        return None
    return Piece(source.occurred_at, source.key, earned, result.max_score)


def _focus(points: Sequence[PointView]) -> list[PointView]:
    """Weak points, those that are assigned first; then what is assigned and not yet known well or at all."""
    ranks: dict[tuple[Standing, bool], int] = {
        ("weak", True): 0,
        ("weak", False): 1,
        ("medium", True): 2,
        ("unclear", True): 3,
    }
    wanted = [each for each in points if (each.standing, each.assigned) in ranks]
    return sorted(wanted, key=lambda each: ranks[each.standing, each.assigned])[:MOST_FOCUS]


def _to_review(sources: Sequence[Source]) -> Iterator[ReviewView]:
    """What went badly in the latest sources, the worst first. Also where nobody named what a question is about."""
    room = MOST_TO_REVIEW
    for source in [each for each in sources if each.results][:REVIEWED_SOURCES]:
        shares = [
            (round(earned / result.max_score, DIGITS), result)
            for result in source.results
            if (earned := result.earned) is not None
        ]
        bad = sorted((pair for pair in shares if pair[0] < WEAK_BELOW), key=lambda pair: pair[0])[:room]
        room -= len(bad)
        yield from (_reviewed(source, result) for _, result in bad)


def _reviewed(source: Source, result: Result) -> ReviewView:
    assert result.score is not None
    return ReviewView(
        source=_view(source),
        question_id=result.question_id,
        knowledge_points=list(result.knowledge_points),
        score=result.score,
        max_score=result.max_score,
    )


def _view(source: Source) -> SourceView:
    kind, source_id = source.key
    return SourceView(kind=kind, id=source_id, title=source.title, occurred_at=source.occurred_at)


def _differ(old: PointView | None, new: PointView | None) -> bool:
    if old is None or new is None:
        return True
    return (old.standing, old.mastery, old.assigned) != (new.standing, new.mastery, new.assigned)


def _change(old: PointView | None, new: PointView | None) -> dict[str, Any]:
    shown = new or old
    assert shown is not None
    was, now = (each.mastery if each is not None else None for each in (old, new))
    return {
        "name": shown.name,
        "standing": [old.standing if old else None, new.standing if new else None],
        "mastery": [was, now],
        "by": round(abs((now or 0.0) - (was or 0.0)), DIGITS),
    }
