"""A student's updates are serial, and none is turned away: what is accepted waits until a run takes it in."""

from __future__ import annotations

from typing import Any

from app.engine.ledger.submit import NewJob
from app.engine.people import Person, Reach
from app.engine.placement import Placement
from app.kit import json
from app.kit.db import Connection
from app.workloads.profile import store


def lane_of(student_id: str) -> str:
    return f"student:{student_id}"


def place(value: dict[str, Any]) -> Placement:
    return Placement(lane=lane_of(value["student_id"]), meaning=value, bounded=False)


def reach(person: Person, lane_id: str | None) -> Reach:
    """A student follows what is told of them, and changes nothing of it: as with the profile itself."""
    if person.role == "teacher":
        return Reach.ACTS
    return Reach.SEES if lane_id == lane_of(person.person_id) else Reach.NOTHING


async def keep_update(connection: Connection, job: NewJob) -> None:
    """The update, stored with its job. Under the lane's lock, so updates are numbered as the lane is."""
    content = json.loads(job.input)
    student_id = content.pop("student_id")
    await store.keep_update(connection, job.tenant_id, student_id, job.job_id, json.text(content))
