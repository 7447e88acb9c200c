"""Merge: whatever waits for a student goes into the profile in one transaction, with the job's end.

The lane lets one run of a student be under way at a time. The first takes all that waits along; the others find nothing
left to do. A run that dies, or that the fence turns away, has written nothing: the next one finds all as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from app.engine.context import JobContext
from app.engine.outcomes import Fail
from app.kit.db import Connection
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger
from app.kit.words import fold
from app.library.readers import put_reader
from app.workloads.profile import store
from app.workloads.profile.evidence import Evidence, Update
from app.workloads.profile.picture import Picture, changes_between, draw, known_as
from app.workloads.profile.schemas import ProfileUpdated, UpdateContent
from app.workloads.profile.store import NewProfile, ProfileRow
from app.workloads.profile.telling import tell

MOST_REMARKS = 20
MOST_CHANGES = 50  # of a version, in the history
MOST_SOURCES = 20
MOST_CLASSES = 20

log = get_logger(__name__)


async def merge(ctx: JobContext) -> None:
    run = _Run(ctx.tenant_id, ctx.input["student_id"], ctx.job_id)
    async with ctx.complete_raw(run.result) as connection:
        await run.merge(connection)
        failpoint("profile.merged")


class _Run:
    """One delivery's merge."""

    def __init__(self, tenant_id: str, student_id: str, job_id: str) -> None:
        self._tenant_id = tenant_id
        self._student_id = student_id
        self._job_id = job_id
        self._before: ProfileRow | None = None
        self._left: NewProfile | None = None
        self._merged = 0

    def result(self) -> dict[str, Any]:
        """How the profile stands now. Only after the merge."""
        assert self._left is not None
        picture = Picture.model_validate(self._left.picture)
        return ProfileUpdated(
            student_id=self._student_id,
            version=self._left.version,
            merged=self._merged,
            weak=picture.weak,
            next_focus=picture.next_focus,
        ).model_dump(mode="json")

    async def merge(self, connection: Connection) -> None:
        self._left = self._before = await store.lock_profile(connection, self._tenant_id, self._student_id)
        updates = await self._take(connection)
        self._merged = len(updates)
        evidence = Evidence(await store.read_sources(connection, self._tenant_id, self._student_id) if updates else ())
        taken = [update for update in updates if evidence.take(update)]
        if taken:
            await self._write(connection, evidence, taken)
        elif self._left is None:
            raise Fail("profile_deleted", "The profile was deleted, and this update with it.")

    async def _take(self, connection: Connection) -> list[Update]:
        """What waits, oldest first, taken off the list; of cancelled jobs nothing. What cannot be read stays there and
        holds up no other."""
        numbers, updates = [], []
        for pending in await store.pending_updates(connection, self._tenant_id, self._student_id):
            try:
                content = UpdateContent.model_validate_json(pending.content)
            except ValidationError as error:
                if pending.job_id == UUID(self._job_id):
                    raise Fail("update_not_readable", f"The stored update cannot be read: {error}") from error
                log.warning("an update of a profile cannot be read", job_id=str(pending.job_id))
                continue
            numbers.append(pending.number)
            if not pending.cancelled:
                updates.append(Update(str(pending.job_id), pending.received_at, content))
        await store.drop_updates(connection, self._tenant_id, numbers)
        return updates

    async def _write(self, connection: Connection, evidence: Evidence, taken: Sequence[Update]) -> None:
        tenant_id, student_id, before = self._tenant_id, self._student_id, self._before
        picture = draw(evidence.sources)
        name, class_name = known_as(evidence.sources)
        self._left = NewProfile(
            student_id=student_id,
            name=name,
            class_name=class_name,
            version=(before.version if before is not None else 0) + 1,
            picture=picture.model_dump(mode="json"),
            notes=_remembered(before.notes if before is not None else [], taken, "notes"),
            misconceptions=_remembered(before.misconceptions if before is not None else [], taken, "misconceptions"),
        )
        await store.put_profile(connection, tenant_id, self._left, weak=[fold(each) for each in picture.weak])
        await store.put_sources(connection, tenant_id, student_id, evidence.changed.values())
        renewed = [source for key, source in evidence.changed.items() if key in evidence.renewed]
        await store.put_results(connection, tenant_id, student_id, renewed)
        earlier = Picture.model_validate(before.picture) if before is not None else None
        await store.note_version(
            connection,
            tenant_id,
            student_id,
            self._left.version,
            job_id=self._job_id,
            sources=[_told(update) for update in taken[-MOST_SOURCES:]],
            changes=changes_between(earlier, picture, most=MOST_CHANGES),
        )
        classes = dict.fromkeys(each.class_name for each in evidence.sources if each.class_name is not None)
        await put_reader(connection, tenant_id, student_id, class_names=[*classes][:MOST_CLASSES], told=tell(picture))


def _remembered(kept: Sequence[dict[str, Any]], taken: Sequence[Update], what: str) -> list[dict[str, Any]]:
    """The last ones. What a source has said before it does not say again when it is told anew."""
    remarks = list(kept)
    for update in taken:
        source = _told(update)
        known = {(each["text"], each["source"]["kind"], each["source"]["id"]) for each in remarks}
        new = (each for each in getattr(update.content, what) if (each, source["kind"], source["id"]) not in known)
        remarks += [{"text": each, "at": source["occurred_at"], "source": source} for each in dict.fromkeys(new)]
    return remarks[-MOST_REMARKS:]


def _told(update: Update) -> dict[str, Any]:
    kind, source_id = update.key
    return {
        "kind": kind,
        "id": source_id,
        "title": update.content.source.title,
        "occurred_at": _written(update.occurred_at),
    }


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
