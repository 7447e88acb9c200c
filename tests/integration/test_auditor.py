"""The auditor: each violation of an invariant is planted and found, and an honest history has none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from app.engine.auditor import INVARIANTS, Auditor
from app.engine.ledger.audit_invariants import HISTORY, LIVE, Finding
from app.engine.ledger.findings import count_findings
from app.engine.ledger.finish import End
from app.engine.outbox import SUBMIT, emit
from app.kit.db import Connection, Database
from app.kit.ids import uuid7
from tests.support.jobs import accepted, begun, end, live_worker, new_job, queued
from tests.support.violations import PLANTS, Plant, done, endless, never_begun, overlap, two_successes


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
