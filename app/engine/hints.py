"""Note in the ledger which hints Redis holds, and believe it only if Redis has forgotten nothing in the meantime.

A note may be late: hint, FLUSHALL, rebuild, and then the note would say of a job that the rebuild has just left to the
sweep that it is dispatched. So each enqueue tells the epoch that it was made in, and a note that finds another one
afterwards is taken back. What is not noted is swept again, and the script that knows a hint refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.engine.dispatch import Dispatcher, is_settled
from app.engine.ledger.dispatching import forget_hints, mark_dispatched
from app.engine.ledger.rows import Due, Hint
from app.kit.db import Database
from app.kit.redis import REDIS_AWAY


class Held(NamedTuple):
    """A hint that Redis took, and the epoch in which it did."""

    hint: Hint
    dispatcher: Dispatcher
    epoch: str


async def dispatch(database: Database, dispatcher: Dispatcher, dues: Sequence[Due]) -> bool:
    """Hint at these jobs and note it. False: nothing was noted, since Redis is being rebuilt."""
    enqueued = await dispatcher.enqueue(dues)
    return await note(database, [Held(due.hint, dispatcher, enqueued.epoch) for due in dues])


async def note(database: Database, held: Sequence[Held]) -> bool:
    held = [each for each in held if is_settled(each.epoch)]
    if not held:
        return False
    async with database.ledger.acquire() as connection:
        await mark_dispatched(connection, [each.hint for each in held])
    believed = {source: await _remembers(*source) for source in {(each.dispatcher, each.epoch) for each in held}}
    if doubted := [each.hint for each in held if not believed[(each.dispatcher, each.epoch)]]:
        async with database.ledger.acquire() as connection:
            await forget_hints(connection, doubted)
    return True


async def _remembers(dispatcher: Dispatcher, epoch: str) -> bool:
    try:
        return await dispatcher.epoch() == epoch
    except REDIS_AWAY:
        return False
