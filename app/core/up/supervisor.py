"""Keeps parts running: a part that dies is started again, sooner if it lived long, later if it keeps dying."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import NoReturn

from app.core.up.parts import DiedAtStart, Part
from app.core.up.report import Report, fate
from app.kit.errors import EX_CONFIG, ConfigurationError

WATCH_SECONDS = 0.2
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
STEADY_AFTER_SECONDS = 30.0
START_ATTEMPTS = 3
START_WITHIN_SECONDS = 120.0


def next_pause(pause: float, lived: float) -> float:
    """How long to wait before the next start, after a life of that length."""
    if lived >= STEADY_AFTER_SECONDS:
        return FIRST_PAUSE_SECONDS
    return min(max(2 * pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)


class Supervisor:
    """One task per part: it starts the part, waits for its end, and starts it again."""

    def __init__(self, report: Report, on_ready: Callable[[Part], None]) -> None:
        self._report = report
        self._on_ready = on_ready
        self._tasks: list[asyncio.Task[NoReturn]] = []

    async def bring_up(self, *parts: Part) -> None:
        """Start the parts side by side; return when all are ready, raise when one of them cannot be."""
        firsts: list[asyncio.Future[None]] = [asyncio.get_running_loop().create_future() for _ in parts]
        for part, first in zip(parts, firsts, strict=True):
            task = asyncio.create_task(self._keep(part, first), name=f"keep {part.name}")
            task.add_done_callback(partial(_pass_on_failure, first=first))
            self._tasks.append(task)
        try:
            async with asyncio.timeout(START_WITHIN_SECONDS):
                await asyncio.gather(*firsts)
        except TimeoutError:
            late = ", ".join(part.name for part, first in zip(parts, firsts, strict=True) if first.cancelled())
            raise ConfigurationError(
                f"Not ready after {START_WITHIN_SECONDS:.0f} s: {late}.",
                cure="The parts' logs in the data directory say what they wait for.",
            ) from None

    async def watch(self) -> None:
        """Until cancelled; a failure here is one of the supervisor itself."""
        await asyncio.gather(*self._tasks)

    async def let_go(self) -> None:
        """Start nothing again from here on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, part: Part, first: asyncio.Future[None]) -> NoReturn:
        pause, failures = 0.0, 0
        while True:
            born = time.monotonic()
            try:
                await part.start()
            except (DiedAtStart, ConfigurationError) as failure:
                failures += 1
                if not first.done() and (_needs_a_cure(failure) or failures == START_ATTEMPTS):
                    raise
                what = failure.what if isinstance(failure, DiedAtStart) else failure.problem.splitlines()[0]
            else:
                self._report.ready(part.name, pid=part.pid, port=part.port, seconds=time.monotonic() - born)
                self._on_ready(part)
                if not first.done():
                    first.set_result(None)
                what = fate(await _end_of(part))
            pause = next_pause(pause, lived=time.monotonic() - born)
            self._report.trouble(part.name, what, retry_in=pause)
            await asyncio.sleep(pause)


def _needs_a_cure(failure: DiedAtStart | ConfigurationError) -> bool:
    return isinstance(failure, ConfigurationError) or failure.exit_code == EX_CONFIG


def _pass_on_failure(ended: asyncio.Task[NoReturn], first: asyncio.Future[None]) -> None:
    if not first.done():
        if ended.cancelled():
            first.cancel()
        elif failure := ended.exception():
            first.set_exception(failure)


async def _end_of(part: Part) -> int:
    while (exit_code := part.exit_code) is None:  # noqa: ASYNC110 - the kernel tells of an exit only who asks
        await asyncio.sleep(WATCH_SECONDS)
    return exit_code
