"""Note how far running deliveries are: one statement for all that moved since the last time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from app.engine.ledger.begin import Delivery
from app.kit.db import Connection


class Progress(NamedTuple):
    percent: int
    step: str | None


async def note_progress(connection: Connection, moved: Mapping[Delivery, Progress]) -> None:
    """A delivery that no longer owns its job changes nothing, and one that is just completing waits for nobody."""
    await connection.execute(
        _NOTE,
        [delivery.job_id for delivery in moved],
        [delivery.token for delivery in moved],
        [progress.percent for progress in moved.values()],
        [progress.step for progress in moved.values()],
    )


_NOTE = """
with moved as materialized (
    select j.job_id, j.tenant_id, moved.percent, moved.step
    from unnest($1::uuid[], $2::uuid[], $3::int2[], $4::text[]) as moved (job_id, token, percent, step)
    join jobs j on j.job_id = moved.job_id and j.claim_token = moved.token
         and j.status is not distinct from 'processing'
    for no key update of j skip locked
)
update jobs j set progress = moved.percent, step = moved.step, updated_at = now()
from moved where j.job_id = moved.job_id and j.tenant_id = moved.tenant_id
"""
