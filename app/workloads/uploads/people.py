"""What a person with a token of their own may do with the jobs that read uploads."""

from __future__ import annotations

from app.engine.people import Person, Reach


def reach(person: Person, _lane_id: str | None) -> Reach:
    """Any teacher may go on with what another has uploaded. Students nothing: it holds answers and others' marks."""
    return Reach.ACTS if person.role == "teacher" else Reach.NOTHING
