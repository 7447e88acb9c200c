"""One question for many askers, remembered as long as its answer says."""

from __future__ import annotations

import asyncio

import pytest

from app.kit.remember import Remembered


class Oracle:
    """Counts how often it is asked."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.asked = 0
        self.seconds = seconds
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self) -> tuple[int, float]:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        return number, self.seconds


async def test_an_answer_is_remembered() -> None:
    memory: Remembered[str, int] = Remembered()
    oracle = Oracle()
    assert [await memory.get("a", oracle) for _ in range(3)] == [1, 1, 1]


async def test_an_answer_that_holds_for_no_time_is_asked_again() -> None:
    memory: Remembered[str, int] = Remembered()
    oracle = Oracle(seconds=0)
    assert [await memory.get("a", oracle) for _ in range(3)] == [1, 2, 3]


async def test_many_who_ask_at_once_share_one_question() -> None:
    memory: Remembered[str, int] = Remembered()
    oracle = Oracle()
    assert await asyncio.gather(*(memory.get("a", oracle) for _ in range(50))) == [1] * 50


async def test_who_gives_up_takes_no_other_along() -> None:
    memory: Remembered[str, int] = Remembered()
    oracle = Oracle()
    oracle.may_answer.clear()
    first, second = (asyncio.create_task(memory.get("a", oracle)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    oracle.may_answer.set()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_failure_reaches_all_who_asked_and_is_not_remembered() -> None:
    memory: Remembered[str, int] = Remembered()

    async def fails() -> tuple[int, float]:
        raise LookupError

    failures = await asyncio.gather(*(memory.get("a", fails) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(failure, LookupError) for failure in failures)
    assert await memory.get("a", Oracle()) == 1


async def test_what_is_forgotten_is_asked_again_and_nothing_else() -> None:
    memory: Remembered[str, int] = Remembered()
    one, other = Oracle(), Oracle()
    await memory.get("a", one)
    other.asked = 10
    await memory.get("b", other)
    memory.forget(lambda value: value == 1)
    assert (await memory.get("a", one), await memory.get("b", other)) == (2, 11)


async def test_the_memory_is_bounded() -> None:
    memory: Remembered[int, int] = Remembered(size=10)
    for number in range(100):
        await memory.get(number, Oracle())
    assert len(memory._known) <= 10


async def test_one_answer_is_forgotten_once_and_not_the_one_that_came_after_it() -> None:
    memory: Remembered[str, int] = Remembered()
    oracle = Oracle()
    first = await memory.get("a", oracle)
    memory.forget_this("a", first)
    second = await memory.get("a", oracle)
    memory.forget_this("a", first)  # somebody who is late
    assert [first, second, await memory.get("a", oracle)] == [1, 2, 2]


async def test_a_peek_asks_nobody() -> None:
    memory: Remembered[str, int] = Remembered()
    assert memory.peek("a") is None
    await memory.get("a", Oracle())
    assert memory.peek("a") == 1
    await memory.get("b", Oracle(seconds=0))
    assert memory.peek("b") is None


async def test_what_is_used_often_is_asked_anew_beside_its_use() -> None:
    memory: Remembered[str, int] = Remembered(ahead=60.0)
    oracle = Oracle()
    assert await memory.get("a", oracle) == 1
    oracle.may_answer.clear()
    assert [await memory.get("a", oracle) for _ in range(3)] == [1, 1, 1]  # nobody waits for the one new question
    await asyncio.sleep(0)
    assert oracle.asked == 2
    oracle.may_answer.set()
    await asyncio.sleep(0.01)
    assert await memory.get("a", oracle) == 2


async def test_a_new_question_that_fails_leaves_what_is_known() -> None:
    memory: Remembered[str, int] = Remembered(ahead=60.0)
    await memory.get("a", Oracle())

    async def fails() -> tuple[int, float]:
        raise LookupError

    assert await memory.get("a", fails) == 1
    await asyncio.sleep(0)
    assert await memory.get("a", fails) == 1


async def test_an_answer_from_before_a_change_is_not_remembered_after_it() -> None:
    memory: Remembered[str, int] = Remembered()
    oracle = Oracle()
    oracle.may_answer.clear()
    early = asyncio.create_task(memory.get("a", oracle))
    await asyncio.sleep(0)
    memory.forget(lambda _: True)
    late = asyncio.create_task(memory.get("a", oracle))
    await asyncio.sleep(0)
    oracle.may_answer.set()
    assert (await early, await late, await memory.get("a", oracle)) == (1, 2, 2)
