"""Group commit: what gathers, what flies, and that only the culprit fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from app.kit.batching import Batcher
from tests.support.waiting import eventually


class Culprit(Exception):
    pass


class Store:
    """Counts what it was asked, refuses 13, and flies only when told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def run(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await self.gate.wait()
        if 13 in items:
            raise Culprit
        if 99 in items:
            raise ConnectionError("gone")
        return [item * 2 for item in items]


@pytest.fixture
def store() -> Store:
    return Store()


def batcher(store: Store, max_batch: int = 100) -> Batcher[int, int]:
    return Batcher(store.run, max_batch=max_batch, culprit_errors=(Culprit,))


async def test_while_one_batch_flies_the_next_one_gathers(store: Store) -> None:
    store.gate.clear()
    batching = batcher(store)
    answers = [batching.enqueue(0)]
    await asyncio.sleep(0)
    answers += [batching.enqueue(number) for number in range(1, 6)]
    await asyncio.sleep(0)
    assert store.batches == [[0]]
    store.gate.set()
    assert await asyncio.gather(*answers) == [0, 2, 4, 6, 8, 10]
    assert store.batches == [[0], [1, 2, 3, 4, 5]]


async def test_a_batch_is_bounded(store: Store) -> None:
    batching = batcher(store, max_batch=3)
    assert await asyncio.gather(*(batching.submit(number) for number in range(8))) == [n * 2 for n in range(8)]
    assert store.batches == [[0, 1, 2], [3, 4, 5], [6, 7]]


async def test_an_idle_batcher_sends_at_once_and_comes_to_rest(store: Store) -> None:
    batching = batcher(store)
    assert batching.idle
    for number in (1, 2):
        assert await batching.submit(number) == number * 2
        await batching.drain()
        assert batching.idle
    assert store.batches == [[1], [2]]


@pytest.mark.parametrize("place", [0, 3, 7])
async def test_only_the_culprit_fails(store: Store, place: int) -> None:
    items = list(range(8))
    items[place] = 13
    batching = batcher(store)
    answers = await asyncio.gather(*(batching.submit(item) for item in items), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Culprit) == 1
    assert isinstance(answers[place], Culprit)
    assert [answer for answer in answers if not isinstance(answer, Culprit)] == [n * 2 for n in items if n != 13]


async def test_two_culprits_fail_and_nobody_else(store: Store) -> None:
    batching = batcher(store)
    answers = await asyncio.gather(*(batching.submit(item) for item in (13, 1, 2, 13)), return_exceptions=True)
    assert [isinstance(answer, Culprit) for answer in answers] == [True, False, False, True]


async def test_an_error_that_is_nobody_s_fault_fails_the_batch_once_and_the_next_one_flies(store: Store) -> None:
    batching = batcher(store)
    answers = await asyncio.gather(batching.submit(99), batching.submit(1), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError, ConnectionError]
    assert store.batches == [[99, 1]]
    assert await batching.submit(2) == 4


async def test_a_caller_that_gave_up_before_the_start_takes_its_item_along(store: Store) -> None:
    store.gate.clear()
    batching = batcher(store)
    flying = asyncio.ensure_future(batching.submit(0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving, staying = asyncio.ensure_future(batching.submit(1)), asyncio.ensure_future(batching.submit(2))
    await asyncio.sleep(0)
    leaving.cancel()
    store.gate.set()
    assert [await flying, await staying] == [0, 4]
    assert store.batches == [[0], [2]]


async def test_a_caller_that_gives_up_in_flight_harms_no_other(store: Store) -> None:
    store.gate.clear()
    batching = batcher(store)
    leaving, staying = asyncio.ensure_future(batching.submit(1)), asyncio.ensure_future(batching.submit(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert store.batches == [[1, 2]]
    leaving.cancel()
    store.gate.set()
    assert await staying == 4


async def test_a_drain_waits_for_everything(store: Store) -> None:
    store.gate.clear()
    batching = batcher(store, max_batch=1)
    answers = [batching.enqueue(number) for number in range(3)]
    draining = asyncio.create_task(batching.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    store.gate.set()
    await draining
    assert [answer.result() for answer in answers] == [0, 2, 4]


async def test_a_flight_that_is_cancelled_tells_those_aboard() -> None:
    """As when the loop ends: nobody may wait for ever."""

    async def never(_items: Sequence[int]) -> list[int]:
        await asyncio.Event().wait()
        return []

    batching: Batcher[int, int] = Batcher(never)
    answer = batching.enqueue(1)
    await asyncio.sleep(0)
    assert batching._flight is not None
    batching._flight.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    assert batching.idle


class Aftermath:
    """What follows a batch, held up until it is told to go on."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.gate = asyncio.Event()

    async def __call__(self, results: Sequence[int]) -> None:
        self.seen.append(list(results))
        await self.gate.wait()
        if 6 in results:
            raise RuntimeError("what follows went wrong")


async def test_the_next_batch_flies_while_the_last_one_s_aftermath_goes_on(store: Store) -> None:
    after = Aftermath()
    batching: Batcher[int, int] = Batcher(store.run, max_batch=1, then=after)
    answers = [batching.enqueue(1), batching.enqueue(2)]

    async def both_have_landed() -> bool:
        return len(after.seen) == 2

    await eventually(both_have_landed, what="both batches")
    assert after.seen == [[2], [4]]
    assert not any(answer.done() for answer in answers)  # nobody hears before what follows has happened
    draining = asyncio.create_task(batching.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    after.gate.set()
    await draining
    assert [answer.result() for answer in answers] == [2, 4]
    assert batching.idle


async def test_an_aftermath_that_fails_takes_no_answer_away(store: Store) -> None:
    after = Aftermath()
    after.gate.set()
    batching: Batcher[int, int] = Batcher(store.run, then=after)
    assert await batching.submit(3) == 6
    await asyncio.sleep(0)
    assert await batching.submit(4) == 8


async def test_flights_that_are_kept_apart_carry_what_came_meanwhile() -> None:
    flights: list[list[int]] = []

    async def run(items: Sequence[int]) -> list[int]:
        flights.append(list(items))
        return list(items)

    batcher: Batcher[int, int] = Batcher(run, apart=0.2)
    assert await batcher.submit(0) == 0  # who is alone waits for nobody
    loop = asyncio.get_running_loop()
    first = loop.time()
    later = []
    for number in range(1, 6):
        later.append(batcher.enqueue(number))
        await asyncio.sleep(0.01)
    assert await asyncio.gather(*later) == [1, 2, 3, 4, 5]
    assert flights == [[0], [1, 2, 3, 4, 5]]
    assert loop.time() - first >= 0.15


async def test_who_is_alone_does_not_wait_where_that_is_said() -> None:
    async def run(items: Sequence[int]) -> list[int]:
        flights.append(list(items))
        return list(items)

    flights: list[list[int]] = []
    batcher: Batcher[int, int] = Batcher(run, apart=1.0, alone_at_once=True)
    for number in range(3):
        assert await batcher.submit(number) == number
    assert flights == [[0], [1], [2]]
    crowd = [batcher.enqueue(number) for number in (3, 4)]
    await asyncio.sleep(0.05)
    assert flights[3:] == []
    assert await asyncio.gather(*crowd) == [3, 4]
    assert flights[3:] == [[3, 4]]
