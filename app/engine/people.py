"""How far a person gets with a job, where the token names a person. An API key acts for everybody and is not asked."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from app.engine.workload import JobKind, resolve


class Person(NamedTuple):
    """Who speaks."""

    role: str  # student or teacher
    person_id: str


class Reach(IntEnum):
    NOTHING = 0
    SEES = 1  # reads the job and follows its events
    ACTS = 2  # submits, cancels and retries it


def reach(kind: JobKind | None, person: Person, lane_id: str | None) -> Reach:
    """As the kind says, which knows whose a lane is; a kind that says nothing is the staff's."""
    if kind is not None and kind.reach is not None:
        answer: Reach = resolve(kind.reach)(person, lane_id)
        return answer
    return Reach.NOTHING if person.role == "student" else Reach.ACTS
