"""A time limit that is only set where there is something to wait for."""

from __future__ import annotations

import asyncio

import pytest

from app.kit.patience import within


async def test_what_is_there_already_is_returned() -> None:
    async def there() -> int:
        return 1

    assert await within(0, there()) == 1  # no time at all is enough for it


async def test_what_takes_several_waits_is_returned() -> None:
    async def slow() -> list[int]:
        seen = []
        for number in range(3):
            await asyncio.sleep(0.001)
            seen.append(number)
        return seen

    assert await within(30, slow()) == [0, 1, 2]


async def test_what_takes_too_long_is_stopped() -> None:
    stopped = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    with pytest.raises(TimeoutError):
        await within(0.01, never())
    assert stopped.is_set()


@pytest.mark.parametrize("waits", [False, True])
async def test_an_error_comes_through(waits: bool) -> None:
    async def failing() -> None:
        if waits:
            await asyncio.sleep(0)
        raise LookupError

    with pytest.raises(LookupError):
        await within(30, failing())


async def test_a_cancel_reaches_what_waits_and_may_be_answered_by_it() -> None:
    async def cleaning() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # as who gives something back on the way out
            raise
        return "never"

    task = asyncio.create_task(within(30, cleaning()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
