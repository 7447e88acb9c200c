"""Lanes at the door: sequence numbers, capacity and debounce, decided under the lane row's lock."""

from __future__ import annotations

import asyncio

from app.engine.ledger.cancel import cancel
from app.engine.ledger.dispatching import lane_heads, undispatched
from app.engine.ledger.finish import End
from app.engine.ledger.submit import Accepted, LaneFull, submit
from app.kit.db import Connection, Database
from tests.support.jobs import QUEUE, accepted, begun, end, live_worker, new_job, queued


async def test_concurrent_submits_get_gapless_sequences_in_commit_order(database: Database, tenant: str) -> None:
    async def one(number: int) -> None:
        requests = [new_job(tenant_id=tenant, lane_id=f"lane-{(number + each) % 4}") for each in range(4)]
        async with database.ledger.acquire() as connection:
            await accepted(connection, *requests)

    await asyncio.gather(*(one(number) for number in range(25)))
    async with database.ledger.acquire() as connection:
        for lane in range(4):
            records = await connection.fetch(
                "select lane_seq from jobs where tenant_id = $1 and lane_id = $2 order by created_at, lane_seq",
                tenant,
                f"lane-{lane}",
            )
            assert sorted(record["lane_seq"] for record in records) == list(range(1, 26))


async def test_a_rejected_or_debounced_request_takes_no_number(ledger: Connection, tenant: str) -> None:
    lane = {"tenant_id": tenant, "lane_id": "lane"}
    await accepted(ledger, new_job(**lane, fingerprint=b"a"))
    await accepted(ledger, new_job(**lane, fingerprint=b"a", debounce_ms=60_000))
    [refusal] = await submit(ledger, [new_job(**lane, lane_capacity=1)])
    assert isinstance(refusal, LaneFull)
    assert (await queued(ledger, **lane)).lane_seq == 2


async def test_a_full_lane_refuses_until_a_job_has_ended(ledger: Connection, tenant: str) -> None:
    wanted = {"tenant_id": tenant, "lane_id": "lane", "lane_capacity": 3}
    answers = await submit(ledger, [new_job(**wanted) for _ in range(5)])
    assert [type(answer) for answer in answers] == [Accepted] * 3 + [LaneFull] * 2
    refusal = answers[-1]
    assert isinstance(refusal, LaneFull)
    assert refusal.retry_after is not None
    assert refusal.retry_after > 0
    assert refusal.extra == {"lane_queue_size": 3}

    first = answers[0]
    assert isinstance(first, Accepted)
    await end(ledger, await begun(ledger, first.job, await live_worker(ledger)), End.DONE)
    assert [type(answer) for answer in await submit(ledger, [new_job(**wanted), new_job(**wanted)])] == [
        Accepted,
        LaneFull,
    ]


async def test_capacity_is_each_lane_s_own(ledger: Connection, tenant: str) -> None:
    full = {"lane_id": "lane", "lane_capacity": 1}
    await queued(ledger, tenant_id=tenant, **full)
    for elsewhere in ({"lane_id": "other"}, {"tenant_id": f"{tenant}-b"}, {"queue": "chat"}):
        [answer] = await submit(ledger, [new_job(**{"tenant_id": tenant} | full | elsewhere)])
        assert isinstance(answer, Accepted), elsewhere


async def test_the_same_request_again_within_the_debounce_is_the_same_job(ledger: Connection, tenant: str) -> None:
    wanted = {"tenant_id": tenant, "lane_id": "lane", "fingerprint": b"a", "debounce_ms": 60_000}
    first, twin, other = await accepted(
        ledger, new_job(**wanted), new_job(**wanted), new_job(**wanted | {"fingerprint": b"b"})
    )
    assert (twin.job.job_id, twin.debounced, twin.fresh) == (first.job.job_id, True, False)
    assert not other.debounced
    [between] = await accepted(ledger, new_job(**wanted))  # `b` came in between: no longer a double click
    assert not between.debounced


async def test_debounce_ends_with_its_time(ledger: Connection, tenant: str) -> None:
    wanted = {"tenant_id": tenant, "lane_id": "lane", "fingerprint": b"a", "debounce_ms": 60_000}
    await accepted(ledger, new_job(**wanted))
    await ledger.execute("update lanes set last_at = last_at - interval '61 seconds' where tenant_id = $1", tenant)
    [late] = await accepted(ledger, new_job(**wanted))
    assert not late.debounced


async def test_a_job_that_has_ended_debounces_nothing(ledger: Connection, tenant: str) -> None:
    wanted = {"tenant_id": tenant, "lane_id": "lane", "fingerprint": b"a", "debounce_ms": 60_000}
    [first] = await accepted(ledger, new_job(**wanted))
    await cancel(ledger, tenant, first.job.job_id)
    [again] = await accepted(ledger, new_job(**wanted))
    assert not again.debounced


async def test_a_debounced_request_is_answered_even_where_the_lane_is_full(ledger: Connection, tenant: str) -> None:
    wanted = {"tenant_id": tenant, "lane_id": "lane", "fingerprint": b"a", "debounce_ms": 60_000, "lane_capacity": 1}
    [first] = await accepted(ledger, new_job(**wanted))
    [twin] = await accepted(ledger, new_job(**wanted))
    assert twin.job.job_id == first.job.job_id


async def test_only_the_head_of_a_lane_needs_a_hint(ledger: Connection, tenant: str) -> None:
    head, second = await accepted(ledger, *(new_job(tenant_id=tenant, lane_id="lane") for _ in range(2)))
    assert (head.dispatchable, second.dispatchable) == (True, False)
    assert [due.hint.job_id for due in await undispatched(ledger, QUEUE, only_tenant=tenant)] == [head.job.job_id]

    await end(ledger, await begun(ledger, head.job, await live_worker(ledger)), End.DONE)
    assert [due.hint.job_id for due in await lane_heads(ledger, QUEUE, [(tenant, "lane")])] == [second.job.job_id]


async def test_the_next_of_a_lane_is_nobody_while_one_runs_or_none_waits(ledger: Connection, tenant: str) -> None:
    head, second = await accepted(ledger, *(new_job(tenant_id=tenant, lane_id="lane") for _ in range(2)))
    delivery = await begun(ledger, head.job, await live_worker(ledger))
    assert await lane_heads(ledger, QUEUE, [(tenant, "lane"), (tenant, "unknown")]) == []
    await end(ledger, delivery, End.DONE)
    await cancel(ledger, tenant, second.job.job_id)
    assert await lane_heads(ledger, QUEUE, [(tenant, "lane")]) == []
