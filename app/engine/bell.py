"""How an idle worker hears of new work: one blocking read, instead of a look every half second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.engine.dispatch import Call, Dispatcher


class Bell:
    """At most one blocking read at a time. It outlasts the rounds of the loop: a cancel would cost its connection."""

    def __init__(self, dispatcher: Dispatcher, on_ring: Callable[[], None], *, patience: float) -> None:
        self._dispatcher = dispatcher
        self._on_ring = on_ring
        self._patience = patience  # seconds that one read may last
        self._reading: asyncio.Task[Call | None] | None = None

    def heard(self) -> Call | None:
        """What it rang for since the last look. Raises what the read failed with: Redis went away while it listened."""
        if self._reading is None or not self._reading.done():
            return None
        reading, self._reading = self._reading, None
        return reading.result()

    def listen(self) -> None:
        """Have a read out."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._dispatcher.wait_for_work(self._patience))
            self._reading.add_done_callback(lambda _: self._on_ring())

    async def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
