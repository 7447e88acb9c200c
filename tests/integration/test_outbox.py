"""The outbox: an effect becomes a job once, whoever relays it and whenever they die; what cannot be delivered stays."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from app.engine.diagnostics import KINDS, Echo, Steps
from app.engine.outbox import SUBMIT, Relay, emit
from app.engine.workload import JobKind, Registry, Workload
from app.kit.db import Connection, Database
from tests.support.deployment import Deployment
from tests.support.processes import running
from tests.support.stage import Stage, open_stage
from tests.support.waiting import eventually

INNER = JobKind(name="test.inner", task="", input=Echo, result=Echo, summary="", public=False)
STRICT = JobKind(name="test.strict", task="", input=Steps, result=Echo, summary="")
KILLED = -9


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def relay(stage: Stage) -> Relay:
    await stage.execute("delete from outbox")
    await stage.execute("delete from jobs")
    registry = Registry([Workload("base", 1, "", kinds=(INNER, STRICT))], shared_kinds=KINDS)
    return Relay(stage.database, registry, stage.submitter)


async def emitted(stage: Stage, payload: Any, *, topic: str = SUBMIT, tenant: str = "demo") -> UUID:
    async with stage.database.session(tenant) as session:
        return await emit(session, tenant, topic, payload)


async def effect(ledger: Connection, effect_id: UUID) -> asyncpg.Record:
    found = await ledger.fetchrow("select * from outbox where effect_id = $1", effect_id)
    assert found is not None
    return found


async def jobs(ledger: Connection) -> list[asyncpg.Record]:
    return list(await ledger.fetch("select * from jobs order by created_at"))


async def test_an_effect_becomes_a_job_of_its_tenant_and_is_hinted(
    stage: Stage, relay: Relay, ledger: Connection
) -> None:
    payload = {"kind": "test.inner", "input": {"a": 1}, "lane": "lane"}
    effect_id = await emitted(stage, payload, tenant="a-school")
    await stage.redis.flushdb()
    assert await relay.deliver_pending() == 1
    [job] = await jobs(ledger)
    assert (job["tenant_id"], job["queue"], job["kind"]) == ("a-school", "base", "test.inner")
    assert (job["input"], job["lane_id"]) == ('{"a": 1}', "lane")
    told = await effect(ledger, effect_id)
    assert told["delivered_at"] is not None
    assert (told["tries"], told["error"]) == (1, None)
    assert [hint.job_id for hint in (await stage.dispatcher.claim(10, 60.0)).hints] == [job["job_id"]]
    assert await relay.deliver_pending() == 0


async def test_an_effect_whose_transaction_failed_never_was(stage: Stage, relay: Relay) -> None:
    async def fails() -> None:
        async with stage.database.session("demo") as session:
            await emit(session, "demo", SUBMIT, {"kind": "test.inner", "input": 1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await relay.deliver_pending() == 0


async def test_two_relays_at_once_deliver_each_effect_once(stage: Stage, relay: Relay, ledger: Connection) -> None:
    for number in range(40):
        await emitted(stage, {"kind": "test.inner", "input": number})
    other = Relay(stage.database, relay._registry, stage.submitter)
    while sum(await asyncio.gather(relay.deliver_pending(), other.deliver_pending())):
        pass
    assert sorted(int(job["input"]) for job in await jobs(ledger)) == list(range(40))


async def test_an_effect_that_was_delivered_but_not_noted_is_the_same_job_again(
    stage: Stage, relay: Relay, ledger: Connection
) -> None:
    effect_id = await emitted(stage, {"kind": "test.inner", "input": 1})
    await relay.deliver_pending()
    await stage.execute("update outbox set delivered_at = null where effect_id = $1", effect_id)
    await relay.deliver_pending()
    assert len(await jobs(ledger)) == 1


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (("exam.confirmed", {}), "no handler for topic 'exam.confirmed'"),
        ((SUBMIT, {"kind": "nobody.knows", "input": 1}), "UnknownKind"),
        ((SUBMIT, {"kind": "test.strict", "input": {"steps": "many"}}), "InvalidInput"),
        ((SUBMIT, {"input": 1}), "KeyError: 'kind'"),
        ((SUBMIT, [1]), "TypeError"),
        ((SUBMIT, {"kind": "test.inner", "input": 1, "queue": "nowhere"}), "InvalidPlacement"),
        ((SUBMIT, {"kind": ["test.inner"], "input": 1}), "TypeError"),
    ],
    ids=["topic", "kind", "input", "no kind", "no object", "queue", "an odd kind"],
)
async def test_what_cannot_be_delivered_stays_with_its_error_and_holds_up_nothing(
    stage: Stage, relay: Relay, ledger: Connection, broken: tuple[str, Any], error: str
) -> None:
    topic, payload = broken
    bad = await emitted(stage, payload, topic=topic)
    good = await emitted(stage, {"kind": "test.inner", "input": 1})
    assert await relay.deliver_pending() == 2
    stayed = await effect(ledger, bad)
    assert (stayed["delivered_at"], stayed["tries"]) == (None, 1)
    assert error in stayed["error"]
    assert stayed["next_try_at"] > stayed["created_at"]
    assert (await effect(ledger, good))["delivered_at"] is not None
    assert len(await jobs(ledger)) == 1


async def test_an_undelivered_effect_is_tried_again_and_delivered_once_it_can_be(
    stage: Stage, relay: Relay, ledger: Connection
) -> None:
    effect_id = await emitted(stage, {"kind": "newer.kind", "input": 1})
    await relay.deliver_pending()
    await stage.execute("update outbox set next_try_at = now()")
    kind = JobKind(name="newer.kind", task="", input=Echo, result=Echo, summary="")
    newer = Relay(stage.database, Registry([Workload("base", 1, "", kinds=(kind,))]), stage.submitter)
    assert await newer.deliver_pending() == 1
    told = await effect(ledger, effect_id)
    assert told["delivered_at"] is not None
    assert (told["tries"], told["error"]) == (2, None)


async def test_more_than_one_batch_is_delivered_without_a_pause(stage: Stage, relay: Relay, ledger: Connection) -> None:
    await stage.execute(
        """insert into outbox (effect_id, tenant_id, topic, payload)
           select gen_random_uuid(), 'demo', 'job.submit', '{"kind": "test.inner", "input": 1}'
           from generate_series(1, 250)"""
    )
    assert [await relay.deliver_pending() for _ in range(4)] == [100, 100, 50, 0]
    assert len(await jobs(ledger)) == 250


async def test_a_relay_killed_before_its_commit_leaves_the_effect_to_the_next(
    stage: Stage, relay: Relay, ledger: Connection, deployment: Deployment
) -> None:
    effect_id = await emitted(stage, {"kind": "diagnostics.echo", "input": "hello", "queue": "base"})
    worker = [sys.executable, "run_base_worker.py"]
    environment = deployment.environment(FAILPOINTS="relay.delivered=kill", LEASE_SECONDS="1")
    async with running(worker, environment=environment) as doomed:
        assert await asyncio.wait_for(doomed.wait(), 30) == KILLED
    assert await jobs(ledger) == []
    assert (await effect(ledger, effect_id))["delivered_at"] is None
    async with running(worker, environment=deployment.environment()):

        async def done() -> bool:
            return [job["status"] for job in await jobs(ledger)] == ["done"]

        await eventually(done, within=30, what="the effect's job")
    assert (await effect(ledger, effect_id))["delivered_at"] is not None
