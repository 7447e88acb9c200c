"""Note in the ledger which hints Redis holds, and believe it only if Redis has forgotten nothing in the meantime.

A note may be late: hint, FLUSHALL, rebuild, and then the note would say of a job that the rebuild has just left to the
sweep that it is dispatched. So each enqueue tells the epoch that it was made in, and the ledger takes notes of the
current epoch alone. What is not noted is swept again, and the script that knows a hint refuses it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.engine.dispatch import Dispatcher, is_settled
from app.engine.ledger.dispatching import mark_dispatched
from app.engine.ledger.rows import Hint
from app.kit.db import TRY_AGAIN, Database
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger
from app.kit.waker import Waker

LINGER = 0.25  # seconds: most jobs that are quick have begun by then, and what has begun needs no note
NOTES = 1000  # in one statement

log = get_logger(__name__)


class Held(NamedTuple):
    """A hint that Redis took, and the epoch in which it did."""

    hint: Hint
    dispatcher: Dispatcher
    epoch: str


async def note(database: Database, held: Sequence[Held]) -> bool:
    """Note that Redis holds these. False: nothing was noted, since Redis is being rebuilt."""
    held = [each for each in held if is_settled(each.epoch)]
    if not held:
        return False
    failpoint("note.before")
    async with database.ledger.acquire() as connection:
        await mark_dispatched(connection, [each.hint for each in held], [each.epoch for each in held])
    failpoint("note.written")
    return True


class Notebook:
    """Notes that are not urgent: they linger for a moment, in which most of them become needless."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: list[Held] = []
        self._writer: asyncio.Task[None] | None = None
        self._hurry = Waker()

    def add(self, held: Iterable[Held]) -> None:
        self._held += held
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def drain(self) -> None:
        """Write all of it now."""
        self._hurry.set()
        while self._writer is not None:
            await asyncio.wait({self._writer})
        self._hurry.clear()

    async def _write(self) -> None:
        try:
            while self._held:
                await self._hurry.wait(LINGER)
                held, self._held = self._held, []
                for start in range(0, len(held), NOTES):
                    await self._try_to_note(held[start : start + NOTES])
        finally:
            self._writer = None

    async def _try_to_note(self, held: Sequence[Held]) -> None:
        try:
            await note(self._database, held)
        except TRY_AGAIN as error:
            # The sweep dispatches them again, and the script that knows the hints refuses them: noise, not harm.
            log.debug("dispatches were not noted", hints=len(held), error=str(error))
