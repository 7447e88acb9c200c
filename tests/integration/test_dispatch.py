"""Redis' side of a queue: what the scripts refuse, in which order they serve, and what a lease means."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from arq.connections import ArqRedis

from app.engine.dispatch import EPOCH_KEY, LEASES_KEY, Dispatcher, hint_of, member_of
from app.engine.ledger.rows import Due, Hint
from app.kit.ids import uuid7
from app.kit.redis import QUEUE_KEY, WAKE_KEY, connect, disconnect
from tests.support.deployment import Deployment
from tests.support.waiting import eventually

LEASE = 60.0


@pytest_asyncio.fixture(loop_scope="session")
async def redis(deployment: Deployment) -> AsyncIterator[ArqRedis]:
    client = connect(deployment.settings().queues["base"].redis_url)
    await client.flushdb()
    yield client
    await disconnect(client)


@pytest.fixture
def dispatcher(redis: ArqRedis) -> Dispatcher:
    return Dispatcher(redis)


def due(*, tenant: str = "demo", bulk: bool = False, priority: int = 0, run_at: datetime | None = None) -> Due:
    return Due(Hint(uuid7(), 1), tenant, bulk, priority, run_at)


async def claimed(dispatcher: Dispatcher, want: int = 100, lease: float = LEASE) -> list[Hint]:
    return (await dispatcher.claim(want, lease)).hints


async def test_a_member_names_its_hint_and_nothing_else_does() -> None:
    hint = Hint(uuid4(), 12)
    assert hint_of(member_of(hint)) == hint
    for member in ("", "plain", "hr:1:", "hr:1:x:1", f"hr:1:{uuid4()}", f"hr:1:{uuid4()}:x", f"hr:2:{uuid4()}:1"):
        assert hint_of(member) is None


async def test_a_hint_that_is_queued_or_leased_is_refused(dispatcher: Dispatcher) -> None:
    one, two = due(), due()
    assert (await dispatcher.enqueue([one, one, two])).added == 2
    assert (await dispatcher.enqueue([one])).added == 0
    assert len(await claimed(dispatcher)) == 2
    assert (await dispatcher.enqueue([one, two])).added == 0
    assert await dispatcher.depth() == (0, 2)
    await dispatcher.release([one.hint])
    assert (await dispatcher.enqueue([one, two])).added == 1


async def test_many_hints_are_enqueued_in_pieces(dispatcher: Dispatcher) -> None:
    assert (await dispatcher.enqueue([due() for _ in range(25)], chunk=10)).added == 25
    assert await dispatcher.depth() == (25, 0)


async def test_a_claim_takes_at_most_what_is_wanted_and_each_hint_once(dispatcher: Dispatcher) -> None:
    dues = [due() for _ in range(10)]
    await dispatcher.enqueue(dues)
    assert len(await claimed(dispatcher, 3)) == 3
    answers = await asyncio.gather(*(claimed(dispatcher, 2) for _ in range(8)))
    taken = [hint for answer in answers for hint in answer]
    assert len(taken) == len(set(taken)) == 7
    assert await dispatcher.depth() == (0, 10)


async def test_higher_priority_first_then_age(dispatcher: Dispatcher) -> None:
    low, first, second, high = due(priority=-100), due(), due(), due(priority=5)
    for each in (second, low, high, first):  # the order in which Redis hears of them does not matter
        await dispatcher.enqueue([each])
    assert await claimed(dispatcher) == [each.hint for each in (high, first, second, low)]


async def test_a_deferred_job_that_is_due_and_a_plain_one_take_their_place_by_age(dispatcher: Dispatcher) -> None:
    deferred, fresh, urgent = due(run_at=datetime.now(UTC) + timedelta(seconds=0.02)), due(), due(priority=1)
    await dispatcher.enqueue([deferred])
    await dispatcher.redis.zadd(QUEUE_KEY, {"plain": int(time.time() * 1000) + 30})
    await eventually(has_passed(int(time.time() * 1000) + 40), what="the moment of both")
    await dispatcher.enqueue([fresh])
    await dispatcher.enqueue([urgent])
    order = []
    while answer := await dispatcher.claim(1, LEASE):
        order += [*answer.hints, *(job.job_id for job in answer.plain)]
    assert [each for each in order if each != "plain"] == [urgent.hint, deferred.hint, fresh.hint]
    assert order.index("plain") <= 1  # plain jobs are one flow beside the tenants' flows


async def test_a_plain_job_keeps_the_moment_that_arq_counts_from(dispatcher: Dispatcher) -> None:
    moment = int(time.time() * 1000) - 12_345
    await dispatcher.redis.zadd(QUEUE_KEY, {"plain": moment})
    assert [job[:2] for job in (await dispatcher.claim(1, LEASE)).plain] == [("plain", moment)]


async def tick() -> None:
    """Until the clock that orders hints has moved: it counts milliseconds."""
    before = int(time.time() * 1000)
    await eventually(has_passed(before + 1), what="the next millisecond")


def has_passed(millisecond: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return time.time() * 1000 > millisecond + 1

    return look


async def test_a_deferred_hint_waits_for_its_moment_and_says_when(dispatcher: Dispatcher) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    later = due(run_at=soon)
    await dispatcher.enqueue([later, due(run_at=soon + timedelta(hours=1), priority=9)])
    answer = await dispatcher.claim(10, LEASE)
    assert not answer
    assert 0 <= answer.next_due_ms <= 201  # both clocks are read to the millisecond
    hints = await eventually(lambda: claimed(dispatcher), what="the deferred hint")
    assert datetime.now(UTC) >= soon
    assert hints == [later.hint]


async def test_a_deferred_hint_is_never_early_by_a_fraction(dispatcher: Dispatcher) -> None:
    """Redis counts milliseconds, the ledger microseconds: begun early, the job would wait another second."""
    moment = datetime.fromtimestamp(4_000_000_000, UTC) + timedelta(microseconds=999)
    each = due(run_at=moment)
    await dispatcher.enqueue([each])
    score = await dispatcher.redis.zscore("homeroom:deferred", member_of(each.hint))
    assert score is not None
    assert score / 1000 >= moment.timestamp()


async def test_an_empty_queue_says_that_nothing_is_deferred(dispatcher: Dispatcher) -> None:
    assert (await dispatcher.claim(10, LEASE)).next_due_ms == -1


async def test_an_expired_lease_is_served_again_before_the_queue(dispatcher: Dispatcher) -> None:
    lost, fresh = due(), due(priority=9)
    await dispatcher.enqueue([lost])
    await claimed(dispatcher, lease=0.001)
    await dispatcher.enqueue([fresh])
    await tick()
    assert await claimed(dispatcher, 1) == [lost.hint]
    assert await claimed(dispatcher) == [fresh.hint]
    assert await claimed(dispatcher) == []


async def test_an_extended_lease_is_not_served_again_and_a_forgotten_one_is_made_anew(dispatcher: Dispatcher) -> None:
    held, forgotten = due(), due()
    await dispatcher.enqueue([held, forgotten])
    await claimed(dispatcher, lease=0.001)
    await dispatcher.release([forgotten.hint])
    await dispatcher.extend([member_of(each.hint) for each in (held, forgotten)], LEASE)
    await tick()
    assert await claimed(dispatcher) == []
    assert await dispatcher.depth() == (0, 2)


async def test_what_is_put_back_has_no_lease_and_comes_when_it_should(dispatcher: Dispatcher) -> None:
    now, later = due(), due()
    await dispatcher.enqueue([now, later])
    await claimed(dispatcher)
    await dispatcher.put_back([(now, 0), (later, 3600)])
    assert await dispatcher.depth() == (2, 0)
    assert await claimed(dispatcher) == [now.hint]


async def test_putting_back_wakes_whoever_idles(dispatcher: Dispatcher) -> None:
    for delay in (0.0, 3600.0):
        waiting = asyncio.create_task(dispatcher.wait_for_work(20.0))
        await idle_workers(dispatcher.redis, 1)
        await dispatcher.put_back([(due(), delay)])
        await asyncio.wait_for(waiting, 5.0)


async def idle_workers(redis: ArqRedis, wanted: int) -> None:
    async def look() -> bool:
        return bool((await redis.info("clients"))["blocked_clients"] >= wanted)

    await eventually(look, what=f"{wanted} blocked clients")


async def test_enqueuing_wakes_as_many_as_there_is_work_for(dispatcher: Dispatcher) -> None:
    waiting = [asyncio.create_task(dispatcher.wait_for_work(20.0)) for _ in range(3)]
    await idle_workers(dispatcher.redis, 3)
    await dispatcher.enqueue([due(), due()])
    done, _ = await asyncio.wait(waiting, timeout=5.0, return_when=asyncio.FIRST_COMPLETED)
    assert done
    await dispatcher.enqueue([due()])
    await asyncio.wait_for(asyncio.gather(*waiting), 5.0)


async def test_each_idle_worker_is_called_for_a_hint_of_its_own(dispatcher: Dispatcher) -> None:
    waiting = [asyncio.create_task(dispatcher.wait_for_work(20.0)) for _ in range(2)]
    await idle_workers(dispatcher.redis, 2)
    ready, later, known = due(), due(run_at=datetime.now(UTC) + timedelta(hours=1)), due()
    await dispatcher.enqueue([later, ready, known])
    assert {await each for each in waiting} == {ready.hint, known.hint}
    await dispatcher.redis.lpush(WAKE_KEY, "1")  # type: ignore[misc] # as who does not know
    assert await dispatcher.wait_for_work(5.0) is None


async def test_a_call_says_which_permits_the_job_begins_with(dispatcher: Dispatcher) -> None:
    gated, free = due(tenant="it's one"), due(priority=5)
    gated = gated._replace(bulk=True, priority=-3, permits=("llm_total", "of a, b"))
    await dispatcher.enqueue([gated, free])
    assert [await dispatcher.wait_for_work(5.0) for _ in range(2)] == [gated, free.hint]
    for more in ('["a", 1]', "7", "{"):  # as some other release may write it
        await dispatcher.redis.lpush(WAKE_KEY, f"{member_of(free.hint)} {more}")  # type: ignore[misc]
        assert await dispatcher.wait_for_work(5.0) == free.hint


async def test_the_wake_list_stays_short(dispatcher: Dispatcher) -> None:
    dues = [due() for _ in range(500)]
    for each in dues:
        await dispatcher.enqueue([each])
    await claimed(dispatcher, 500)
    for each in dues:
        await dispatcher.put_back([(each, 0)])
    assert await dispatcher.redis.llen(WAKE_KEY) <= 64  # type: ignore[misc]


async def test_damaged_members_are_dropped_and_plain_ones_told_apart(dispatcher: Dispatcher) -> None:
    await dispatcher.redis.zadd(LEASES_KEY, {"hr:1:damaged": 1})
    await dispatcher.redis.zadd(QUEUE_KEY, {"plain": 2})
    answer = await dispatcher.claim(10, LEASE)
    assert (answer.hints, [job[:2] for job in answer.plain]) == ([], [("plain", 2)])
    assert await dispatcher.depth() == (0, 1)
    assert await dispatcher.redis.exists("arq:in-progress:plain")
    await dispatcher.put_back_plain("plain", 0)
    assert not await dispatcher.redis.exists("arq:in-progress:plain")


async def test_a_claim_tells_the_epoch_it_was_made_in(dispatcher: Dispatcher) -> None:
    assert (await dispatcher.claim(1, LEASE)).epoch == ""
    await dispatcher.redis.set(EPOCH_KEY, "a-run")
    assert (await dispatcher.claim(1, LEASE)).epoch == "a-run"


async def test_one_of_many_rebuilds(dispatcher: Dispatcher) -> None:
    marks = await asyncio.gather(*(dispatcher.begin_rebuild("") for _ in range(5)))
    [mark] = [each for each in marks if each is not None]
    assert await dispatcher.epoch() == mark
    assert await dispatcher.begin_rebuild(mark) is None
    assert await dispatcher.go_on_rebuilding(mark)
    assert await dispatcher.settle_epoch(mark, "the-new-run/1")
    assert await dispatcher.epoch() == "the-new-run/1"
    assert not await dispatcher.go_on_rebuilding(mark)


async def test_the_epoch_of_an_earlier_run_gives_way_to_a_rebuild(dispatcher: Dispatcher) -> None:
    await dispatcher.redis.set(EPOCH_KEY, "an-earlier-run")
    assert await dispatcher.begin_rebuild("an-earlier-run") is not None


async def test_an_enqueue_tells_the_epoch_that_it_was_made_in(dispatcher: Dispatcher) -> None:
    assert await dispatcher.enqueue([due()]) == (1, "")
    mark = await dispatcher.begin_rebuild("")
    assert mark is not None
    assert await dispatcher.enqueue([due()]) == (1, mark)
    await dispatcher.settle_epoch(mark, "one-run/1")
    assert await dispatcher.enqueue([due()]) == (1, "one-run/1")


async def test_a_rebuild_that_was_itself_forgotten_does_not_settle(dispatcher: Dispatcher) -> None:
    mark = await dispatcher.begin_rebuild("")
    assert mark is not None
    await dispatcher.redis.flushdb()
    assert not await dispatcher.settle_epoch(mark, "the-new-run")
    assert await dispatcher.epoch() == ""


async def test_a_rebuilder_that_died_is_replaced_in_time(dispatcher: Dispatcher) -> None:
    await dispatcher.begin_rebuild("")
    assert 0 < await dispatcher.redis.pttl(EPOCH_KEY) <= 15_000


async def test_releasing_what_is_not_held_does_nothing(dispatcher: Dispatcher) -> None:
    each = due()
    await dispatcher.enqueue([each])
    await dispatcher.release([each.hint])
    await dispatcher.release([])
    assert await dispatcher.depth() == (1, 0)
    assert await dispatcher.redis.zcard(LEASES_KEY) == 0
