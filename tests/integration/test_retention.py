"""Retention: what has been kept for long enough goes with all that belongs to it, and is remembered as gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import asyncpg
import httpx
import pytest

from app.core.bootstrap import ensure_tenant
from app.engine.ledger.finish import End
from app.engine.ledger.read import read_job
from app.engine.ledger.retention import Expired, has_expired
from app.engine.ledger.rows import JobRow
from app.engine.ledger.submit import Accepted, submit
from app.engine.retention import Retention
from app.kit.db import Connection, Database
from app.kit.ids import uuid7
from tests.support.deployment import MASTER_KEY, Deployment
from tests.support.jobs import accepted, begun, end, live_worker, new_job, queued
from tests.support.waiting import eventually

DAYS = 30


async def ended(ledger: Connection, tenant: str, how: End = End.DONE, **fields: object) -> JobRow:
    job = await queued(ledger, tenant_id=tenant, **fields)
    await end(ledger, await begun(ledger, job, await live_worker(ledger)), how)
    return job


async def age(ledger: Connection, *jobs: JobRow, days: float = DAYS + 1) -> None:
    """Let these jobs be older, with all that belongs to them."""
    ids = [job.job_id for job in jobs]
    for table, columns in (("jobs", ("created_at", "finished_at")), ("job_attempts", ("started_at", "finished_at"))):
        moved = ", ".join(f"{column} = {column} - make_interval(secs => $2)" for column in columns)
        await ledger.execute(f"update {table} set {moved} where job_id = any($1::uuid[])", ids, days * 86400)


def id_of(*, days_ago: float) -> UUID:
    """An id as it was made then."""
    milliseconds = int((time.time() - days_ago * 86400) * 1000)
    return UUID(int=milliseconds << 80 | uuid7().int & (1 << 80) - 1)


async def count(ledger: Connection, table: str, tenant: str) -> int:
    found: int = await ledger.fetchval(f"select count(*) from {table} where tenant_id = $1", tenant)
    return found


@pytest.fixture
def retention(database: Database) -> Retention:
    return Retention(database)


async def test_a_job_goes_with_its_attempts_and_its_key_and_is_remembered(
    retention: Retention, ledger: Connection, tenant: str
) -> None:
    old = await ended(ledger, tenant, idempotency_key="old")
    young = await ended(ledger, tenant, idempotency_key="young")
    await age(ledger, old)
    assert await retention.sweep({tenant: DAYS}) == 1
    assert await read_job(ledger, tenant, old.job_id) is None
    assert await read_job(ledger, tenant, young.job_id) is not None
    assert [await count(ledger, table, tenant) for table in ("jobs", "job_attempts", "idempotency_keys")] == [1, 1, 1]
    assert await has_expired(ledger, tenant, old.job_id)
    assert not await has_expired(ledger, tenant, young.job_id)
    assert not await has_expired(ledger, "another-tenant", old.job_id)
    # The key is free again: it stood for its job for as long as there was one.
    [again] = await accepted(ledger, new_job(tenant_id=tenant, idempotency_key="old"))
    assert again.fresh
    assert await retention.sweep({tenant: DAYS}) == 0


@pytest.mark.parametrize("how", [End.DONE, End.FAILED, End.CANCELLED], ids=lambda how: how.value)
async def test_every_end_is_an_end(retention: Retention, ledger: Connection, tenant: str, how: End) -> None:
    await age(ledger, await ended(ledger, tenant, how))
    assert await retention.sweep({tenant: DAYS}) == 1


async def test_live_jobs_stay_however_old_they_are_and_do_not_hide_what_is_behind_them(
    database: Database, ledger: Connection, tenant: str
) -> None:
    live = [await queued(ledger, tenant_id=tenant) for _ in range(5)]
    late = await ended(ledger, tenant)
    await age(ledger, *live, late)
    await ledger.execute("update jobs set finished_at = now() where job_id = $1", late.job_id)  # retried, say
    gone = [await ended(ledger, tenant) for _ in range(5)]
    await age(ledger, *gone)
    assert await Retention(database, batch=2).sweep({tenant: DAYS}) == 5
    assert await count(ledger, "jobs", tenant) == 6


async def test_each_tenant_keeps_its_jobs_for_as_long_as_it_wants(
    retention: Retention, ledger: Connection, tenant: str
) -> None:
    brief, patient = f"{tenant}-brief", f"{tenant}-patient"
    for each in (brief, patient):
        await age(ledger, await ended(ledger, each), days=10)
    assert await retention.sweep({brief: 7, patient: 30}) == 1
    assert await count(ledger, "jobs", patient) == 1


async def test_what_others_keep_of_a_job_goes_before_its_row(
    database: Database, ledger: Connection, tenant: str
) -> None:
    jobs = [await ended(ledger, tenant) for _ in range(3)]
    await age(ledger, *jobs)
    told: list[UUID] = []

    async def delete_folder(expired: Sequence[Expired]) -> None:
        for each in expired:
            assert (each.tenant_id, each.queue, each.kind) == (tenant, "base", "test.kind")
            told.append(each.job_id)

            assert await count(ledger, "jobs", tenant) == 3

    assert await Retention(database, on_expire=[delete_folder]).sweep({tenant: DAYS}) == 3
    assert sorted(told) == sorted(job.job_id for job in jobs)


async def test_where_a_folder_cannot_be_deleted_its_job_stays_and_other_tenants_jobs_go(
    database: Database, ledger: Connection, tenant: str
) -> None:
    other = f"{tenant}-other"
    await age(ledger, await ended(ledger, tenant), await ended(ledger, other))

    async def fails(expired: Sequence[Expired]) -> None:
        if expired[0].tenant_id == tenant:
            raise OSError("the folder cannot be deleted")

    retention = Retention(database, on_expire=[fails])
    assert await retention.sweep({tenant: DAYS, other: DAYS}) == 1
    assert [await count(ledger, "jobs", each) for each in (tenant, other)] == [1, 0]
    assert await Retention(database).sweep({tenant: DAYS}) == 1  # tried again


async def test_two_sweeps_share_the_work_and_neither_waits_for_the_other(
    database: Database, ledger: Connection, tenant: str
) -> None:
    await age(ledger, *[await ended(ledger, tenant) for _ in range(30)])
    removed = await asyncio.gather(*(Retention(database, batch=4).sweep({tenant: DAYS}) for _ in range(3)))
    assert sum(removed) == 30
    assert await count(ledger, "expired_jobs", tenant) == 30


async def test_a_lane_goes_once_nobody_uses_it_and_no_job_of_it_is_left(
    retention: Retention, ledger: Connection, tenant: str
) -> None:
    await age(ledger, await ended(ledger, tenant, lane_id="idle"))
    failed = await ended(ledger, tenant, End.FAILED, lane_id="retryable")
    await age(ledger, failed)
    await ledger.execute("update jobs set finished_at = now() where job_id = $1", failed.job_id)
    await ended(ledger, tenant, lane_id="used")
    await ledger.execute(
        "update lanes set last_at = now() - make_interval(days => $2) where tenant_id = $1 and lane_id <> 'used'",
        tenant,
        DAYS + 1,
    )
    await retention.sweep({tenant: DAYS})
    left = await ledger.fetch("select lane_id from lanes where tenant_id = $1 order by lane_id", tenant)
    assert [record["lane_id"] for record in left] == ["retryable", "used"]


async def test_tombstones_last_as_long_as_the_jobs_did(retention: Retention, ledger: Connection, tenant: str) -> None:
    old, young = id_of(days_ago=2 * DAYS + 2), id_of(days_ago=2 * DAYS - 2)
    for job_id, days in ((old, DAYS + 1), (young, DAYS - 1)):
        await ledger.execute(
            "insert into expired_jobs select $1, $2, now() - make_interval(days => $3)", tenant, job_id, days
        )
    await retention.sweep({tenant: DAYS})
    assert not await has_expired(ledger, tenant, old)
    assert await has_expired(ledger, tenant, young)


async def test_delivered_effects_go_after_a_day_and_others_never(retention: Retention, ledger: Connection) -> None:
    for days, delivered in ((2.0, True), (0.5, True), (9.0, False)):
        await ledger.execute(
            "insert into outbox (effect_id, tenant_id, topic, payload, created_at, delivered_at) "
            "select $1, 'demo', 'job.submit', '{}', moment, case when $3 then moment end "
            "from (select now() - make_interval(secs => 86400 * $2::float8)) as made (moment)",
            id_of(days_ago=days),
            days,
            delivered,
        )
    await retention.sweep({})
    left = await ledger.fetch("select delivered_at is null as pending from outbox order by created_at")
    assert [record["pending"] for record in left] == [True, False]


async def test_workers_that_died_on_a_queue_without_a_reconciler_are_forgotten(
    retention: Retention, ledger: Connection
) -> None:
    long_dead, dead = await live_worker(ledger, queue="closed"), await live_worker(ledger, queue="closed")
    holder = await live_worker(ledger)
    await begun(ledger, await queued(ledger), holder)
    for worker, ago in ((long_dead, "2 days"), (dead, "1 hour"), (holder, "2 days")):
        await ledger.execute(
            f"update workers set lease_until = now() - interval '{ago}' where worker_id = $1",
            worker,
        )
    await retention.sweep({})
    found = await ledger.fetch(
        "select worker_id from workers where worker_id = any($1::uuid[])", [long_dead, dead, holder]
    )
    assert {record["worker_id"] for record in found} == {dead, holder}


async def test_the_api_says_gone_to_the_tenant_that_had_the_job_and_unknown_to_others(
    retention: Retention, api: httpx.AsyncClient, deployment: Deployment, ledger: Connection
) -> None:
    body = {"kind": "diagnostics.echo", "queue": "base", "input": 1}
    job_id = (await api.post("/v1/jobs", json=body)).json()["job_id"]
    await api.post(f"/v1/jobs/{job_id}/cancel")
    await ledger.execute(
        "update jobs set created_at = now() - interval '31 days', finished_at = now() - interval '31 days' "
        "where job_id = $1",
        UUID(job_id),
    )
    assert await retention.sweep({"demo": DAYS}) == 1
    keys = await asyncio.to_thread(ensure_tenant, deployment.database_url, MASTER_KEY, "other", {})
    stranger = {"Authorization": f"Bearer {keys['api_key']}"}
    for method, path in (
        ("GET", ""),
        ("GET", "/attempts"),
        ("GET", "/events"),
        ("POST", "/cancel"),
        ("POST", "/retry"),
    ):
        mine = await api.request(method, f"/v1/jobs/{job_id}{path}")
        assert (mine.status_code, mine.json()["code"]) == (410, "job_expired"), path
        theirs = await api.request(method, f"/v1/jobs/{job_id}{path}", headers=stranger)
        assert (theirs.status_code, theirs.json()["code"]) == (404, "job_not_found"), path
    never_was = await api.get(f"/v1/jobs/{uuid7()}")
    assert never_was.status_code == 404


async def somebody_waits(ledger: Connection) -> bool:
    return bool(await ledger.fetchval("select count(*) from pg_locks where not granted"))


async def test_a_retry_that_meets_the_sweep_leaves_the_job_retried_or_gone(
    retention: Retention, api: httpx.AsyncClient, ledger: Connection
) -> None:
    failed = await ended(ledger, "demo", End.FAILED)
    await age(ledger, failed)
    holder: asyncpg.Connection
    async with retention._database.ledger.acquire() as holder, holder.transaction():
        await holder.execute("select 1 from jobs where job_id = $1 for update", failed.job_id)
        assert await retention.sweep({"demo": DAYS}) == 0  # held by somebody: left for the next sweep
        retrying = asyncio.create_task(api.post(f"/v1/jobs/{failed.job_id}/retry"))
        await eventually(partial(somebody_waits, ledger), what="the retry at the row's lock")
        await holder.execute("delete from jobs where job_id = $1", failed.job_id)
        await holder.execute("insert into expired_jobs (tenant_id, job_id) values ('demo', $1)", failed.job_id)
    assert (await retrying).status_code == 410


async def test_a_submit_whose_lane_is_removed_under_it_opens_it_again(
    database: Database, ledger: Connection, tenant: str
) -> None:
    await age(ledger, await ended(ledger, tenant, lane_id="idle"))
    await ledger.execute("update lanes set last_at = now() - interval '31 days' where tenant_id = $1", tenant)
    holder: asyncpg.Connection
    async with database.ledger.acquire() as connection:
        async with database.ledger.acquire() as holder, holder.transaction():
            assert await holder.execute("delete from lanes where tenant_id = $1", tenant) == "DELETE 1"
            submitting = asyncio.create_task(submit(connection, [new_job(tenant_id=tenant, lane_id="idle")]))
            await eventually(partial(somebody_waits, ledger), what="the submit at the lane's lock")
        [answer] = await submitting
    assert isinstance(answer, Accepted)
    assert answer.job.lane_seq == 1  # a lane that begins anew
    assert await ledger.fetchval("select next_seq from lanes where tenant_id = $1", tenant) == 2


async def test_a_lane_that_a_submit_holds_is_not_removed(
    retention: Retention, database: Database, ledger: Connection, tenant: str
) -> None:
    await age(ledger, await ended(ledger, tenant, lane_id="idle"))
    await ledger.execute("update lanes set last_at = now() - interval '31 days' where tenant_id = $1", tenant)
    holder: asyncpg.Connection
    async with database.ledger.acquire() as holder, holder.transaction():
        [answer] = await submit(holder, [new_job(tenant_id=tenant, lane_id="idle")])
        await retention.sweep({tenant: DAYS})
    assert isinstance(answer, Accepted)
    assert answer.job.lane_seq == 2
    assert await ledger.fetchval("select next_seq from lanes where tenant_id = $1", tenant) == 3
