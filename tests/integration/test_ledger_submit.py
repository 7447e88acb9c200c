"""Submit: one transaction decides everything, and concurrent submits share it without knowing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
import pytest_asyncio

from app.engine.dispatch import EPOCH_KEY
from app.engine.ledger.dispatching import enter_epoch
from app.engine.ledger.submit import Accepted, IdempotencyConflict, LaneFull, submit
from app.engine.submit import InvalidText, Submitter
from app.kit.db import Connection, Database
from app.kit.errors import Refusal, Unavailable
from app.kit.redis import connect, disconnect
from tests.support.deployment import Deployment
from tests.support.jobs import accepted, new_job, queued, row


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def submitter(database: Database, deployment: Deployment) -> AsyncIterator[Submitter]:
    settings = deployment.settings()
    pool, shared = connect(settings.queues["base"].redis_url), connect(settings.shared_redis_url)
    made = Submitter(database, lambda _: pool)
    yield made
    await made.drain()
    await disconnect(pool)
    await disconnect(shared)


async def count(connection: Connection, tenant: str) -> int:
    return int(await connection.fetchval("select count(*) from jobs where tenant_id = $1", tenant))


async def test_an_accepted_job_is_a_queued_row(ledger: Connection, tenant: str) -> None:
    job = await queued(ledger, tenant_id=tenant, input='{"a": [1, null]}', priority=3, request_id="r", session_id="s")
    stored = await row(ledger, job.job_id)
    assert stored["status"] == "queued"
    assert (stored["attempt"], stored["failures"], stored["losses"]) == (0, 0, 0)
    assert stored["input"] == '{"a": [1, null]}'
    assert (stored["priority"], stored["request_id"], stored["session_id"]) == (3, "r", "s")
    assert stored["dispatched_at"] is None


async def test_answers_come_in_the_order_of_the_requests(ledger: Connection, tenant: str) -> None:
    lanes = [None, "a", None, "b", "a", None]
    requests = [new_job(tenant_id=tenant, lane_id=lane, input=f"{n}") for n, lane in enumerate(lanes)]
    answers = await accepted(ledger, *requests)
    assert [answer.job.job_id for answer in answers] == [request.job_id for request in requests]
    assert [answer.job.lane_id for answer in answers] == lanes
    assert [answer.dispatchable for answer in answers] == [True, True, True, True, False, True]


async def test_the_same_key_and_body_are_the_same_job(ledger: Connection, tenant: str) -> None:
    first = new_job(tenant_id=tenant, idempotency_key="k", fingerprint=b"body")
    again = new_job(tenant_id=tenant, idempotency_key="k", fingerprint=b"body")
    [made] = await accepted(ledger, first)
    [answer] = await accepted(ledger, again)
    assert made.fresh
    assert not answer.fresh
    assert answer.job.job_id == first.job_id
    assert await count(ledger, tenant) == 1


async def test_the_same_key_with_another_body_conflicts(ledger: Connection, tenant: str) -> None:
    await accepted(ledger, new_job(tenant_id=tenant, idempotency_key="k", fingerprint=b"body"))
    [answer] = await submit(ledger, [new_job(tenant_id=tenant, idempotency_key="k", fingerprint=b"other")])
    assert isinstance(answer, IdempotencyConflict)
    assert await count(ledger, tenant) == 1


async def test_two_tenants_may_use_one_key(ledger: Connection, tenant: str) -> None:
    [mine] = await accepted(ledger, new_job(tenant_id=tenant, idempotency_key="k", fingerprint=b"body"))
    [theirs] = await accepted(ledger, new_job(tenant_id=f"{tenant}-b", idempotency_key="k", fingerprint=b"other"))
    assert theirs.fresh
    assert theirs.job.job_id != mine.job.job_id


async def test_one_key_twice_in_one_batch_is_one_job(ledger: Connection, tenant: str) -> None:
    requests = [new_job(tenant_id=tenant, idempotency_key="k", fingerprint=b"body") for _ in range(3)]
    answers = await accepted(ledger, *requests)
    assert [answer.fresh for answer in answers] == [True, False, False]
    assert {answer.job.job_id for answer in answers} == {requests[0].job_id}


async def test_two_hundred_parallel_submits_with_one_key_make_one_job(
    submitter: Submitter, ledger: Connection, tenant: str
) -> None:
    requests = [new_job(tenant_id=tenant, idempotency_key="k", fingerprint=b"body") for _ in range(200)]
    answers = await asyncio.gather(*(submitter.submit(request) for request in requests))
    assert len({answer.job.job_id for answer in answers}) == 1
    assert sum(answer.fresh for answer in answers) == 1
    assert await count(ledger, tenant) == 1


async def test_submits_of_one_key_on_connections_of_their_own_make_one_job(database: Database, tenant: str) -> None:
    """No batch to share here: the database itself decides."""

    async def one(number: int) -> Accepted | Refusal:
        request = new_job(tenant_id=tenant, idempotency_key="k", fingerprint=b"body", lane_id=f"lane-{number % 3}")
        async with database.ledger.acquire() as connection:
            return (await submit(connection, [request]))[0]

    answers = await asyncio.gather(*(one(number) for number in range(30)))
    assert all(isinstance(answer, Accepted) for answer in answers)
    jobs = {answer.job.job_id for answer in answers if isinstance(answer, Accepted)}
    assert len(jobs) == 1


async def test_batches_that_share_keys_and_lanes_never_deadlock(database: Database, tenant: str) -> None:
    async def one(number: int) -> None:
        order = range(10) if number % 2 else reversed(range(10))
        requests = [
            new_job(tenant_id=tenant, idempotency_key=f"{number}-{each}", fingerprint=b"", lane_id=f"lane-{each}")
            for each in order
        ]
        async with database.ledger.acquire() as connection:
            await accepted(connection, *requests)

    await asyncio.gather(*(one(number) for number in range(20)))


async def test_a_rejected_lane_job_gives_its_key_back(ledger: Connection, tenant: str) -> None:
    await queued(ledger, tenant_id=tenant, lane_id="lane")
    wanted = {"tenant_id": tenant, "lane_id": "lane", "idempotency_key": "k", "fingerprint": b"body"}
    [refusal] = await submit(ledger, [new_job(**wanted, lane_capacity=1)])
    assert isinstance(refusal, LaneFull)
    [answer] = await accepted(ledger, new_job(**wanted, lane_capacity=2))
    assert answer.fresh


async def test_a_debounced_request_s_key_stands_for_the_earlier_job(ledger: Connection, tenant: str) -> None:
    wanted = {"tenant_id": tenant, "lane_id": "lane", "fingerprint": b"body", "debounce_ms": 60_000}
    [first] = await accepted(ledger, new_job(**wanted))
    [debounced] = await accepted(ledger, new_job(**wanted, idempotency_key="k"))
    [again] = await accepted(ledger, new_job(**wanted | {"debounce_ms": 0}, idempotency_key="k"))
    assert debounced.debounced
    assert first.job.job_id == debounced.job.job_id == again.job.job_id


@pytest.mark.parametrize("field", ["input", "lane_id", "request_id", "session_id", "idempotency_key"])
async def test_text_that_cannot_be_stored_is_refused_and_its_neighbours_are_not(
    submitter: Submitter, ledger: Connection, tenant: str, field: str
) -> None:
    bad = {"input": '{"a": "\\u0000"}'} if field == "input" else {field: "a\x00b"}
    requests = [new_job(tenant_id=tenant, **(bad if number == 7 else {})) for number in range(20)]
    answers = await asyncio.gather(*(submitter.submit(request) for request in requests), return_exceptions=True)
    assert isinstance(answers[7], InvalidText)
    assert [type(answer) for n, answer in enumerate(answers) if n != 7] == [Accepted] * 19
    assert await count(ledger, tenant) == 19


async def test_a_bulk_with_text_that_cannot_be_stored_is_refused_as_a_whole(
    submitter: Submitter, ledger: Connection, tenant: str
) -> None:
    requests = [new_job(tenant_id=tenant), new_job(tenant_id=tenant, request_id="\x00")]
    with pytest.raises(InvalidText):
        await submitter.submit_many(requests)
    assert await count(ledger, tenant) == 0


async def test_a_bulk_answers_one_by_one_in_one_transaction(
    submitter: Submitter, ledger: Connection, tenant: str
) -> None:
    lane = {"tenant_id": tenant, "lane_id": "lane", "lane_capacity": 2}
    answers = await submitter.submit_many([new_job(tenant_id=tenant), *(new_job(**lane) for _ in range(3))])
    assert [type(answer) for answer in answers] == [Accepted, Accepted, Accepted, LaneFull]
    stored = await ledger.fetch("select created_at from jobs where tenant_id = $1", tenant)
    assert len({record["created_at"] for record in stored}) == 1


async def test_an_accepted_job_is_dispatched_and_that_is_noted(
    submitter: Submitter, ledger: Connection, tenant: str
) -> None:
    dispatcher = submitter._announcer.dispatcher("base")
    await enter_epoch(ledger, "base", "a-run/1")
    for epoch in ("", "rebuilding:mark", "a-run/0", "a-run/1"):
        await dispatcher.redis.set(EPOCH_KEY, epoch)
        answer = await submitter.submit(new_job(tenant_id=tenant))
        await submitter.drain()
        assert (await dispatcher.enqueue([answer.job.due()])).added == 0  # Redis knows it already
        noted = (await row(ledger, answer.job.job_id))["dispatched_at"] is not None
        assert noted == (epoch == "a-run/1")  # before, the sweep has the last word
    await dispatcher.redis.delete(EPOCH_KEY)


async def test_an_absent_redis_delays_a_job_and_loses_nothing(
    database: Database, deployment: Deployment, ledger: Connection, tenant: str
) -> None:
    nowhere = connect("redis://127.0.0.1:1/3")
    submitter = Submitter(database, lambda _: nowhere)
    answer = await submitter.submit(new_job(tenant_id=tenant))
    await submitter.drain()
    stored = await row(ledger, answer.job.job_id)
    assert (stored["status"], stored["dispatched_at"]) == ("queued", None)
    await disconnect(nowhere)


async def test_an_absent_postgres_is_unavailable_and_accepts_nothing(deployment: Deployment, tenant: str) -> None:
    settings = deployment.settings()
    nowhere = replace(settings.database.options(), engine_url="postgresql://nobody@127.0.0.1:1/nothing")
    redis = connect(settings.queues["base"].redis_url)
    submitter = Submitter(Database(nowhere, application_name="nowhere"), lambda _: redis)
    with pytest.raises(Unavailable):
        await submitter.submit(new_job(tenant_id=tenant))
    await disconnect(redis)


async def test_a_lane_and_its_sequence_come_together_or_not_at_all(ledger: Connection, tenant: str) -> None:
    job = await queued(ledger, tenant_id=tenant)
    with pytest.raises(asyncpg.CheckViolationError, match="jobs_lane_has_seq"):
        await ledger.execute("update jobs set lane_id = 'lane' where job_id = $1", job.job_id)


async def test_a_job_outside_lanes_gets_in_beside_one_that_its_lane_refuses(ledger: Connection, tenant: str) -> None:
    full = {"tenant_id": tenant, "lane_id": "full", "lane_capacity": 1}
    assert isinstance((await submit(ledger, [new_job(**full)]))[0], Accepted)
    refused, alone = await submit(ledger, [new_job(**full), new_job(tenant_id=tenant)])
    assert isinstance(refused, LaneFull)
    assert isinstance(alone, Accepted)
    assert alone.fresh
