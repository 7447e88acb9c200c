"""Wait for a job: woken by its news, and by the clock where Redis has none to give."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from app.api.jobs.documents import Sight
from app.api.outages import OUTAGES, is_outage
from app.engine.events import EventBell

LOOK_SECONDS = 1.0  # between two looks when the bell is silent
PATIENCE = 20  # an answer may be late by this fraction of what was waited, so that a chatty job costs few looks
LONGEST_PAUSE = 0.25


async def wait_for(
    bell: EventBell,
    look: Callable[[], Awaitable[Sight | None]],
    *,
    known: Sight,
    until: Callable[[Sight], bool],
    seconds: float,
) -> Sight:
    """The first sight of which `until` holds, or the last one before the time was over.

    A server that goes away meanwhile spoils nothing: what is known is the answer.
    """
    started = time.monotonic()
    with bell.waiting_for(known.row.job_id) as rung:
        while True:
            rung.clear()
            known = await _try_to_look(look) or known
            left = started + seconds - time.monotonic()
            if until(known) or left <= 0:
                return known
            if await ring(rung, min(left, LOOK_SECONDS)):
                await asyncio.sleep(min((time.monotonic() - started) / PATIENCE, LONGEST_PAUSE, left))


async def ring(rung: asyncio.Event, seconds: float) -> bool:
    """Whether the bell rang within this time."""
    try:
        async with asyncio.timeout(seconds):
            return await rung.wait()
    except TimeoutError:
        return False


async def _try_to_look(look: Callable[[], Awaitable[Sight | None]]) -> Sight | None:
    try:
        return await look()
    except OUTAGES as error:
        if not is_outage(error):
            raise
        return None
