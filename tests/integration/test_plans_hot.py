"""The batches of the hot path look at what they name, however full the table is and whatever statistics say of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from app.engine.ledger.begin import Delivery, begin
from app.engine.ledger.dispatching import current_epoch, enter_epoch, lane_heads, mark_dispatched
from app.engine.ledger.finish import End, Ending, already_ended, finish
from app.engine.ledger.rows import Hint
from app.engine.ledger.submit import submit
from app.kit.db import Connection, Database, Reserved
from tests.support.jobs import live_worker, new_job
from tests.support.plans import Watched

JOBS = 20_000  # that wait, and as many that are done
LANES = 100  # of a hundred each
BATCH = 100
TENANT = "demo"

# As after a burst: autovacuum has not been here yet, and the planner believes that the table is almost empty.
_LOAD = """
insert into jobs (job_id, tenant_id, queue, kind, status, max_attempts, input, timeout_seconds, created_at, finished_at,
                  lane_id, lane_seq)
select gen_random_uuid(), 'demo', 'base', 'test.kind', case when i <= $1 then 'queued' else 'done' end, 3, '{}', 60,
       now() - make_interval(secs => i), case when i > $1 then now() end,
       case when i <= $1 / 2 then 'lane-' || i % $2 end,
       case when i <= $1 / 2 then i end
from generate_series(1, 2 * $1) i
"""

_CHOSEN = """
(select job_id from jobs where queue = 'base' and status = 'queued' and lane_id is null limit $1)
union all
(select distinct on (lane_id) job_id from jobs where queue = 'base' and status = 'queued' and lane_id is not null
 order by lane_id, lane_seq limit $1)
"""


class Rehearsed(Watched):
    """Also statements that write: each is explained in a transaction that is undone."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, generic=True)

    async def execute(self, statement: str, *given: Any) -> str:
        if given:
            await self._explain(statement, given)
        status: str = await self._connection.execute(statement, *given)
        return status

    def transaction(self) -> Any:
        return self._connection.transaction()

    def is_in_transaction(self) -> bool:
        return bool(self._connection.is_in_transaction())

    async def _explain(self, statement: str, given: Sequence[Any]) -> None:
        rehearsal = self._connection.transaction()
        await rehearsal.start()
        try:
            await super()._explain(statement, given)
        finally:
            await rehearsal.rollback()

    def looked_at(self) -> tuple[int, set[str]]:
        """How many rows of `jobs` since the last time, and by which indexes."""
        plans, self.plans = self.plans, []
        return sum(plan.rows for plan in plans), {node.split()[-1] for plan in plans for node in plan.nodes}


BY_ID = {"jobs_pkey"}
BY_LANE = {"jobs_lane_live"}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def loaded(database: Database, database_url: str) -> AsyncIterator[None]:
    root = await asyncpg.connect(database_url)
    await root.execute("alter table jobs set (autovacuum_enabled = off)")  # without statistics for the whole module
    await root.execute(_LOAD, JOBS, LANES)
    async with database.ledger.acquire() as connection:
        await enter_epoch(connection, "base", "a-run/1")
    assert await root.fetchval("select reltuples from pg_class where relname = 'jobs'") == -1  # never looked at
    yield
    await root.close()


async def hints(connection: Connection) -> list[Hint]:
    """Half of them heads of lanes."""
    return [Hint(row["job_id"], 1) for row in await connection.fetch(_CHOSEN, BATCH // 2)]


async def begun(connection: Connection, chosen: Sequence[Hint], worker: UUID) -> list[Delivery]:
    answers = await begin(
        connection, chosen, [uuid4() for _ in chosen], queue="base", worker_id=worker, deadline_grace=30.0
    )
    return [answer.delivery for answer in answers if answer.delivery is not None]


async def test_a_worker_s_whole_round_looks_up_what_it_names(database: Database, ledger: Connection) -> None:
    worker, chosen = await live_worker(ledger), await hints(ledger)
    async with database.begins.use() as reserved:
        connection = Rehearsed(reserved)
        deliveries = await begun(cast(Connection, connection), chosen, worker)
        assert len(deliveries) == BATCH
        rows, indexes = connection.looked_at()
        assert indexes <= BY_ID | BY_LANE
        assert rows <= 4 * BATCH

        again = await begun(cast(Connection, connection), chosen, worker)  # nothing of it begins: all are told why not
        assert again == []
        rows, indexes = connection.looked_at()
        assert indexes <= BY_ID | BY_LANE
        assert rows <= 4 * BATCH

    async with database.finishes.use() as reserved:
        connection = Rehearsed(reserved)
        endings = [Ending(each, End.DONE, result='{"a": "b"}') for each in deliveries]
        assert len(await finish(cast(Connection, connection), endings)) == BATCH
        rows, indexes = connection.looked_at()
        assert indexes <= BY_ID
        assert rows <= 2 * BATCH

        assert len(await already_ended(cast(Connection, connection), endings)) == BATCH
        rows, indexes = connection.looked_at()
        assert indexes <= BY_ID
        assert rows <= BATCH

        lanes = [(TENANT, each.lane_id) for each in deliveries if each.lane_id is not None]
        assert len(await lane_heads(cast(Connection, connection), "base", lanes)) == BATCH // 2
        rows, indexes = connection.looked_at()
        assert indexes <= BY_LANE
        assert rows <= BATCH


async def test_a_note_looks_up_what_it_names(database: Database, ledger: Connection) -> None:
    chosen = await hints(ledger)
    assert await current_epoch(ledger, "base") == "a-run/1"
    async with database.finishes.use() as reserved:
        connection = Rehearsed(reserved)
        await mark_dispatched(cast(Connection, connection), chosen, ["a-run/1"] * BATCH)
        rows, indexes = connection.looked_at()
    assert indexes <= BY_ID | BY_LANE
    assert rows <= 3 * BATCH
    noted = "select count(*) from jobs where job_id = any($1) and dispatched_at is not null"
    assert await ledger.fetchval(noted, [hint.job_id for hint in chosen]) == BATCH


@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "with keys"])
async def test_a_submit_looks_at_no_job_at_all(database: Database, keyed: bool) -> None:
    requests = [
        new_job(idempotency_key=f"key-{number}" if keyed else None, fingerprint=b"a") for number in range(BATCH)
    ]
    connection, answers = await submitted(database.submits, requests)
    assert len(answers) == BATCH
    assert connection.looked_at() == (0, set())


async def submitted(reserved: Reserved, requests: Sequence[Any]) -> tuple[Rehearsed, Sequence[Any]]:
    async with reserved.use() as opened:
        connection = Rehearsed(opened)
        return connection, await submit(cast(Connection, connection), requests)


@pytest.mark.parametrize("lanes", [1, 20])
async def test_a_submit_into_lanes_looks_at_those_lanes_alone(database: Database, lanes: int) -> None:
    requests = [new_job(lane_id=f"lane-{number}", lane_capacity=1000) for number in range(lanes)]
    async with database.ledger.acquire() as reserved:  # these connections have the planner's own ways
        connection = Rehearsed(reserved)
        await submit(cast(Connection, connection), requests)
        rows, indexes = connection.looked_at()
    assert indexes <= BY_LANE | BY_ID
    assert rows <= lanes * (JOBS // 2 // LANES + 10)
