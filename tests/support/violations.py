"""Violations of the invariants, planted past every wall. Each returns the ids that an auditor must find."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from uuid import UUID

import asyncpg

from app.engine.ledger.finish import End
from app.engine.ledger.heartbeat import deregister
from app.engine.ledger.rows import JobRow
from app.kit.db import Connection
from app.kit.ids import uuid7
from tests.support.jobs import begun, end, end_lease, live_worker, queued


async def done(ledger: Connection, **fields: object) -> JobRow:
    job = await queued(ledger, **fields)
    await end(ledger, await begun(ledger, job, await live_worker(ledger)), End.DONE)
    return job


async def never_begun(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    await live_worker(ledger)
    return {(await queued(ledger)).job_id}


async def never_rescued(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    await live_worker(ledger)  # somebody could
    gone, dead, busy = [await live_worker(ledger) for _ in range(3)]
    lost = [await begun(ledger, await queued(ledger), worker) for worker in (gone, dead, busy)]
    await deregister(ledger, gone)
    await end_lease(ledger, dead)
    await root.execute("update jobs set deadline_at = now() - interval '1 second' where worker_id = $1", busy)
    return {delivery.job_id for delivery in lost}


async def two_holders(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    worker = await live_worker(ledger)
    first, second = [await queued(ledger, lane_id="lane") for _ in range(2)]
    await begun(ledger, first, worker)
    await root.execute(
        "update jobs set status = 'processing', claim_token = gen_random_uuid(), worker_id = $2, begun_at = now() "
        "where job_id = $1",
        second.job_id,
        worker,
    )
    return {first.job_id, second.job_id}


async def undelivered(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    effect = uuid7()
    await root.execute(
        "insert into outbox (effect_id, tenant_id, topic, payload, created_at) "
        "values ($1, 'demo', 'nobody.knows', '{}', now() - interval '1 second')",
        effect,
    )
    return {effect}


async def endless(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await done(ledger)
    await root.execute("update jobs set finished_at = null where job_id = $1", job.job_id)
    return {job.job_id}


async def overlap(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    first = await done(ledger, lane_id="lane")
    second = await done(ledger, lane_id="lane")
    await root.execute(
        "update job_attempts set finished_at = finished_at + interval '1 second' where job_id = $1", first.job_id
    )
    return {second.job_id}


async def out_of_order(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    first = await done(ledger, lane_id="lane")
    second = await done(ledger, lane_id="lane")
    await root.execute("update jobs set started_at = now() + interval '1 second' where job_id = $1", first.job_id)
    return {second.job_id}


async def beyond_sequence(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    ahead, laneless = await queued(ledger, lane_id="a lane"), await queued(ledger, lane_id="no lane")
    await root.execute("update lanes set next_seq = 1 where lane_id = 'a lane'")
    await root.execute("delete from lanes where lane_id = 'no lane'")
    return {ahead.job_id, laneless.job_id}


async def attempt_ahead(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await queued(ledger)
    await begun(ledger, job, await live_worker(ledger))
    await root.execute(_ATTEMPT, job.job_id, 2, "lost", None)
    return {job.job_id}


async def after_the_end(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await done(ledger)
    await root.execute(_ATTEMPT, job.job_id, 2, "failure", None)
    await root.execute("update jobs set attempt = 2 where job_id = $1", job.job_id)
    return {job.job_id}


async def reused_fence(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await queued(ledger)
    delivery = await begun(ledger, job, await live_worker(ledger))
    await end(ledger, delivery, End.RETRY)
    await root.execute("update jobs set attempt = 2 where job_id = $1", job.job_id)
    await root.execute(_ATTEMPT, job.job_id, 2, "lost", delivery.token)
    return {job.job_id}


async def two_successes(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await done(ledger)
    await root.execute(_ATTEMPT, job.job_id, 2, "success", None)
    return {job.job_id}


async def done_without_success(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    never, stale = await done(ledger), await done(ledger)
    await root.execute("update job_attempts set status = 'lost' where job_id = $1", never.job_id)
    await root.execute("update jobs set claim_token = gen_random_uuid() where job_id = $1", stale.job_id)
    return {never.job_id, stale.job_id}


async def success_without_done(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await done(ledger)
    await root.execute("update jobs set status = 'failed' where job_id = $1", job.job_id)
    return {job.job_id}


async def key_of_many(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    first, second = await queued(ledger, idempotency_key="one"), await queued(ledger, idempotency_key="other")
    await root.execute("update idempotency_keys set key = 'one'")
    return {first.job_id, second.job_id}


async def key_of_none(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await queued(ledger, idempotency_key="key")
    await root.execute("delete from jobs where job_id = $1", job.job_id)
    return {job.job_id}


async def strange_attempt(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await done(ledger)
    await root.execute("update job_attempts set tenant_id = 'other' where job_id = $1", job.job_id)
    return {job.job_id}


async def strange_key(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await queued(ledger, idempotency_key="key")
    await root.execute("update idempotency_keys set tenant_id = 'other'")
    return {job.job_id}


async def one_id_two_tenants(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await queued(ledger)
    await queued(ledger, job_id=job.job_id, tenant_id="other")
    return {job.job_id}


async def strange_lane(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    job = await queued(ledger, lane_id="lane")
    other = await queued(ledger, tenant_id="other")
    await root.execute("update lanes set last_job_id = $1", other.job_id)
    return {job.job_id}


async def effect_without_job(ledger: Connection, root: asyncpg.Connection) -> set[UUID]:
    effect = uuid7()
    await root.execute(
        "insert into outbox (effect_id, tenant_id, topic, payload, delivered_at) "
        "values ($1, 'demo', 'job.submit', '{}', now())",
        effect,
    )
    return {effect}


_ATTEMPT = """
insert into job_attempts (job_id, attempt, tenant_id, status, claim_token, started_at, duration_ms)
values ($1, $2, 'demo', $3, $4, now(), 0)
"""

Plant: TypeAlias = Callable[[Connection, asyncpg.Connection], Awaitable[set[UUID]]]

PLANTS: tuple[Plant, ...] = (
    never_begun,
    never_rescued,
    two_holders,
    undelivered,
    endless,
    overlap,
    out_of_order,
    beyond_sequence,
    attempt_ahead,
    after_the_end,
    reused_fence,
    two_successes,
    done_without_success,
    success_without_done,
    key_of_many,
    key_of_none,
    strange_attempt,
    strange_key,
    one_id_two_tenants,
    strange_lane,
    effect_without_job,
)
