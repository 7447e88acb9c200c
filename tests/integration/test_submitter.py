"""The door at work: what goes on between a commit and its announcement, and what a batch does about bad luck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest
import pytest_asyncio

from app.engine.announce import Announcer
from app.engine.dispatch import EPOCH_KEY
from app.engine.ledger.dispatching import enter_epoch
from app.engine.ledger.finish import End
from app.engine.ledger.submit import Accepted, IdempotencyConflict, submit
from app.engine.submit import Submitter
from app.kit.db import Connection, Database
from app.kit.redis import Client, connect, disconnect
from tests.support.deployment import Deployment
from tests.support.jobs import accepted, begun, end, live_worker, new_job, queued, row
from tests.support.waiting import eventually


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def redis(deployment: Deployment) -> AsyncIterator[Client]:
    pool = connect(deployment.settings().queues["base"].redis_url)
    yield pool
    await disconnect(pool)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def submitter(database: Database, redis: Client) -> AsyncIterator[Submitter]:
    made = Submitter(database, lambda _: redis)
    yield made
    await made.drain()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def announcer(database: Database, redis: Client) -> AsyncIterator[Announcer]:
    made = Announcer(database, lambda _: redis)
    yield made
    await made.drain()


async def test_who_found_the_lane_occupied_and_finds_it_free_afterwards_is_dispatched(
    announcer: Announcer, ledger: Connection, tenant: str
) -> None:
    first = await queued(ledger, tenant_id=tenant, lane_id="lane")
    running = await begun(ledger, first, await live_worker(ledger))
    [second] = await accepted(ledger, new_job(tenant_id=tenant, lane_id="lane"))
    assert not second.dispatchable
    await end(ledger, running, End.DONE)  # it saw nobody behind it, where it ended before the other's commit
    await announcer.announce([second])
    assert (await announcer.dispatcher("base").enqueue([second.job.due()])).added == 0  # Redis knows it already


async def test_who_waits_behind_another_is_not_dispatched(
    announcer: Announcer, ledger: Connection, tenant: str
) -> None:
    await begun(ledger, await queued(ledger, tenant_id=tenant, lane_id="lane"), await live_worker(ledger))
    [second, third] = await accepted(ledger, *(new_job(tenant_id=tenant, lane_id="lane") for _ in range(2)))
    await announcer.announce([second, third])
    assert (await announcer.dispatcher("base").enqueue([second.job.due(), third.job.due()])).added == 2


async def test_a_batch_that_loses_a_deadlock_is_tried_again(
    submitter: Submitter, database: Database, ledger: Connection, tenant: str
) -> None:
    """The batch takes `a` and waits for `b`, whose holder then asks for `a`: who has waited longer is the victim."""
    take = "insert into idempotency_keys (tenant_id, key, fingerprint, job_id) values ($1, $2, '', gen_random_uuid())"
    async with database.ledger.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute(take, tenant, "b")
        both = [new_job(tenant_id=tenant, idempotency_key=key, fingerprint=b"") for key in "ab"]
        answers = asyncio.gather(*(submitter.submit(each) for each in both))

        async def waits() -> bool:
            return bool(await ledger.fetchval("select count(*) from pg_locks where not granted"))

        await eventually(waits, what="the batch that waits for a key")
        asking = asyncio.create_task(other.execute(take + " on conflict do nothing", tenant, "a"))
        await asyncio.wait({asking})
        await transaction.rollback()
    assert [answer.fresh for answer in await answers] == [True, True]
    assert int(await ledger.fetchval("select count(*) from jobs where tenant_id = $1", tenant)) == 2


class Interrupted:
    """A connection before whose second query something happens elsewhere."""

    def __init__(self, connection: Connection, happen: Callable[[], Awaitable[Any]]) -> None:
        self._connection = connection
        self._happen = happen
        self._queries = 0

    async def fetch(self, *arguments: Any) -> Any:
        self._queries += 1
        if self._queries == 2:
            await self._happen()
        return await self._connection.fetch(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.parametrize("lane", [None, "lane"])
async def test_a_key_that_is_removed_while_it_is_asked_for_is_taken_after_all(
    database: Database, ledger: Connection, tenant: str, lane: str | None
) -> None:
    """As when retention removes a job with its keys just then: it was there to stop the insert, and is not there to be
    read."""
    wanted = {"tenant_id": tenant, "lane_id": lane, "idempotency_key": "k", "fingerprint": b"body"}
    [old] = await accepted(ledger, new_job(**wanted))

    async def remove() -> None:
        await ledger.execute("delete from idempotency_keys where tenant_id = $1", tenant)
        await ledger.execute("delete from jobs where tenant_id = $1", tenant)

    async with database.ledger.acquire() as connection:
        [answer] = await submit(cast("Connection", Interrupted(connection, remove)), [new_job(**wanted)])
    assert isinstance(answer, Accepted)
    assert answer.fresh
    assert answer.job.job_id != old.job.job_id


async def test_two_bodies_with_one_key_in_one_batch_are_one_job_and_one_conflict(
    ledger: Connection, tenant: str
) -> None:
    for number, lane in enumerate((None, "lane")):
        wanted = {"tenant_id": tenant, "idempotency_key": f"k-{number}", "lane_id": lane}
        answers = await submit(ledger, [new_job(**wanted, fingerprint=each) for each in (b"a", b"b", b"a")])
        assert [type(answer) for answer in answers] == [Accepted, IdempotencyConflict, Accepted]
        assert answers[0].job.job_id == answers[2].job.job_id  # type: ignore[union-attr]


async def test_an_accepted_row_is_what_the_ledger_would_read(ledger: Connection, tenant: str) -> None:
    """It is put together here, since only the moment has to come back from Postgres."""
    fields = {"priority": 3, "bulk": True, "request_id": "r", "session_id": "s", "idempotency_key": "k"}
    for lane in (None, "lane"):
        [made] = await accepted(ledger, new_job(tenant_id=tenant, lane_id=lane, **fields | {"idempotency_key": lane}))
        stored = await row(ledger, made.job.job_id)
        shown = {name: getattr(made.job, name) for name in made.job.__slots__}
        assert shown == {name: stored[name] for name in shown}


async def test_a_note_lingers_and_a_drain_writes_it(
    announcer: Announcer, redis: Client, ledger: Connection, tenant: str
) -> None:
    await redis.set(EPOCH_KEY, "a-run/1")
    await enter_epoch(ledger, "base", "a-run/1")
    [waits] = await accepted(ledger, new_job(tenant_id=tenant))
    [begins] = await accepted(ledger, new_job(tenant_id=tenant))
    await announcer.announce([waits, begins])
    assert (await row(ledger, waits.job.job_id))["dispatched_at"] is None
    await begun(ledger, begins.job, await live_worker(ledger))
    await announcer.drain()
    assert (await row(ledger, waits.job.job_id))["dispatched_at"] is not None
    assert (await row(ledger, begins.job.job_id))["dispatched_at"] is None  # it runs: nobody looks for its hint
    await redis.delete(EPOCH_KEY)
