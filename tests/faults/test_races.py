"""Cancel, retry, rescue and finish at one barrier: one of them decides, and what it decided stays."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from app.engine.ledger.begin import Delivery, Verdict
from app.engine.ledger.cancel import cancel
from app.engine.ledger.finish import End
from app.engine.ledger.rescue import rescue
from app.engine.ledger.retry import retry
from app.kit.db import Connection, Database
from tests.support.jobs import attempts, begun, end, end_lease, live_worker, queued, row, try_begin
from tests.support.trials import TRIALS

ROUNDS = 200 * TRIALS

Contender = Callable[[Connection], Awaitable[Any]]


async def at_one_barrier(database: Database, contenders: dict[str, Contender]) -> dict[str, Any]:
    """Each on a connection of its own, all let go at once; what each of them was told."""
    barrier = asyncio.Barrier(len(contenders))

    async def contend(contender: Contender) -> Any:
        async with database.ledger.acquire() as connection:
            await barrier.wait()
            try:
                return await contender(connection)
            except asyncpg.TransactionRollbackError:  # a deadlock's victim wrote nothing
                return None

    answers = await asyncio.gather(*(contend(each) for each in contenders.values()))
    return dict(zip(contenders, answers, strict=True))


async def test_one_end_of_a_delivery_wins(database: Database, ledger: Connection, tenant: str) -> None:
    winners: Counter[str] = Counter()
    for number in range(ROUNDS):
        worker = await live_worker(ledger)
        lane = f"lane-{number}" if number % 2 else None
        delivery = await begun(ledger, await queued(ledger, tenant_id=tenant, lane_id=lane), worker)
        await end_lease(ledger, worker)
        told = await at_one_barrier(
            database,
            {
                "success": partial(end, delivery=delivery, how=End.DONE),
                "failure": partial(end, delivery=delivery, how=End.FAILED, error="raced"),
                "lost": partial(rescued, job_id=delivery.job_id),
                "cancel": partial(cancel, tenant_id=tenant, job_id=delivery.job_id),
                "retry": partial(retried, tenant=tenant, job_id=delivery.job_id),
            },
        )
        winners[await the_one(ledger, delivery, told)] += 1
        await end_for_good(ledger, tenant, delivery)
    assert sum(winners.values()) == ROUNDS
    assert len(winners) > 1, "the barrier let nobody race"


async def rescued(connection: Connection, job_id: UUID) -> bool:
    return any(each.job_id == job_id for each in await rescue(connection, "base"))


async def retried(connection: Connection, tenant: str, job_id: UUID) -> Any:
    async with connection.transaction():
        return await retry(connection, tenant, job_id)


async def the_one(ledger: Connection, delivery: Delivery, told: dict[str, Any]) -> str:
    """Who ended the delivery: exactly one was told so, and there is exactly one attempt, which says the same."""
    said = [name for name in ("success", "failure", "lost") if told[name]]
    written = await attempts(ledger, delivery.job_id)
    assert said == written, (said, written)
    status = (await row(ledger, delivery.job_id))["status"]
    if told["retry"]:
        assert (said, status in ("queued", "cancelled")) == (["failure"], True)
    elif said == ["lost"]:
        assert status == ("cancelled" if told["cancel"] else "queued")
    else:
        assert status == ("done" if said == ["success"] else "failed")
    return said[0]


async def end_for_good(ledger: Connection, tenant: str, delivery: Delivery) -> None:
    """Whatever the race left goes on to one end, and the delivery that it was about has no say in it any more."""
    before = await row(ledger, delivery.job_id)
    if before["status"] == "queued":
        next_one = await try_begin(ledger, delivery, await live_worker(ledger))
        assert next_one.verdict is Verdict.RUN
        assert next_one.delivery is not None
        assert await end(ledger, delivery, End.DONE) is None
        assert await end(ledger, next_one.delivery, End.DONE) is not None
    for contender in (End.DONE, End.FAILED, End.RETRY):
        assert await end(ledger, delivery, contender, error="late") is None
    assert not await rescued(ledger, delivery.job_id)
    ended = await row(ledger, delivery.job_id)
    assert ended["status"] in ("done", "failed", "cancelled")
    assert (await attempts(ledger, delivery.job_id)).count("success") == int(ended["status"] == "done")


async def test_one_success_however_often_a_failed_job_is_retried_at_once(
    database: Database, ledger: Connection, tenant: str
) -> None:
    for number in range(ROUNDS // 4):
        worker = await live_worker(ledger)
        failed = await begun(ledger, await queued(ledger, tenant_id=tenant, lane_id=f"retry-{number}"), worker)
        await end(ledger, failed, End.FAILED, error="first")
        told = await at_one_barrier(
            database,
            {f"retry {n}": partial(retried, tenant=tenant, job_id=failed.job_id) for n in range(3)}
            | {f"begin {n}": partial(try_begin, job=failed, worker_id=worker) for n in range(2)},
        )
        assert sum(told[f"retry {n}"] is not None for n in range(3)) == 1
        ran = [each for n in range(2) if (each := told[f"begin {n}"]) is not None and each.verdict is Verdict.RUN]
        assert len(ran) <= 1
        delivery = ran[0].delivery if ran else await begun(ledger, failed, worker)
        assert delivery is not None
        assert await end(ledger, delivery, End.DONE) is not None
        assert (await row(ledger, failed.job_id))["retries"] == 1
        assert await attempts(ledger, failed.job_id) == ["failure", "success"]
