"""Merged pages show exactly what a plain query over all jobs would."""

from __future__ import annotations

import random
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from app.engine.ledger.pages import JobFilter, page_of
from app.kit.db import Connection, Database, driver_connection

TENANTS = ("alpha", "beta")
QUEUES = {"base": ("one", "two"), "chat": ("one", "chat.reply")}
STATUSES = ("queued", "processing", "done", "failed", "cancelled")
LANES = ("left", "right")

_MAKE = """
insert into jobs (job_id, tenant_id, queue, kind, status, max_attempts, input, timeout_seconds, created_at, error,
                  lane_id, lane_seq, claim_token)
select gen_random_uuid(), tenant_id, queue, kind, status, 3, '{}', 60,
       timestamptz '2026-01-01' + make_interval(secs => age), case when status = 'failed' then error end, lane_id,
       case when lane_id is not null then row_number() over () end, gen_random_uuid()
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[])
  as made (tenant_id, queue, kind, status, age, error, lane_id)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def jobs(database: Database) -> list[asyncpg.Record]:
    """Six hundred jobs of every sort, many of them of the same moment; as they are in the table."""
    chance = random.Random(7)
    made: list[tuple[Any, ...]] = []
    held = set()
    for _ in range(600):
        tenant, queue, status = chance.choice(TENANTS), chance.choice([*QUEUES]), chance.choice(STATUSES)
        lane = chance.choice((None, *LANES))
        if lane is not None and status == "processing":
            if (tenant, queue, lane) in held:
                continue  # a lane has one holder
            held.add((tenant, queue, lane))
        kind, error = chance.choice(QUEUES[queue]), chance.choice(("timeout", "poisoned"))
        made.append((tenant, queue, kind, status, chance.randrange(100), error, lane))
    async with database.ledger.acquire() as connection:
        await connection.execute(_MAKE, *map(list, zip(*made, strict=True)))
        made_jobs: list[asyncpg.Record] = await connection.fetch("select * from jobs")
        return made_jobs


def expected(jobs: list[asyncpg.Record], tenant: str | None, wanted: JobFilter) -> list[UUID]:
    """What the filter means, said in Python."""
    equal = {"queue": wanted.queue, "kind": wanted.kind, "status": wanted.status, "lane_id": wanted.lane}
    equal |= {"tenant_id": tenant, "error": wanted.error}
    found = [job for job in jobs if all(job[name] == value for name, value in equal.items() if value is not None)]
    if (after := wanted.created_after) is not None:
        found = [job for job in found if job["created_at"] > after]
    if (until := wanted.created_before) is not None:
        found = [job for job in found if job["created_at"] < until]
    if (before := wanted.before) is not None:
        found = [job for job in found if (job["created_at"], job["job_id"]) < before]
    found.sort(key=lambda job: (job["created_at"], job["job_id"]), reverse=True)
    return [job["job_id"] for job in found]


def moment(seconds: int) -> datetime:
    return datetime.fromisoformat(f"2026-01-01T00:{seconds // 60:02}:{seconds % 60:02}+00:00")


TIMES: list[dict[str, Any]] = [
    {},
    {"created_after": moment(40)},
    {"created_after": moment(20), "created_before": moment(70)},
]
FILTERS = [
    JobFilter(queue, kind, status, lane, limit=1000, error=error, **times)
    for queue, kind, status, lane, error, times in product(
        (None, "chat"),
        (None, "one", "unknown"),
        (None, "processing", "failed"),
        (None, "left"),
        (None, "timeout"),
        TIMES,
    )
]


@pytest.mark.parametrize("tenant", [*TENANTS, None, "nobody"])
async def test_every_filter_means_what_it_says(
    ledger: Connection, jobs: list[asyncpg.Record], tenant: str | None
) -> None:
    hits = 0
    for wanted in FILTERS:
        found = [record["job_id"] for record in await page_of(ledger, tenant, wanted, "job_id")]
        assert found == expected(jobs, tenant, wanted), wanted
        hits += bool(found)
    assert hits > 50 or tenant == "nobody"


async def test_a_tenant_s_own_session_sees_the_same(database: Database, jobs: list[asyncpg.Record]) -> None:
    async with database.session("alpha") as session:
        connection = await driver_connection(session)
        for wanted in FILTERS[::7]:
            found = [record["job_id"] for record in await page_of(connection, "alpha", wanted, "job_id")]
            assert found == expected(jobs, "alpha", wanted), wanted
        assert await page_of(connection, "beta", JobFilter(), "job_id") == []
        everybody = await page_of(connection, None, JobFilter(limit=1000), "tenant_id")
        assert {record["tenant_id"] for record in everybody} == {"alpha"}


@pytest.mark.parametrize("narrow", [{}, {"status": "done"}, {"lane": "right"}, {"created_before": moment(50)}], ids=str)
async def test_pages_of_seven_join_to_the_whole(
    ledger: Connection, jobs: list[asyncpg.Record], narrow: dict[str, Any]
) -> None:
    seen: list[UUID] = []
    before = None
    while True:
        page = await page_of(ledger, None, JobFilter(limit=7, before=before, **narrow), "job_id, created_at")
        seen += [record["job_id"] for record in page[:7]]
        if len(page) <= 7:
            break
        before = (page[6]["created_at"], page[6]["job_id"])
    assert seen == expected(jobs, None, JobFilter(**narrow))
