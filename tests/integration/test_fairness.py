"""Whose turn it is: asked of the real Redis, by counting starts. No clock says what is fair."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest
import pytest_asyncio

from app.engine.dispatch import Claimed, Dispatcher
from app.engine.ledger.rows import Due, Hint
from app.kit.ids import uuid7
from app.kit.redis import QUEUE_KEY, Client, connect, disconnect
from tests.support.deployment import Deployment

LEASE = 600.0
TENANTS = 50


@pytest_asyncio.fixture(loop_scope="session")
async def redis(deployment: Deployment) -> AsyncIterator[Client]:
    client = connect(deployment.settings().queues["base"].redis_url)
    await client.flushdb()
    yield client
    await disconnect(client)


@pytest.fixture
def dispatcher(redis: Client) -> Dispatcher:
    return Dispatcher(redis)


def weighing(redis: Client, weights: Mapping[str, float]) -> Dispatcher:
    async def weigh(tenant_id: str) -> float:
        return weights.get(tenant_id, 1.0)

    return Dispatcher(redis, weigh)


def dues(tenant: str, count: int = 1, *, bulk: bool = False, priority: int = 0) -> list[Due]:
    return [Due(Hint(uuid7(), 1), tenant, bulk, priority, None) for _ in range(count)]


class Line:
    """Everybody who waits, and in which order they were served."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.known: dict[Hint, Due] = {}

    async def join(self, waiting: Sequence[Due]) -> None:
        self.known |= {due.hint: due for due in waiting}
        assert (await self.dispatcher.enqueue(waiting)).added == len(waiting)

    async def serve(self, claims: int, want: int = 1) -> list[Due]:
        """Whom so many claims start, one after the other."""
        served: list[Due] = []
        for _ in range(claims):
            served += [self.known[hint] for hint in (await self.claim(want)).hints]
        return served

    async def claim(self, want: int) -> Claimed:
        claimed = await self.dispatcher.claim(want, LEASE)
        await self.dispatcher.release(claimed.hints)
        return claimed


@pytest.fixture
def line(dispatcher: Dispatcher) -> Line:
    return Line(dispatcher)


def jain(counts: Sequence[float]) -> float:
    """1 where all have the same, 1/n where one has everything."""
    return sum(counts) ** 2 / (len(counts) * sum(count**2 for count in counts))


def starts(served: Sequence[Due]) -> Counter[str]:
    return Counter(due.tenant_id for due in served)


