"""Work that falls due by the clock, as a workload's spec declares it; and the reckoning of its moments, all in UTC."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from arq.cron import next_cron

# How far to look back for the last moment that passed, in widening steps: an outage is mostly short.
_LOOK_BACK = (
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=32),
    timedelta(days=367),
    timedelta(days=8 * 367),  # a 29 February
)


@dataclass(frozen=True, slots=True)
class At:
    """A moment of the calendar by its fields, as cron has them; None is every one of them."""

    month: int | None = None
    day: int | None = None
    weekday: int | None = None  # 0 is Monday
    hour: int | None = None
    minute: int | None = None
    second: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Either a job of `kind` for every enabled tenant, or `task`, once for the whole deployment.

    Moments that passed while nobody was there are caught up with once, as the latest of them. Jobs are submitted
    exactly once per moment: the note of the moment and the jobs commit together. A task has begun once per moment; it
    begins again where its worker died under it.
    """

    name: str  # "<queue>.<what>", stable: Postgres knows it by this name
    every: float | None = None  # seconds, counted from the epoch: every worker reckons alike
    at: At | None = None
    kind: str | None = None
    input: Any = None
    task: str | None = None  # a dotted path: async (Upkeep) -> None
    timeout: float = 300.0  # seconds that a task may take; a dead worker's is begun again after them

    def __post_init__(self) -> None:
        if (self.every is None) == (self.at is None):
            raise ValueError(f"the schedule {self.name!r} needs one of `every` and `at`")
        if (self.kind is None) == (self.task is None):
            raise ValueError(f"the schedule {self.name!r} needs one of `kind` and `task`")

    @property
    def timing(self) -> str:
        """What the moments depend on: where it changes, they are reckoned anew."""
        if self.at is None:
            return f"every {self.every:g} s"
        return "at " + ", ".join(f"{name} {value}" for name, value in asdict(self.at).items() if value is not None)

    def next_after(self, moment: datetime) -> datetime:
        """The first moment after this one."""
        if self.at is not None:
            return next_cron(moment, **asdict(self.at), microsecond=0)
        assert self.every is not None
        return datetime.fromtimestamp((math.floor(moment.timestamp() / self.every) + 1) * self.every, UTC)

    def latest(self, due: datetime, now: datetime) -> datetime:
        """The last moment from `due`, which has passed, until now."""
        for back in _LOOK_BACK:
            moment = due if now - back <= due else self.next_after(now - back)
            if moment <= now:
                while (following := self.next_after(moment)) <= now:
                    moment = following
                return moment
        return due
