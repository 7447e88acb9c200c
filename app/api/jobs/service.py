"""One tenant's jobs, as one request reaches them: every statement runs under the tenant's row level security."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

from app.api.deps import Services
from app.api.jobs.documents import More, Sight, job_document, see
from app.api.jobs.waiting import wait_for
from app.api.pages import Cursor, cut, page
from app.api.problems import point_below
from app.api.refusals import JobExpired, JobNotFound
from app.engine.events import Event
from app.engine.ledger.cancel import JobNotCancellable, cancel
from app.engine.ledger.dispatching import lane_heads
from app.engine.ledger.pages import JobFilter
from app.engine.ledger.read import lane_places, list_jobs, read_attempts, read_job, read_job_in_lane
from app.engine.ledger.retention import has_expired
from app.engine.ledger.retry import JobNotRetryable, retry
from app.engine.ledger.rows import Due, JobRow
from app.engine.ledger.submit import Accepted, NewJob
from app.engine.people import Person, Reach, reach
from app.engine.requests import Wish, accept
from app.engine.workload import resolve
from app.kit.db import Connection
from app.kit.errors import Refusal
from app.kit.failpoints import failpoint
from app.tenancy.access import NotYours

NO_SUCH_JOB = "No job of this tenant has this id."


class Jobs:
    """What the routes under /jobs do, without HTTP."""

    def __init__(self, services: Services, tenant_id: str, base: str, person: Person | None = None) -> None:
        self.services = services
        self.tenant_id = tenant_id
        self.base = base
        self._person = person  # who alone may be meant; None: everybody

    def accept(self, wish: Wish, where: str = "/body") -> NewJob:
        """Check a wish against what this deployment runs; pointers of a refusal start at `where`."""
        try:
            new = accept(self.services.registry, wish)
        except Refusal as refusal:
            raise point_below(refusal, where) from None
        self._require(Reach.ACTS, new)
        return new

    async def submit(self, wish: Wish) -> Accepted:
        return await self.services.submitter.submit(self.accept(wish))

    async def look(self, job_id: UUID, *, debounced: bool = False) -> Sight | None:
        async with self._connection() as connection:
            found = await read_job_in_lane(connection, self.tenant_id, job_id)
            if found is None:
                return None
            row, place = found
            self._require(Reach.SEES, row)
            more = await self._more(connection, [row])
            return see(row, base=self.base, place=place, debounced=debounced, more=more.get(job_id))

    async def read(self, job_id: UUID) -> Sight:
        sight = await self.look(job_id)
        if sight is None:
            async with self._connection() as connection:
                raise await self._absence(connection, job_id)
        return sight

    async def watch(self, known: Sight, seconds: int, until: Callable[[Sight], bool], *, debounced: bool) -> Sight:
        """The job when `until` holds of it, or as it stands after these seconds."""
        look = partial(self.look, known.row.job_id, debounced=debounced)
        return await wait_for(self.services.bell, look, known=known, until=until, seconds=seconds)

    async def list(self, wanted: JobFilter) -> dict[str, Any]:
        async with self._connection() as connection:
            rows, following = cut(await list_jobs(connection, self.tenant_id, wanted), wanted.limit, _place)
            seen = [row for row in rows if self._reach(row) >= Reach.SEES]
            return page(await self._documents(connection, seen), following)

    async def attempts(self, job_id: UUID) -> Sequence[dict[str, Any]]:
        async with self._connection() as connection:
            await self._require_of(connection, job_id, Reach.SEES)
            attempts = await read_attempts(connection, self.tenant_id, job_id)
            if not attempts and await read_job(connection, self.tenant_id, job_id) is None:
                raise await self._absence(connection, job_id)
            return attempts

    async def describe(self, accepted: Accepted) -> Sight:
        """As it got in, or where that does not say all, as it stands."""
        row, place = accepted.job, accepted.place
        if self._describes(row) is None and (row.lane_id is None or place is not None):
            return see(row, base=self.base, place=place, debounced=accepted.debounced)
        async with self._connection() as connection:
            return await self._see(connection, accepted.job, debounced=accepted.debounced)

    async def documents(self, rows: Sequence[JobRow]) -> Sequence[dict[str, Any]]:
        if all(map(self._is_plain, rows)):
            return [job_document(row, base=self.base) for row in rows]
        async with self._connection() as connection:
            return await self._documents(connection, rows)

    async def cancel(self, job_id: UUID) -> Sight:
        """End the job: at once where it is queued, else as soon as its worker has stopped it."""
        async with self._connection() as connection:
            await self._require_of(connection, job_id, Reach.ACTS)
            row = await cancel(connection, self.tenant_id, job_id)
            if row is None:
                raise await self._refusal(connection, job_id, JobNotCancellable)
            heads = await self._lane_heads(connection, row) if not row.live else []
            sight = await self._see(connection, row)
        failpoint("cancel.committed")
        if not row.live:
            await self._tell(row, "cancelled")
            await self._dispatch(row.queue, heads)
        return sight

    async def retry(self, job_id: UUID) -> Sight:
        """Queue a failed job again, with a fresh budget and at the tail of its lane."""
        async with self._connection() as connection:
            await self._require_of(connection, job_id, Reach.ACTS)
            row = await retry(connection, self.tenant_id, job_id)
            if row is None:
                raise await self._refusal(connection, job_id, JobNotRetryable)
            dues = [row.due()] if row.lane_id is None else await self._lane_heads(connection, row)
            sight = await self._see(connection, row)
        failpoint("retry.committed")
        # The event goes first, or a quick worker would tell `started` before it.
        await self._tell(row, "queued", queue=row.queue, kind=row.kind)
        await self._dispatch(row.queue, dues)
        return sight

    def _reach(self, job: JobRow | NewJob) -> Reach:
        if self._person is None:
            return Reach.ACTS
        found = self.services.registry.find(job.kind)
        return reach(found[0] if found is not None else None, self._person, job.lane_id)

    def _require(self, least: Reach, job: JobRow | NewJob) -> None:
        if self._reach(job) < least:
            assert self._person is not None
            raise NotYours(f"The token is of a {self._person.role}, for what concerns that person alone.")

    async def _require_of(self, connection: Connection, job_id: UUID, least: Reach) -> None:
        if self._person is not None and (row := await read_job(connection, self.tenant_id, job_id)) is not None:
            self._require(least, row)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with self.services.database.tenant(self.tenant_id) as connection:
            yield connection

    async def _see(self, connection: Connection, row: JobRow, *, debounced: bool = False) -> Sight:
        places, more = await lane_places(connection, [row]), await self._more(connection, [row])
        place, added = places.get(row.job_id), more.get(row.job_id)
        return see(row, base=self.base, place=place, debounced=debounced, more=added)

    async def _documents(self, connection: Connection, rows: Sequence[JobRow]) -> Sequence[dict[str, Any]]:
        places, more = await lane_places(connection, [*rows]), await self._more(connection, rows)
        return [
            job_document(row, base=self.base, place=places.get(row.job_id), more=more.get(row.job_id)) for row in rows
        ]

    async def _more(self, connection: Connection, rows: Sequence[JobRow]) -> Mapping[UUID, More]:
        """What kinds say besides about their jobs; most say nothing."""
        by_path: dict[str, list[JobRow]] = {}
        for row in rows:
            if (path := self._describes(row)) is not None:
                by_path.setdefault(path, []).append(row)
        more: dict[UUID, More] = {}
        for path, described in by_path.items():
            more |= await resolve(path)(connection, described)
        return more

    def _describes(self, row: JobRow) -> str | None:
        found = self.services.registry.find(row.kind)
        return found[0].describes if found is not None else None

    def _is_plain(self, row: JobRow) -> bool:
        """Whether the row tells all that the document of its job says."""
        return row.lane_id is None and self._describes(row) is None

    async def _refusal(self, connection: Connection, job_id: UUID, refusal: type[Refusal]) -> Refusal:
        row = await read_job(connection, self.tenant_id, job_id)
        if row is None:
            return await self._absence(connection, job_id)
        return refusal(f"The job is {row.status}.", job_status=row.status)

    async def _absence(self, connection: Connection, job_id: UUID) -> Refusal:
        """Why there is no such job: it is not kept any more, or it never was one of this tenant."""
        if await has_expired(connection, self.tenant_id, job_id):
            return JobExpired("The job ended, and was kept for as long as the tenant keeps jobs.")
        return JobNotFound(NO_SUCH_JOB)

    async def _lane_heads(self, connection: Connection, row: JobRow) -> Sequence[Due]:
        if row.lane_id is None:
            return []
        return await lane_heads(connection, row.queue, [(self.tenant_id, row.lane_id)])

    async def _dispatch(self, queue: str, dues: Sequence[Due]) -> None:
        if dues:
            await self.services.submitter.redispatch(queue, dues)

    async def _tell(self, row: JobRow, event: str, **data: Any) -> None:
        await self.services.events.tell([Event(row.tenant_id, row.job_id, row.attempt, event, data)])


def _place(row: JobRow) -> Cursor:
    return Cursor(row.created_at, row.job_id)
