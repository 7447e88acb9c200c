"""The auditor: each violation of an invariant is planted and found, and an honest history has none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from app.engine.auditor import INVARIANTS, Auditor
from app.engine.ledger.audit_invariants import HISTORY, LIVE, Finding
from app.engine.ledger.findings import count_findings
from app.engine.ledger.finish import End
from app.engine.ledger.heartbeat import deregister
from app.engine.ledger.rows import JobRow
from app.engine.outbox import SUBMIT, emit
from app.kit.db import Connection, Database
from app.kit.ids import uuid7
from tests.support.jobs import accepted, begun, end, end_lease, live_worker, new_job, queued


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def superuser(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Whom no wall, no role and no policy stops; the walls that make a violation impossible are taken down."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        """
        drop index jobs_lane_holder, jobs_lane_live;
        alter table idempotency_keys drop constraint idempotency_keys_pkey;
        """
    )
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def clean(superuser: asyncpg.Connection) -> asyncpg.Connection:
    """A ledger with nothing in it."""
    await superuser.execute(
        "truncate jobs, job_attempts, idempotency_keys, lanes, outbox, workers, audit_findings, audit_progress"
    )
    return superuser


def auditor(database: Database, *, patience: float = 0.0, jobs: int = 50_000, margin: int = 5_000) -> Auditor:
    return Auditor(database, confirm_after=0.0, patience=patience, jobs=jobs, margin=margin)


def names(found: Sequence[Finding]) -> set[str]:
    return {finding.name for finding in found}


async def done(ledger: Connection, **fields: object) -> JobRow:
    job = await queued(ledger, **fields)
    await end(ledger, await begun(ledger, job, await live_worker(ledger)), End.DONE)
    return job


# ── how each invariant is broken: what is planted returns the ids that must be found ────────────────────────────────


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


def test_every_check_has_a_plant_and_every_invariant_a_check() -> None:
    checks = [*LIVE, *HISTORY]
    assert [plant.__name__ for plant in PLANTS] == [check.name for check in checks]
    assert {check.invariant for check in checks} | {"I8"} == set(INVARIANTS)  # I8 is asked of Redis


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
async def test_what_is_planted_is_found(
    database: Database, ledger: Connection, clean: asyncpg.Connection, plant: Plant
) -> None:
    guilty = await plant(ledger, clean)
    found = await auditor(database).audit()
    assert {finding.subject for finding in found if finding.name == plant.__name__} == guilty


async def a_busy_day(ledger: Connection, database: Database) -> None:
    """What busy and honest workers leave behind."""
    worker = await live_worker(ledger)
    for lane in ("a", "b", None):
        for _ in range(3):
            await done(ledger, lane_id=lane, idempotency_key=str(uuid7()))
    retried = await queued(ledger, lane_id="a")
    await end(ledger, await begun(ledger, retried, worker), End.RETRY)
    again = await begun(ledger, retried, worker, attempt=2)
    await end(ledger, again, End.FAILED)
    await end(ledger, await begun(ledger, await queued(ledger, lane_id="b"), worker), End.CANCELLED)
    await queued(ledger, lane_id="c")
    await begun(ledger, await queued(ledger, lane_id="d"), worker)
    await accepted(ledger, new_job(idempotency_key="k", lane_id="e"), new_job(lane_id="e"))
    async with database.session("demo") as session:
        effect = await emit(session, "demo", SUBMIT, {})
    await accepted(ledger, new_job(idempotency_key=f"outbox:{effect}"))
    await ledger.execute("update outbox set delivered_at = now()")


async def test_an_honest_history_has_no_violation(
    database: Database, ledger: Connection, clean: asyncpg.Connection
) -> None:
    await a_busy_day(ledger, database)
    assert await ledger.fetchval("select count(*) from job_attempts") > 10
    assert await auditor(database, patience=60.0).audit() == []


async def test_a_violation_is_found_across_the_borders_of_ranges(
    database: Database, ledger: Connection, clean: asyncpg.Connection
) -> None:
    guilty = await overlap(ledger, clean)
    assert {each.subject for each in await auditor(database, jobs=1, margin=1).audit()} == guilty


async def test_what_heals_while_it_is_looked_at_again_is_no_violation(
    database: Database, ledger: Connection, clean: asyncpg.Connection
) -> None:
    [job_id] = await never_begun(ledger, clean)
    looks = 0

    async def heals() -> list[Finding]:
        nonlocal looks
        looks += 1
        await clean.execute("update jobs set status = 'cancelled', finished_at = now()")
        return []

    assert await Auditor(database, [heals], confirm_after=0.0, patience=0.0).audit() == []
    assert looks == 2, job_id


async def test_rounds_walk_through_all_of_the_ledger_and_remember_until_it_is_healed(
    database: Database, ledger: Connection, clean: asyncpg.Connection
) -> None:
    guilty = await endless(ledger, clean)
    for _ in range(10):
        await done(ledger)
    await ledger.execute("delete from workers")
    small = auditor(database, jobs=3, margin=0)
    await small.round()  # the walk begins with the oldest
    assert await count_findings(ledger) == {"I1": 1}
    for _ in range(3):  # elsewhere there is nothing; what was found stands
        await small.round()
        assert await count_findings(ledger) == {"I1": 1}
    await clean.execute("update jobs set finished_at = now() where job_id = any($1::uuid[])", guilty)
    for _ in range(4):  # once around
        await small.round()
    assert await count_findings(ledger) == {}


async def test_a_round_sees_the_youngest_jobs_at_once(
    database: Database, ledger: Connection, clean: asyncpg.Connection
) -> None:
    for _ in range(10):
        await done(ledger)
    await two_successes(ledger, clean)
    await auditor(database, jobs=3, margin=0, patience=60.0).round()
    assert await count_findings(ledger) == {"I4": 2, "I5": 1}
