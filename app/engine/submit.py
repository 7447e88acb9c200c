"""The one door in: the ledger first, then a hint to Redis.

A job is accepted when its row is committed. Whether Redis hears of it now or from the sweep a second later changes when
it starts, never whether.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
from arq.connections import ArqRedis

from app.engine.dispatch import Dispatcher
from app.engine.events import Event, EventLog
from app.engine.hints import Held, note
from app.engine.ledger.rows import Due, JobRow
from app.engine.ledger.submit import Accepted, Answer, NewJob, submit
from app.engine.policy import Quota
from app.kit import json
from app.kit.batching import Batcher
from app.kit.db import CONNECTION_LOST, Database
from app.kit.errors import Refusal, Unavailable
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

DISPATCH_PATIENCE = 2.0  # seconds; beyond it the sweep does it

log = get_logger(__name__)


class InvalidText(Refusal):
    status = 422
    code = "invalid_text"
    title = "The input holds text that cannot be stored"
    cure = "Remove NUL characters and lone surrogates from the input."


class Submitter:
    """Accepts jobs for every queue; concurrent submits share a commit."""

    def __init__(
        self,
        database: Database,
        pool_of: Callable[[str], ArqRedis],
        events: EventLog,
        *,
        quota: Quota | None = None,  # None: for jobs that the system itself submits
    ) -> None:
        self._database = database
        self._pool_of = pool_of
        self._events = events
        self._quota = quota
        self._dispatchers: dict[str, Dispatcher] = {}
        self._submits: Batcher[NewJob, Answer] = Batcher(
            self._commit, max_batch=500, culprit_errors=(asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
        )
        self._notes: Batcher[Held, None] = Batcher(self._note, max_batch=1000)

    async def submit(self, request: NewJob) -> Accepted:
        await self._admit([request])
        try:
            answer = await self._submits.submit(request)
        except asyncpg.DataError as error:
            raise InvalidText("The input holds characters that no database text can hold.") from error
        except CONNECTION_LOST as error:
            raise Unavailable("Postgres does not answer; nothing was accepted for certain.") from error
        if isinstance(answer, Refusal):
            raise answer
        await self.dispatch([answer])
        return answer

    async def submit_many(self, requests: Sequence[NewJob]) -> list[Answer]:
        """One transaction, one dispatch."""
        await self._admit(requests)
        try:
            async with self._database.ledger.acquire() as connection:
                answers = await submit(connection, requests)
        except asyncpg.DataError as error:
            raise InvalidText("An input holds characters that no database text can hold.") from error
        except CONNECTION_LOST as error:
            raise Unavailable("Postgres does not answer; nothing was accepted for certain.") from error
        await self.dispatch([answer for answer in answers if isinstance(answer, Accepted)])
        return answers

    async def dispatch(self, accepted: Sequence[Accepted]) -> None:
        """Hint at what is new; Redis' absence only delays it."""
        failpoint("submit.committed")
        fresh = [answer.job for answer in accepted if answer.fresh]
        by_queue: dict[str, list[Due]] = defaultdict(list)
        for answer in accepted:
            if answer.fresh and answer.dispatchable:
                by_queue[answer.job.queue].append(answer.job.due())
        # The queued event goes first, or a quick worker would tell `started` before it.
        await self._events.tell([_queued(job) for job in fresh])
        for queue, dues in by_queue.items():
            await self.redispatch(queue, dues)

    async def redispatch(self, queue: str, dues: Sequence[Due]) -> None:
        dispatcher = self._dispatcher(queue)
        try:
            async with asyncio.timeout(DISPATCH_PATIENCE):
                enqueued = await dispatcher.enqueue(dues)
        except REDIS_AWAY as error:
            log.warning("redis is away; the sweep will dispatch", queue=queue, jobs=len(dues), error=str(error))
            return
        failpoint("submit.dispatched")
        for due in dues:
            self._notes.enqueue(Held(due.hint, dispatcher, enqueued.epoch)).add_done_callback(_log_lost_note)

    async def _admit(self, requests: Sequence[NewJob]) -> None:
        if self._quota is not None:
            for tenant_id, jobs in Counter(request.tenant_id for request in requests).items():
                await self._quota.admit(tenant_id, jobs)

    async def drain(self) -> None:
        await self._submits.drain()
        await self._notes.drain()

    def _dispatcher(self, queue: str) -> Dispatcher:
        if queue not in self._dispatchers:
            self._dispatchers[queue] = Dispatcher(self._pool_of(queue))
        return self._dispatchers[queue]

    async def _commit(self, requests: Sequence[NewJob]) -> list[Answer]:
        async with self._database.ledger.acquire() as connection:
            return await submit(connection, requests)

    async def _note(self, held: Sequence[Held]) -> list[None]:
        await note(self._database, held)
        return [None] * len(held)


def fingerprint(*parts: Any) -> bytes:
    """What makes two requests the same: equal JSON, whatever the order of its keys."""
    return hashlib.blake2b(json.canonical(parts), digest_size=16).digest()


def _queued(job: JobRow) -> Event:
    return Event(job.tenant_id, job.job_id, job.attempt, "queued", {"queue": job.queue, "kind": job.kind})


def _log_lost_note(future: asyncio.Future[None]) -> None:
    # A hint without a note is dispatched again by the sweep and refused by the script that knows it: noise, not harm.
    if not future.cancelled() and (error := future.exception()) is not None:
        log.debug("a dispatch was not noted", error=str(error))
