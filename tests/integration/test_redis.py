"""Our Redis client: a cancel is a cancel, a burst waits, and an outage is an error in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.kit.redis import REDIS_AWAY, Client, connect, disconnect, place, with_database
from tests.support.deployment import Deployment, free_port


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def redis(deployment: Deployment) -> AsyncIterator[Client]:
    client = connect(deployment.settings().shared_redis_url)
    yield client
    await disconnect(client)


@pytest.mark.parametrize("steps", range(25))
async def test_a_cancel_is_never_swallowed_whenever_it_comes(redis: Client, steps: int) -> None:
    """redis-py writes under `asyncio.wait_for`; Python 3.11's forgets a cancel that meets the end of the write."""
    went_on: list[int] = []

    async def work() -> None:
        await redis.get("key")
        task = asyncio.current_task()
        assert task is not None
        went_on.append(task.cancelling())

    await redis.ping()
    task = asyncio.create_task(work())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert went_on in ([], [0])
    assert task.cancelled() or went_on == [0]


async def test_a_cancelled_command_does_not_hand_its_answer_to_the_next(deployment: Deployment) -> None:
    client = connect(deployment.settings().shared_redis_url, max_connections=2)
    for number in range(20):
        await client.set(f"key-{number}", number)

    async def impatient(number: int) -> None:
        for steps in range(12):
            asking = asyncio.ensure_future(client.get(f"key-{number}"))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait({asking})
            assert await client.get(f"key-{number}") == str(number).encode()

    await asyncio.gather(*(impatient(number) for number in range(20)))
    await disconnect(client)


async def test_a_server_that_hangs_is_an_error_in_time() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attempts.append(1)
        await reader.read()
        writer.close()

    attempts: list[int] = []

    port = free_port()
    server = await asyncio.start_server(deaf, "127.0.0.1", port)
    client = connect(f"redis://127.0.0.1:{port}", socket_timeout=0.1)
    with pytest.raises(REDIS_AWAY):
        await asyncio.wait_for(client.get("key"), 10)
    assert len(attempts) <= 3  # retries of retries would make minutes of it
    await disconnect(client)
    server.close()


async def test_a_server_that_stops_reading_is_an_error_in_time() -> None:
    async def greedy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (word := await reader.read(1000)) and b"large" not in word:
            writer.write(b"+OK\r\n" * 2)
        await over.wait()
        writer.close()

    over = asyncio.Event()
    port = free_port()
    server = await asyncio.start_server(greedy, "127.0.0.1", port)
    client = connect(f"redis://127.0.0.1:{port}", socket_timeout=0.1)
    with pytest.raises(REDIS_AWAY):
        await asyncio.wait_for(client.set("large", b"x" * 50_000_000), 10)
    over.set()
    await disconnect(client)
    server.close()


async def test_more_than_the_way_holds_arrives_whole(redis: Client) -> None:
    large = b"x" * 20_000_000
    await redis.set("large", large)
    assert await redis.get("large") == large
    await redis.delete("large")


async def test_a_connection_that_the_server_closed_is_replaced_unseen(deployment: Deployment) -> None:
    client = connect(deployment.settings().shared_redis_url, max_connections=1)
    before = await client.client_id()
    other = connect(deployment.settings().shared_redis_url)
    assert await other.client_kill_filter(_id=before) == 1
    await asyncio.sleep(0.01)  # the news has come
    assert await client.client_id() != before
    await disconnect(client)
    await disconnect(other)


async def test_a_server_that_is_not_there_is_an_error_at_once() -> None:
    client = connect(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(REDIS_AWAY):
        await asyncio.wait_for(client.get("key"), 10)
    await disconnect(client)


def test_a_place_is_what_two_spellings_have_in_common() -> None:
    assert place("redis://:secret@localhost") == place("redis://other@localhost:6379/0") == ("localhost", 6379, 0)
    assert place(with_database("redis://:secret@h:7000/3?x=1", 5)) == ("h", 7000, 5)
