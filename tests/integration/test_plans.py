"""What operators and clients list and count does not grow with the table: asked of the plans themselves.

Fifty thousand jobs, most of them of one tenant, in every state; a look that walked over them would show at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from app.engine.ledger.cancel import cancel_requests
from app.engine.ledger.census import count_jobs
from app.engine.ledger.dispatching import lane_heads, undispatched
from app.engine.ledger.operate import lanes_after
from app.engine.ledger.pages import JobFilter, page_of
from app.engine.ledger.queues import MANY, queue_overview
from app.kit.db import Connection, Database, driver_connection
from tests.support.jobs import live_worker
from tests.support.plans import Watched

JOBS = 50_000
BIG = "big-school"
QUEUES = ["base", "chat", "exam"]

_LOAD = """
insert into jobs (job_id, tenant_id, queue, kind, status, max_attempts, input, timeout_seconds, created_at, finished_at,
                  dispatched_at, error, lane_id, lane_seq, claim_token)
select gen_random_uuid(), case when i % 10 = 0 then 'school-' || i / 10 % 20 else $2 end,
       case when i <= 10 then 'exam' else 'base' end, case when i <= 10 then 'exam.parse' else 'test.kind' end,
       status, 3, '{}', 60, now() - make_interval(secs => i), case when status in ('done', 'failed') then now() end,
       case when i % 100 = 0 then null else now() end, case when status = 'failed' then 'timeout' end, null, null, null
from (select i, case when i <= $1 / 2 then 'queued' when i % 50 = 0 then 'failed' else 'done' end as status
      from generate_series(1, $1) i) made
"""

# A hundred lanes of a hundred jobs, of which half are held.
_LOAD_LANES = """
insert into jobs (job_id, tenant_id, queue, kind, status, max_attempts, input, timeout_seconds, created_at, lane_id,
                  lane_seq, claim_token, worker_id, begun_at, deadline_at)
select gen_random_uuid(), $2, 'chat', 'chat.reply', case when held then 'processing' else 'queued' end, 3, '{}', 60,
       now() - make_interval(secs => 10000 - i), 'lane-' || i % 100, i, case when held then gen_random_uuid() end, $1,
       case when held then now() end, case when held then now() + interval '1 hour' end
from (select i, i < 50 as held from generate_series(0, 9999) i) made
"""

Ask = Callable[[Connection], Awaitable[Any]]


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def loaded(database: Database, database_url: str) -> AsyncIterator[None]:
    async with database.ledger.acquire() as connection:
        worker = await live_worker(connection, queue="chat")
        await connection.execute(_LOAD, JOBS, BIG)
        await connection.execute(_LOAD_LANES, worker, BIG)
    owner = await asyncpg.connect(database_url)
    await owner.execute("vacuum analyze jobs")
    await owner.close()
    yield


async def looked_at(connection: Connection, ask: Ask, *, generic: bool) -> tuple[int, Any]:
    """How many rows the statement looked at, and what it found."""
    watched = Watched(connection, generic=generic)
    found = await ask(cast(Connection, watched))
    for plan in watched.plans:
        assert not plan.full_scans, plan.text
    return sum(plan.rows for plan in watched.plans), found


A_MINUTE_AGO = datetime.now(UTC) - timedelta(seconds=60)
WANTED: dict[str, Any] = {
    "queue": "exam",
    "kind": "test.kind",
    "status": "done",
    "lane": "lane-7",
    "created_after": A_MINUTE_AGO,
}
SPARSE = [{"status": "cancelled"}, {"status": "failed", "queue": "exam"}, {"kind": "no.such"}, {"status": "processing"}]
FILTERS = [{}, *({name: WANTED[name]} for name in WANTED), *SPARSE]
PAIRS = [dict(pair) for pair in combinations(WANTED.items(), 2)]


@pytest.mark.parametrize("generic", [True, False], ids=["any parameters", "its own parameters"])
@pytest.mark.parametrize("wanted", FILTERS + PAIRS, ids=lambda wanted: "+".join(wanted) or "all")
async def test_a_tenant_s_list_looks_at_little_more_than_its_page(
    database: Database, wanted: dict[str, Any], generic: bool
) -> None:
    async with database.session(BIG) as session:
        connection = await driver_connection(session)
        rows, _ = await looked_at(
            connection, lambda watched: page_of(watched, BIG, JobFilter(**wanted), "job_id"), generic=generic
        )
    assert rows < 700  # the lane's own hundred, the fifty that run, and a page of each of the tenant's few groups


@pytest.mark.parametrize("wanted", [{}, {"status": "failed"}, {"queue": "exam"}, {"error": "timeout"}], ids=str)
async def test_a_list_across_tenants_looks_at_a_page_of_each(ledger: Connection, wanted: dict[str, Any]) -> None:
    rows, found = await looked_at(
        ledger, lambda watched: page_of(watched, None, JobFilter(**wanted), "job_id"), generic=True
    )
    assert found
    assert rows < 3000


async def test_the_second_page_costs_what_the_first_did(ledger: Connection) -> None:
    first = await page_of(ledger, BIG, JobFilter(status="done"), "created_at, job_id")
    before = (first[19]["created_at"], first[19]["job_id"])
    rows, found = await looked_at(
        ledger, lambda watched: page_of(watched, BIG, JobFilter(status="done", before=before), "job_id"), generic=True
    )
    assert len(found) == 21
    assert rows < 200


@pytest.mark.parametrize("generic", [True, False])
async def test_a_sweep_looks_at_what_it_dispatches_and_at_lanes_heads(ledger: Connection, generic: bool) -> None:
    rows, found = await looked_at(ledger, lambda watched: undispatched(watched, "base", limit=100), generic=generic)
    assert len(found) == 100
    assert rows < 300
    rows, found = await looked_at(ledger, lambda watched: undispatched(watched, "chat"), generic=generic)
    assert len(found) == 50  # the lanes that nobody holds
    assert rows < 300  # not the ten thousand that wait behind them


async def test_what_a_worker_asks_again_and_again_looks_at_its_own_jobs(ledger: Connection) -> None:
    lanes = [(BIG, f"lane-{number}") for number in range(60)]
    rows, found = await looked_at(ledger, lambda watched: lane_heads(watched, "chat", lanes), generic=True)
    assert len(found) == 10
    assert rows < 200
    rows, _ = await looked_at(ledger, lambda watched: cancel_requests(watched, UUID(int=0), "base"), generic=True)
    assert rows < 10


async def test_a_page_of_lanes_stops_when_it_is_full(ledger: Connection) -> None:
    async def ask(watched: Connection) -> Any:
        return await lanes_after(watched, "chat", None, ("", ""), waiting=0, limit=5)

    rows, found = await looked_at(ledger, ask, generic=True)
    assert [lane["waiting"] for lane in found] == [99] * 5
    assert rows < 5 * 100 + 50


async def test_a_census_reads_indexes_alone_and_the_overview_not_even_those(ledger: Connection) -> None:
    watched = Watched(ledger, generic=True)
    counted = {count.queue: count for count in await count_jobs(cast(Connection, watched), QUEUES)}
    assert counted["base"].queued == JOBS // 2 - 10 > MANY
    assert (counted["chat"].queued, counted["chat"].blocked, counted["chat"].ready) == (9950, 9900, 50)
    assert "Seq Scan" not in " ".join(watched.plans[0].nodes)
    await queue_overview(ledger, QUEUES)  # nobody samples: who counts so many leaves that to the next one
    rows, overview = await looked_at(ledger, lambda watched: queue_overview(watched, ["base"]), generic=True)
    assert overview[0]["queued"] == counted["base"].queued
    assert rows < 100
