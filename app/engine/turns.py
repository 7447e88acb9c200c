"""Permits for a part of a job: taken when the job comes to that part, given back as soon as it is over.

A kind's own permits (permits.py) are taken before a job begins and held until it ends. A job that reads files for
minutes before it asks a model would keep others from asking all that time, and one that asks none would wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from app.engine.context import JobContext
from app.engine.ledger.rows import Hint
from app.engine.permits import Permit, PermitSets
from app.kit.db import TRY_AGAIN
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

# Seconds between two looks for a free permit. Jobs that wait to begin are called when one comes back: between that and
# their begin there is time for a look.
LOOK_AGAIN = 0.2

log = get_logger(__name__)

Held = Mapping[Hint, Sequence[Permit]]


class Turns:
    """Lets a running job wait its turn."""

    def __init__(self, sets: PermitSets, *, heartbeat: float) -> None:
        self._sets = sets
        self._heartbeat = heartbeat

    @asynccontextmanager
    async def taken(self, ctx: JobContext, name: str) -> AsyncIterator[None]:
        """Within the block the job has a permit of this name. Its delivery is the holder, so it takes one of a name at
        a time, and none that its kind begins with. How long it is willing to wait, the caller says."""
        held = {Hint(UUID(ctx.job_id), ctx.attempt): (Permit(ctx.tenant_id, name),)}
        over = asyncio.Event()
        try:
            await self._wait(held)
            keeping = asyncio.create_task(self._keep(held, over))
            try:
                yield
            finally:  # told, not cancelled: a renewal that is torn off might still arrive after the return
                over.set()
                await keeping
        finally:  # also where the wait was ended: the permit may have been granted at that moment
            await self._give_back(held)

    async def _wait(self, held: Held) -> None:
        while True:
            try:
                if all(full is None for full in (await self._sets.ask(held)).values()):
                    return
            except (*REDIS_AWAY, *TRY_AGAIN) as error:
                log.debug("a permit cannot be taken yet", error=str(error))
            await asyncio.sleep(LOOK_AGAIN)

    async def _keep(self, held: Held, over: asyncio.Event) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), self._heartbeat)
                return
            try:
                await self._sets.renew(held)
            except REDIS_AWAY as error:
                log.debug("a permit was not renewed", error=str(error))

    async def _give_back(self, held: Held) -> None:
        try:
            await self._sets.drop(held)
        except REDIS_AWAY as error:
            log.debug("a permit was left to run out", error=str(error))
