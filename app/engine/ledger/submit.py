"""Accept jobs: keys, places in lanes and rows are decided together. Rejections consume nothing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.engine.ledger.insert import insert, insert_with_keys
from app.engine.ledger.keys import earlier_answers
from app.engine.ledger.lanes import Admission
from app.engine.ledger.newjob import Accepted, Alongside, Answer, IdempotencyConflict, LaneFull, NewJob
from app.kit.db import Connection, transaction
from app.kit.errors import Unavailable

__all__ = ["Accepted", "Alongside", "Answer", "IdempotencyConflict", "LaneFull", "NewJob", "submit"]

KEY_TRIES = 3


async def submit(connection: Connection, requests: Sequence[NewJob]) -> list[Answer]:
    """Decide all requests; the n-th answer belongs to the n-th request.

    Joins the caller's transaction where one is open, so that a job can commit together with domain rows.
    """
    if any(request.lane_id for request in requests):
        async with transaction(connection):
            return await Admission(connection, requests).decide()
    if any(request.idempotency_key for request in requests):
        return await _submit_with_keys(connection, requests)
    made = await insert(connection, requests)
    return [made[request.job_id] for request in requests]


async def _submit_with_keys(connection: Connection, requests: Sequence[NewJob]) -> list[Answer]:
    """One statement takes the keys, writes the rows, and commits by itself. Of those who came too late for their key a
    second one tells to whom it went: its own snapshot sees what the first one had to wait for."""
    answers: dict[UUID, Answer] = {}
    left = requests
    for _ in range(KEY_TRIES):
        answers |= await insert_with_keys(connection, left)
        late = [request for request in left if request.job_id not in answers]
        if late:
            answers |= await earlier_answers(connection, late)
        left = [request for request in late if request.job_id not in answers]
        if not left:
            return [answers[request.job_id] for request in requests]
    raise Unavailable("What an idempotency key stands for is being removed at this moment.")
