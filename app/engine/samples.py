"""Sample the queues for operators, every ten seconds; an errand of the base worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.engine.ledger.samples import take_samples
from app.kit.db import CONNECTION_LOST, Database
from app.kit.logging import get_logger

LOOK = 2.0  # seconds between two looks whether a sample is missing

log = get_logger(__name__)


class Sampler:
    """Writes `queue_samples`. Several may run: a moment is sampled once."""

    def __init__(self, database: Database, queues: Sequence[str]) -> None:
        self._database = database
        self._queues = queues

    async def run(self) -> None:
        while True:
            try:
                async with self._database.ledger.acquire() as connection:
                    await take_samples(connection, self._queues)
            except CONNECTION_LOST as error:
                log.warning("postgres is away; no samples meanwhile", error=str(error))
            except Exception:
                log.exception("the queues could not be sampled; the next look goes on")
            await asyncio.sleep(LOOK)
