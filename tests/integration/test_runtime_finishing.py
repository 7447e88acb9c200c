"""The finisher: every end is written, however often Postgres has to be asked, and a zombie learns that it is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest_asyncio

from app.engine.dispatch import EPOCH_KEY
from app.engine.finishing import Finisher
from app.engine.ledger.begin import Delivery
from app.engine.ledger.dispatching import enter_epoch
from app.engine.ledger.finish import End, Ending
from app.engine.ledger.rescue import rescue
from app.engine.ledger.rows import Due
from app.kit.db import Connection, Database
from tests.support.deployment import Deployment
from tests.support.jobs import begun, end, end_lease, live_worker, queued, row
from tests.support.stage import Stage, open_stage, unread_metrics
from tests.support.waiting import eventually


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def finisher(stage: Stage) -> Finisher:
    return Finisher(stage.queue, stage.database, stage.dispatcher, stage.events, metrics=unread_metrics(stage.queue))


async def write(finisher: Finisher, *endings: Ending) -> None:
    for ending in endings:
        finisher.add(ending)
    await finisher.drained()


@pytest_asyncio.fixture(loop_scope="session")
async def worker(ledger: Connection) -> UUID:
    return await live_worker(ledger)


async def test_a_zombie_s_end_is_refused_though_the_owner_ends_in_the_same_batch(
    finisher: Finisher, ledger: Connection, tenant: str, worker: UUID
) -> None:
    zombie = await begun(ledger, await queued(ledger, tenant_id=tenant), worker)
    await end_lease(ledger, worker)
    await rescue(ledger, "base")
    owner = await begun(ledger, zombie, await live_worker(ledger))
    neighbour = await other(ledger, tenant)
    await write(
        finisher,
        Ending(neighbour, End.DONE, result="0"),
        Ending(zombie, End.DONE, result="1"),
        Ending(owner, End.DONE, result="2"),
    )
    assert finisher.refused == 1
    assert (await row(ledger, neighbour.job_id))["result"] == "0"
    assert (await row(ledger, owner.job_id))["result"] == "2"


async def other(ledger: Connection, tenant: str) -> Delivery:
    return await begun(ledger, await queued(ledger, tenant_id=tenant), await live_worker(ledger))


async def test_an_end_that_was_written_before_is_success_not_a_zombie_s(
    finisher: Finisher, ledger: Connection, tenant: str, worker: UUID
) -> None:
    """As after a lost reply: the commit took place, and the finisher asks again."""
    delivery = await begun(ledger, await queued(ledger, tenant_id=tenant), worker)
    await end(ledger, delivery, End.DONE, result="1")
    await write(finisher, Ending(delivery, End.DONE, result="1"))
    assert finisher.refused == 0
    assert (await row(ledger, delivery.job_id))["status"] == "done"


async def test_the_victim_of_a_deadlock_asks_again(
    finisher: Finisher, ledger: Connection, tenant: str, worker: UUID
) -> None:
    while True:
        deliveries = [await begun(ledger, await queued(ledger, tenant_id=tenant), worker) for _ in range(2)]
        was_the_victim = await in_a_deadlock(finisher, ledger, deliveries)
        for delivery in deliveries:
            assert (await row(ledger, delivery.job_id))["status"] == "done"
        if was_the_victim:
            return


async def in_a_deadlock(finisher: Finisher, ledger: Connection, deliveries: list[Delivery]) -> bool:
    """End these two while another holds the second and wants the first. The finisher's look at its wait comes after a
    second: it is the victim, unless the other comes later than that."""
    first, second = deliveries
    lock = "select 1 from jobs where job_id = $1 for update"
    transaction = ledger.transaction()
    await transaction.start()
    await ledger.execute(lock, second.job_id)
    ends = asyncio.create_task(write(finisher, *(Ending(each, End.DONE, result="1") for each in deliveries)))

    async def finisher_waits() -> bool:
        async with finisher._database.ledger.acquire() as connection:
            return bool(await connection.fetchval("select 1 from pg_locks where not granted"))

    await eventually(finisher_waits, what="the finisher's wait for the lock")
    try:
        await ledger.execute(lock, first.job_id)
    except asyncpg.DeadlockDetectedError:
        await transaction.rollback()
        return False
    else:
        await transaction.commit()
        return True
    finally:
        await ends


async def test_an_end_frees_its_lease_and_hints_at_what_comes_next(
    finisher: Finisher, stage: Stage, ledger: Connection, tenant: str, worker: UUID
) -> None:
    await stage.redis.flushdb()
    await stage.redis.set(EPOCH_KEY, "a-run/1")
    await enter_epoch(ledger, "base", "a-run/1")
    head = await begun(ledger, await queued(ledger, tenant_id=tenant, lane_id="lane"), worker)
    following = await queued(ledger, tenant_id=tenant, lane_id="lane")
    retried = await begun(ledger, await queued(ledger, tenant_id=tenant), worker)
    await stage.dispatcher.enqueue([Due(each.hint, "demo", False, 0, None) for each in (head, retried)])
    await stage.dispatcher.claim(2, 60.0)
    await write(finisher, Ending(head, End.DONE, result="1"), Ending(retried, End.RETRY))
    claimed = await stage.dispatcher.claim(10, 60.0)
    assert sorted(claimed.hints) == sorted([(following.job_id, 1), (retried.job_id, 2)])
    assert await stage.dispatcher.depth() == (0, 2)
    for job_id in (following.job_id, retried.job_id):
        assert (await row(ledger, job_id))["dispatched_at"] is not None
