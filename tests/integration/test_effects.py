"""Effects as data: rows that a result carries commit with it, for its own tenant alone, many jobs in one statement."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from app.engine.context import JobContext
from app.engine.finishing import Finisher
from app.engine.ledger import finish
from app.engine.ledger.begin import Delivery
from app.engine.ledger.finish import End, Ending
from app.engine.ledger.rescue import rescue
from app.engine.outcomes import Done, Write
from app.kit.db import Connection, Database
from tests.support.counting import counting
from tests.support.deployment import Deployment
from tests.support.jobs import begun, end_lease, live_worker, queued, row
from tests.support.stage import Stage, open_stage, unread_metrics
from tests.support.waiting import eventually

_TABLE = """
create table marks (tenant_id text not null, note text not null, points int, seen_at timestamptz default now(),
                    primary key (tenant_id, note));
alter table marks enable row level security;
alter table marks force row level security;
create policy tenant on marks using (tenant_id = nullif(current_setting('app.tenant', true), ''));
grant select, insert on marks to homeroom_app;
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def root(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser, whom no policy binds; and the domain table of these tests."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(_TABLE)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database, root: asyncpg.Connection) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def finisher(stage: Stage) -> Finisher:
    return Finisher(stage.queue, stage.database, stage.dispatcher, stage.events, metrics=unread_metrics(stage.queue))


async def write(finisher: Finisher, endings: Sequence[Ending]) -> None:
    for ending in endings:
        finisher.add(ending)
    await finisher.drained()


def mark(note: str, **values: Any) -> Write:
    return Write("marks", {"note": note, "points": 1} | values)


def done(delivery: Delivery, *writes: Write) -> Ending:
    return Ending(delivery, End.DONE, result="1", writes=writes)


async def notes(root: asyncpg.Connection, tenant: str) -> list[str]:
    return [each["note"] for each in await root.fetch("select note from marks where tenant_id = $1 order by 1", tenant)]


async def running(ledger: Connection, tenant: str, count: int = 1) -> list[Delivery]:
    worker = await live_worker(ledger)
    return [await begun(ledger, await queued(ledger, tenant_id=tenant), worker) for _ in range(count)]


async def test_a_function_returns_rows_and_they_are_there_with_its_result(
    stage: Stage, root: asyncpg.Connection, tenant: str
) -> None:
    async def grade(ctx: JobContext) -> Any:
        number = ctx.input
        return Done({"points": number}, [mark(f"first {number}", points=number), mark(f"second {number}")])

    kind = stage.job("t.grade", grade)
    async with stage.worker():
        jobs = [await stage.submit(kind, number, tenant_id=tenant) for number in range(3)]
        for number, job_id in enumerate(jobs):
            ended = await stage.ended(job_id)
            assert (ended["status"], ended["result"]) == ("done", f'{{"points": {number}}}')
    assert await notes(root, tenant) == [*(f"first {n}" for n in range(3)), *(f"second {n}" for n in range(3))]
    [first] = await root.fetch("select points, seen_at from marks where tenant_id = $1 and note = 'first 2'", tenant)
    assert first["points"] == 2
    assert first["seen_at"] is not None  # a column that was left out has its default


async def test_rows_are_the_job_s_own_tenant_s_whatever_they_say(
    finisher: Finisher, ledger: Connection, root: asyncpg.Connection, tenant: str
) -> None:
    [delivery] = await running(ledger, tenant)
    await write(finisher, [done(delivery, mark("claimed", tenant_id="somebody-else"))])
    assert await notes(root, tenant) == ["claimed"]
    assert await notes(root, "somebody-else") == []


async def test_a_stale_attempt_writes_nothing(
    finisher: Finisher, ledger: Connection, root: asyncpg.Connection, tenant: str
) -> None:
    worker = await live_worker(ledger)
    zombie = await begun(ledger, await queued(ledger, tenant_id=tenant), worker)
    await end_lease(ledger, worker)
    await rescue(ledger, "base")
    [neighbour] = await running(ledger, tenant)
    await write(finisher, [done(zombie, mark("a zombie's")), done(neighbour, mark("the neighbour's"))])
    assert finisher.refused == 1
    assert await notes(root, tenant) == ["the neighbour's"]
    owner = await begun(ledger, zombie, await live_worker(ledger))
    await write(finisher, [done(owner, mark("the owner's")), done(zombie, mark("a zombie's"))])
    assert await notes(root, tenant) == ["the neighbour's", "the owner's"]


async def test_an_end_that_is_told_twice_writes_its_rows_once(
    finisher: Finisher, ledger: Connection, root: asyncpg.Connection, tenant: str
) -> None:
    """As after a lost reply; the table would let the second row in."""
    await root.execute("create table if not exists tally (tenant_id text); grant insert on tally to homeroom_app")
    [delivery] = await running(ledger, tenant)
    ending = done(delivery, Write("tally", {}))
    await write(finisher, [ending])
    await write(finisher, [ending])
    assert finisher.refused == 0
    assert await root.fetchval("select count(*) from tally where tenant_id = $1", tenant) == 1


BAD = {
    "a number that is none": mark("bad", points="many"),
    "a row that is there already": mark("good 0"),
    "no such table": Write("no_such_table", {"note": "bad"}),
    "no such column": mark("bad", colour="red"),
    "a table that is not the tenant's to write": Write("workers", {"queue": "base"}),
    "a name that would be more than a name": Write("marks (note) values ('x'); --", {"note": "bad"}),
    "text that Postgres cannot hold": mark("bad\x00"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_a_row_that_cannot_be_stored_fails_its_own_job_alone(
    finisher: Finisher, ledger: Connection, root: asyncpg.Connection, tenant: str, bad: Write
) -> None:
    other = f"{tenant}-b"
    mine, theirs = await running(ledger, tenant, 5), await running(ledger, other, 3)
    endings = [done(each, mark(f"good {number}")) for number, each in enumerate(mine)]
    endings.insert(2, done((await running(ledger, tenant))[0], mark("before it"), bad))
    await write(finisher, [*endings, *(done(each, mark(f"good {n}")) for n, each in enumerate(theirs))])
    stored = await row(ledger, endings[2].delivery.job_id)
    assert (stored["status"], stored["error"], stored["result"]) == ("failed", "result_not_storable", None)
    assert "cannot be stored" in stored["error_detail"]
    statuses = Counter([(await row(ledger, each.job_id))["status"] for each in [*mine, *theirs]])
    assert statuses == {"done": 8}
    assert await notes(root, tenant) == [f"good {number}" for number in range(5)]
    assert await notes(root, other) == [f"good {number}" for number in range(3)]


async def test_a_row_that_may_be_there_already_stays_as_it_is(
    finisher: Finisher, ledger: Connection, root: asyncpg.Connection, tenant: str
) -> None:
    first, second = await running(ledger, tenant, 2)
    again = Write("marks", {"note": "seen", "points": 9}, or_ignore=True)
    await write(finisher, [done(first, mark("seen"))])
    await write(finisher, [done(second, again, mark("new"))])
    assert await notes(root, tenant) == ["new", "seen"]
    assert await root.fetchval("select points from marks where tenant_id = $1 and note = 'seen'", tenant) == 1
    assert (await row(ledger, second.job_id))["status"] == "done"


async def test_a_batch_of_a_hundred_jobs_of_two_tenants_costs_two_small_transactions(
    finisher: Finisher, ledger: Connection, root: asyncpg.Connection, tenant: str
) -> None:
    tenants = (tenant, f"{tenant}-b")
    endings = [
        done(delivery, mark(f"{number}-a"), mark(f"{number}-b"))
        for each in tenants
        for number, delivery in enumerate(await running(ledger, each, 50))
    ]
    with counting() as counted:
        await write(finisher, endings)
    assert [len(await notes(root, each)) for each in tenants] == [100, 100]
    assert counted.statements.pop(finish._FINISH) == 2
    assert [count for text, count in counted.statements.items() if text.startswith("insert into marks")] == [2]
    assert counted.statements.total() == 2, counted.statements  # the tenant is bound by what begins the transaction


async def test_rows_wait_with_their_result_while_postgres_is_away(
    finisher: Finisher, ledger: Connection, root: asyncpg.Connection, database_url: str, tenant: str
) -> None:
    """Their connections end under them, twice; then the way is free."""
    deliveries = await running(ledger, tenant, 20)
    killer = await asyncpg.connect(database_url)
    async with root.transaction():
        await root.execute("lock table marks in exclusive mode")
        ends = asyncio.create_task(write(finisher, [done(each, mark(str(n))) for n, each in enumerate(deliveries)]))
        for _ in range(2):
            await eventually(lambda: killer.fetchval(_KILL), what="ends that wait for the lock")
        assert await root.fetchval("select count(*) from marks where tenant_id = $1", tenant) == 0
        assert (await row(ledger, deliveries[0].job_id))["status"] == "processing"
    await ends
    await killer.close()
    assert len(await notes(root, tenant)) == 20
    statuses = {(await row(ledger, each.job_id))["status"] for each in deliveries}
    assert statuses == {"done"}
    assert finisher.refused == 0


_KILL = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and query like 'insert into marks%'
"""
