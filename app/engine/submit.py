"""The one door in: the ledger first, then a hint to Redis.

A job is accepted when its row is committed. Whether Redis hears of it now or from the sweep a second later changes when
it starts, never whether.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
from arq.connections import ArqRedis

from app.engine.alongside import submit_alongside
from app.engine.announce import Announcer
from app.engine.backlog import Backlog
from app.engine.dispatch import Weigh, equal_shares
from app.engine.ledger.rows import Due
from app.engine.ledger.submit import Accepted, Answer, NewJob, submit
from app.engine.policy import Quota
from app.kit import json
from app.kit.backoff import Backoff
from app.kit.batching import Batcher
from app.kit.db import TRY_AGAIN, Connection, Database
from app.kit.errors import Refusal, Unavailable

# Seconds between two batches of many who ask at the same time: each costs a tenth less, and none of them notices. Who
# asks alone does not wait.
APART = 0.002
TRIES = 3
BETWEEN_TRIES = Backoff(first=0.02, cap=0.1)
CULPRIT_ERRORS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


class InvalidText(Refusal):
    status = 422
    code = "invalid_text"
    title = "The input holds text that cannot be stored"
    cure = "Remove NUL characters and lone surrogates from the input."


class Submitter:
    """Accepts jobs for every queue; concurrent submits share a commit, and what follows it."""

    def __init__(
        self,
        database: Database,
        pool_of: Callable[[str], ArqRedis],
        *,
        quota: Quota | None = None,  # None, like `backlog`: for jobs that the system itself submits
        backlog: Backlog | None = None,
        weigh: Weigh = equal_shares,
    ) -> None:
        self._database = database
        self._quota = quota
        self._backlog = backlog
        self._announcer = Announcer(database, pool_of, weigh=weigh)
        self._submits = self._batcher(self._commit)
        self._laned = self._batcher(self._commit_apart)  # apart: a lane that is locked holds up no others

    async def submit(self, request: NewJob) -> Accepted:
        if self._quota is not None:
            await self._quota.admit(request.tenant_id, 1)
        try:
            answer = await self._decide(await self._bounded(request))
        except asyncpg.DataError as error:
            raise InvalidText("The input holds characters that no database text can hold.") from error
        except TRY_AGAIN as error:
            raise Unavailable("Postgres does not answer; nothing was accepted for certain.") from error
        if isinstance(answer, Refusal):
            raise answer
        return answer

    async def submit_many(self, requests: Sequence[NewJob]) -> list[Answer]:
        """One transaction for all but those with rows of their own, each of which stands or falls with its rows."""
        if self._quota is not None:
            for tenant_id, jobs in Counter(request.tenant_id for request in requests).items():
                await self._quota.admit(tenant_id, jobs)
        requests = [await self._bounded(request) for request in requests]
        plain = [request for request in requests if request.alongside is None]
        try:
            decided = await self._within(plain, self._commit_apart) if plain else []
            answers: dict[UUID, Answer] = dict(zip((each.job_id for each in plain), decided, strict=True))
            await self._announce(decided)
            for request in requests:
                if request.alongside is not None:
                    answers[request.job_id] = await self._decide_for_itself(request)
        except asyncpg.DataError as error:
            raise InvalidText("An input holds characters that no database text can hold.") from error
        except TRY_AGAIN as error:
            raise Unavailable("Postgres does not answer; nothing was accepted for certain.") from error
        return [answers[request.job_id] for request in requests]

    async def dispatch(self, accepted: Sequence[Accepted]) -> None:
        """Announce what somebody else has committed: a job that was submitted within a transaction of its own."""
        await self._announcer.announce(accepted)

    async def redispatch(self, queue: str, dues: Sequence[Due]) -> None:
        await self._announcer.hint(queue, dues)

    async def drain(self) -> None:
        """Answer all that was asked, and leave nothing unnoted."""
        await self._submits.drain()
        await self._laned.drain()
        await self._announcer.drain()

    async def _bounded(self, request: NewJob) -> NewJob:
        """With the capacity of its lane, where that is the tenant's to say."""
        if not request.lane_bounded or self._quota is None:
            return request
        return replace(request, lane_capacity=await self._quota.lane_capacity(request.tenant_id))

    async def _decide(self, request: NewJob) -> Answer:
        """In the batch that is gathering; a job with rows of its own in a transaction of its own."""
        if request.alongside is None:
            return await (self._submits if request.lane_id is None else self._laned).submit(request)
        answers = await self._within([request], self._commit_alongside)
        await self._announce(answers)
        return answers[0]

    async def _decide_for_itself(self, request: NewJob) -> Answer:
        try:
            return await self._decide(request)
        except asyncpg.DataError:
            return InvalidText("The input holds characters that no database text can hold.")
        except Refusal as refusal:
            return refusal

    def _batcher(self, commit: Callable[[Sequence[NewJob]], Any]) -> Batcher[NewJob, Answer]:
        async def run(requests: Sequence[NewJob]) -> list[Answer]:
            return await self._within(requests, commit)

        return Batcher(
            run,
            max_batch=500,
            apart=APART,
            alone_at_once=True,
            culprit_errors=CULPRIT_ERRORS,
            then=self._announce,
        )

    async def _within(self, requests: Sequence[NewJob], commit: Callable[[Sequence[NewJob]], Any]) -> list[Answer]:
        """Within the tenants' `max_queued`."""
        if self._backlog is None:
            answers: list[Answer] = await commit(requests)
            return answers
        return await self._backlog.decide(requests, commit)

    async def _announce(self, answers: Sequence[Answer]) -> None:
        await self._announcer.announce([answer for answer in answers if isinstance(answer, Accepted)])

    async def _commit(self, requests: Sequence[NewJob]) -> list[Answer]:
        return await _persistently(self._database.submits.use, requests)

    async def _commit_apart(self, requests: Sequence[NewJob]) -> list[Answer]:
        return await _persistently(self._database.ledger.acquire, requests)

    async def _commit_alongside(self, requests: Sequence[NewJob]) -> list[Answer]:
        return [await submit_alongside(self._database, request) for request in requests]


async def _persistently(
    acquire: Callable[[], AbstractAsyncContextManager[Connection]], requests: Sequence[NewJob]
) -> list[Answer]:
    """Again where the batch was the victim of a deadlock: nothing of it was written."""
    for tries in range(1, TRIES):
        try:
            async with acquire() as connection:
                return await submit(connection, requests)
        except asyncpg.TransactionRollbackError:
            await asyncio.sleep(BETWEEN_TRIES.delay(tries))
    async with acquire() as connection:
        return await submit(connection, requests)


def fingerprint(*parts: Any) -> bytes:
    """What makes two requests the same: equal JSON, whatever the order of its keys."""
    return hashlib.blake2b(json.canonical(parts), digest_size=16).digest()
