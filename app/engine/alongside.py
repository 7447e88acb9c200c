"""A job that commits together with rows of its tenant: a transaction of its own instead of a place in the batch."""

from __future__ import annotations

import asyncio

import asyncpg

from app.engine.ledger.submit import Accepted, Answer, NewJob, submit
from app.kit.backoff import Backoff
from app.kit.db import Database

TRIES = 3
BETWEEN_TRIES = Backoff(first=0.02, cap=0.1)


async def submit_alongside(database: Database, request: NewJob) -> Answer:
    """Accept the job and write what its kind keeps with it: both are there, or neither is."""
    for tries in range(1, TRIES):
        try:
            return await _submit(database, request)
        except asyncpg.TransactionRollbackError:  # the victim of a deadlock; nothing of it was written
            await asyncio.sleep(BETWEEN_TRIES.delay(tries))
    return await _submit(database, request)


async def _submit(database: Database, request: NewJob) -> Answer:
    assert request.alongside is not None
    async with database.tenant(request.tenant_id) as connection:
        answer = (await submit(connection, [request]))[0]
        if isinstance(answer, Accepted) and answer.fresh:
            await request.alongside(connection, request)
        return answer