async def crowd(line: Line) -> int:
    """Zipf's tenants: the loudest has fifty times what the quietest has. How many rounds all of them have jobs for."""
    jobs = {f"tenant-{rank}": max(40, 2000 // rank) for rank in range(1, TENANTS + 1)}
    for tenant, count in jobs.items():
        await line.join(dues(tenant, count))
    return min(jobs.values())


@pytest.mark.parametrize("want", [1, 7, 100], ids="{} at a time".format)
async def test_tenants_that_all_have_work_start_as_often_however_much_they_have(line: Line, want: int) -> None:
    rounds = await crowd(line)
    served = starts(await line.serve(rounds * TENANTS // 2 // want, want))
    assert len(served) == TENANTS
    assert jain(list(served.values())) >= 0.99


async def test_fairness_survives_the_loss_of_redis(line: Line, redis: Client) -> None:
    rounds = await crowd(line)
    before = await line.serve(rounds, 10)
    await redis.flushall()
    await line.dispatcher.enqueue([due for due in line.known.values() if due not in before])
    served = starts(await line.serve(rounds * TENANTS // 20, 10))
    assert jain([served[tenant] for tenant in {due.tenant_id for due in line.known.values()}]) >= 0.99


@pytest.mark.parametrize("want", [1, 9], ids="{} at a time".format)
async def test_who_weighs_twice_as_much_starts_twice_as_often(redis: Client, want: int) -> None:
    line = Line(weighing(redis, {"heavy": 2.0, "light": 1.0, "feather": 0.5}))
    for tenant in ("feather", "light", "heavy"):
        await line.join(dues(tenant, 500))
    served = starts(await line.serve(630 // want, want))
    for tenant, share in (("heavy", 360), ("light", 180), ("feather", 90)):
        assert abs(served[tenant] - share) <= want + 1, served


async def test_a_changed_weight_counts_from_the_next_job_on(redis: Client) -> None:
    weights = {"a": 1.0, "b": 1.0}
    line = Line(weighing(redis, weights))
    for tenant in weights:
        await line.join(dues(tenant, 200))
    assert starts(await line.serve(100)) == {"a": 50, "b": 50}
    weights["a"] = 3.0
    await line.join(dues("a"))
    served = starts(await line.serve(100))
    assert abs(served["a"] - 75) <= 1


async def test_a_quiet_tenant_s_job_does_not_wait_behind_ten_thousand_of_a_loud_one(line: Line) -> None:
    await line.join(dues("loud", 10_000))
    await line.serve(50, 10)
    await line.join(dues("quiet"))
    served = await line.serve(2)
    assert "quiet" in starts(served)


async def test_many_quiet_ones_share_with_the_loud_one(line: Line) -> None:
    await line.join(dues("loud", 5_000))
    await line.serve(10, 10)
    for number in range(20):
        await line.join(dues(f"quiet-{number}"))
    served = starts(await line.serve(22))
    assert all(served[f"quiet-{number}"] == 1 for number in range(20))


async def test_a_tenant_s_interactive_job_is_not_behind_its_own_bulk(line: Line) -> None:
    await line.join(dues("school", 1_000, bulk=True))
    await line.serve(30)
    [urgent] = interactive = dues("school")
    await line.join(interactive)
    assert urgent in await line.serve(2)


async def test_within_a_flow_priority_goes_before_age_and_age_before_nothing(line: Line) -> None:
    low, first, second, high = [dues("school", priority=priority)[0] for priority in (-100, 0, 0, 100)]
    await line.join([second, low, first, high])
    assert await line.serve(4) == [high, first, second, low]


async def test_priority_is_a_tenant_s_own_affair(line: Line) -> None:
    await line.join(dues("pushy", 100, priority=100))
    await line.join(dues("modest", 100, priority=-100))
    assert starts(await line.serve(100)) == {"pushy": 50, "modest": 50}


async def test_plain_jobs_take_turns_with_tenants(line: Line, redis: Client) -> None:
    for tenant in ("a", "b"):
        await line.join(dues(tenant, 100))
    now = int(time.time() * 1000)
    await redis.zadd(QUEUE_KEY, {f"plain-{number}": now - 1000 + number for number in range(100)})
    plain, hints = [], 0
    for _ in range(90):
        claimed = await line.claim(1)
        plain += [job.job_id for job in claimed.plain]
        hints += len(claimed.hints)
    assert abs(len(plain) - 30) <= 1
    assert hints == 90 - len(plain)
    assert plain == [f"plain-{number}" for number in range(len(plain))]  # by age among themselves


async def test_who_ran_empty_gains_nothing_by_coming_back(line: Line) -> None:
    """One job at a time, each after the last was served, is no way to be served twice as often."""
    await line.join(dues("patient", 500))
    await line.join(dues("nervous"))
    served: Counter[str] = Counter()
    for _ in range(200):
        [due] = await line.serve(1)
        served[due.tenant_id] += 1
        if due.tenant_id == "nervous":
            await line.join(dues("nervous"))
    assert abs(served["nervous"] - 100) <= 1


async def test_who_was_away_has_saved_nothing_up(line: Line) -> None:
    await line.join(dues("sleeper"))
    await line.serve(1)
    await line.join(dues("steady", 500))
    await line.serve(200)
    await line.join(dues("sleeper", 500))
    served = starts(await line.serve(100))
    assert abs(served["sleeper"] - 50) <= 1
