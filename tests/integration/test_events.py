"""Live events: told in order, bounded, silent for zombies, and a bell for those who wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from arq.connections import ArqRedis

from app.engine import events
from app.engine.events import Event, EventBell, EventLog
from app.kit.redis import connect, disconnect
from tests.support.deployment import Deployment
from tests.support.waiting import eventually


@pytest_asyncio.fixture(loop_scope="session")
async def redis(deployment: Deployment) -> AsyncIterator[ArqRedis]:
    client = connect(deployment.settings().shared_redis_url)
    yield client
    await disconnect(client)


@pytest.fixture
def log(redis: ArqRedis) -> EventLog:
    return EventLog(redis)


def event(job_id: UUID, attempt: int, kind: str, **data: object) -> Event:
    return Event("demo", job_id, attempt, kind, dict(data))


async def told(log: EventLog, job_id: UUID) -> list[tuple[int, str]]:
    return [(each.attempt, each.type) for each in await log.read("demo", job_id)]


async def test_events_are_read_as_they_were_told(log: EventLog) -> None:
    job_id = uuid4()
    await log.append([event(job_id, 0, "queued", queue="chat"), event(job_id, 1, "delta", text="你好")])
    first, second = await log.read("demo", job_id)
    assert (first.attempt, first.type, first.data) == (0, "queued", {"queue": "chat"})
    assert (second.attempt, second.type, second.data) == (1, "delta", {"text": "你好"})
    assert [each.id for each in await log.read("demo", job_id, after=first.id)] == [second.id]
    assert await log.read("demo", job_id, after=second.id) == []


async def test_a_stream_is_one_tenant_s_and_one_job_s(log: EventLog) -> None:
    job_id = uuid4()
    await log.append([event(job_id, 0, "queued"), event(uuid4(), 0, "queued")])
    assert len(await log.read("demo", job_id)) == 1
    assert await log.read("somebody-else", job_id) == []


async def test_a_new_attempt_resets_and_an_earlier_one_is_refused(log: EventLog) -> None:
    job_id = uuid4()
    await log.append([event(job_id, 0, "queued"), event(job_id, 1, "started"), event(job_id, 1, "delta")])
    await log.append([event(job_id, 2, "started"), event(job_id, 1, "delta"), event(job_id, 1, "done")])
    await log.append([event(job_id, 2, "done")])
    assert await told(log, job_id) == [
        *((0, "queued"), (1, "started"), (1, "delta")),
        *((2, "reset"), (2, "started"), (2, "done")),
    ]


async def test_the_first_attempt_resets_nothing(log: EventLog) -> None:
    job_id = uuid4()
    await log.append([event(job_id, 0, "queued")])
    await log.append([event(job_id, 1, "started")])
    assert await told(log, job_id) == [(0, "queued"), (1, "started")]


async def test_a_stream_is_bounded_and_ends_by_itself(
    log: EventLog, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "STREAM_LENGTH", 100)
    job_id = uuid4()
    for _ in range(10):
        await log.append([event(job_id, 1, "delta") for _ in range(100)])
    # Redis trims whole nodes of a stream, a hundred entries each.
    assert 100 <= len(await log.read("demo", job_id)) <= 300
    [key] = await redis.keys(f"*{job_id}*")
    assert 0 < await redis.pttl(key) <= events.STREAM_LIFE_MS


async def test_nobody_waits_long_for_a_redis_that_is_away() -> None:
    nowhere = connect("redis://127.0.0.1:1/0")
    await EventLog(nowhere).tell([event(uuid4(), 1, "started")])
    await disconnect(nowhere)


async def test_a_burst_waits_for_a_connection_and_loses_nothing(deployment: Deployment) -> None:
    client = connect(deployment.settings().shared_redis_url, max_connections=2)
    log, jobs = EventLog(client), [uuid4() for _ in range(100)]
    await asyncio.gather(*(log.tell([event(job_id, 1, "started")]) for job_id in jobs))
    assert all([await told(log, job_id) == [(1, "started")] for job_id in jobs])
    await disconnect(client)


async def test_the_bell_wakes_those_who_wait_for_the_job_and_nobody_else(log: EventLog, redis: ArqRedis) -> None:
    bell, job_id, other = EventBell(redis), uuid4(), uuid4()
    async with bell.ringing():
        with bell.waiting_for(job_id) as first, bell.waiting_for(job_id) as second, bell.waiting_for(other) as quiet:
            await asyncio.wait_for(first.wait(), 10)  # every waiter is woken once the subscription stands
            await asyncio.wait_for(quiet.wait(), 10)
            for each in (first, second, quiet):
                each.clear()
            await log.append([event(job_id, 1, "started")])
            await asyncio.wait_for(asyncio.gather(first.wait(), second.wait()), 10)
            assert not quiet.is_set()
        assert not bell._waiters


async def test_the_bell_survives_the_loss_of_its_connection(log: EventLog, redis: ArqRedis) -> None:
    bell, job_id = EventBell(redis), uuid4()
    async with bell.ringing():
        with bell.waiting_for(job_id) as waiter:
            await asyncio.wait_for(waiter.wait(), 10)
            waiter.clear()
            await redis.client_kill_filter(_type="pubsub")

            async def rings() -> bool:
                await log.append([event(job_id, 1, "delta")])
                return waiter.is_set()

            await eventually(rings, what="the bell after its connection was cut")
