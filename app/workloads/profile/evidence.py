"""What the sources told about one student: the truth that everything else is computed from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from app.workloads.profile.schemas import UpdateContent


class SourceKey(NamedTuple):
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Result:
    """What the student got for a question."""

    question_id: str
    knowledge_points: tuple[str, ...]
    score: float | None
    max_score: float

    @property
    def earned(self) -> float | None:
        """Points between none and all: bonus and penalty marks say nothing more of what somebody knows. None where the
        result tells nothing: absent, exempt, or a question without points."""
        if self.score is None or self.max_score <= 0:
            return None
        return min(max(self.score, 0.0), self.max_score)


@dataclass(frozen=True, slots=True)
class Source:
    """An exam, an assignment, a conversation or a teacher's word, as it stands now."""

    key: SourceKey
    occurred_at: datetime
    title: str | None = None
    name: str | None = None
    class_name: str | None = None
    as_of: datetime | None = None
    assigned: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """An accepted update, on its way into the evidence."""

    job_id: str
    received_at: datetime
    content: UpdateContent

    @property
    def key(self) -> SourceKey:
        """A source without an id of its own is told of once: the job's id names it."""
        source = self.content.source
        return SourceKey(source.kind, source.id if source.id is not None else f"job:{self.job_id}")

    @property
    def occurred_at(self) -> datetime:
        """Nothing happened after it was told: a date that is wrong must not outweigh all that comes later."""
        return min(self.content.occurred_at or self.received_at, self.received_at)


class Evidence:
    """All sources of one student, and which of them an update has changed."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = {source.key: source for source in sources}
        self.changed: dict[SourceKey, Source] = {}
        self.renewed: set[SourceKey] = set()  # those of them whose results were told anew

    @property
    def sources(self) -> list[Source]:
        """The latest first."""
        return sorted(self._sources.values(), key=lambda each: (each.occurred_at, each.key), reverse=True)

    def take(self, update: Update) -> bool:
        """Put what is told of a source in the place of what was told before; False where that was newer already."""
        known = self._sources.get(update.key)
        if known is not None and _is_older(update, known):
            return False
        told, blank = update.content, Source(update.key, update.occurred_at)
        # With results, it is all that the source has to say; without, it adds to what was said.
        before = known if known is not None and told.results is None else blank
        self._sources[update.key] = self.changed[update.key] = replace(
            before,
            occurred_at=update.occurred_at,
            title=told.source.title if told.source.title is not None else before.title,
            name=told.name if told.name is not None else before.name,
            class_name=told.class_name if told.class_name is not None else before.class_name,
            as_of=told.source.as_of if told.source.as_of is not None else (known.as_of if known is not None else None),
            assigned=before.assigned if told.assigned is None else tuple(told.assigned),
            results=before.results if told.results is None else _results(told),
        )
        if told.results is not None:
            self.renewed.add(update.key)
        return True


def _is_older(update: Update, known: Source) -> bool:
    as_of = update.content.source.as_of
    return as_of is not None and known.as_of is not None and as_of < known.as_of


def _results(told: UpdateContent) -> tuple[Result, ...]:
    return tuple(
        Result(each.question_id, tuple(each.knowledge_points), each.score, each.max_score)
        for each in told.results or ()
    )
