"""The base workload: its schedules are heeded by a real worker, and its tasks do what their names say."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from sqlalchemy import text

from app.engine.cron import Upkeep
from app.engine.ledger.findings import count_findings, seconds_since_audit
from app.engine.ledger.finish import End
from app.engine.ledger.schedules import clock, declare
from app.kit.db import Connection, Database
from app.tenancy.tenants import create_tenant
from app.workloads.base import tasks
from app.workloads.base.spec import WORKLOAD
from tests.support.deployment import Deployment, serve_worker
from tests.support.jobs import begun, end, live_worker, queued
from tests.support.processes import running
from tests.support.stage import Stage, open_stage
from tests.support.waiting import eventually

KILLED = -9


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def upkeep(stage: Stage) -> Upkeep:
    return Upkeep(stage.database, {"base": stage.redis}, stage.redis, lease=0.0)


async def old_job(ledger: Connection, tenant: str, *, days: int) -> None:
    job = await queued(ledger, tenant_id=tenant)
    await end(ledger, await begun(ledger, job, await live_worker(ledger)), End.DONE)
    await ledger.execute(
        "update jobs set created_at = now() - $2::interval, finished_at = now() - $2::interval where job_id = $1",
        job.job_id,
        timedelta(days=days),
    )


async def left(ledger: Connection, tenant: str) -> int:
    count: int = await ledger.fetchval("select count(*) from jobs where tenant_id = $1", tenant)
    return count


async def test_jobs_are_kept_for_as_long_as_their_tenant_s_limits_say(
    upkeep: Upkeep, database: Database, ledger: Connection, tenant: str
) -> None:
    brief, disabled, usual = f"{tenant}-brief", f"{tenant}-disabled", f"{tenant}-usual"
    for each, change in (
        (brief, """limits = '{"retention_days": 3}'"""),
        (disabled, "enabled = false"),
        (usual, "enabled = true"),
    ):
        await create_tenant(database, each)
        async with database.session(each) as session:
            await session.execute(text(f"update tenants set {change}"))
        for days in (4, 31):
            await old_job(ledger, each, days=days)
    await tasks.expire(upkeep)
    assert [await left(ledger, each) for each in (brief, disabled, usual)] == [0, 1, 1]


async def test_an_audit_leaves_its_findings_and_its_time(upkeep: Upkeep, ledger: Connection) -> None:
    job = await queued(ledger)
    await end(ledger, await begun(ledger, job, await live_worker(ledger)), End.DONE)
    await ledger.execute("update job_attempts set status = 'lost' where job_id = $1", job.job_id)
    assert await seconds_since_audit(ledger) is None
    await tasks.audit(upkeep)
    assert await count_findings(ledger) == {"I5": 1}
    assert await seconds_since_audit(ledger) is not None


async def test_a_worker_of_the_queue_heeds_its_schedules(deployment: Deployment, ledger: Connection) -> None:
    await ledger.execute("delete from schedules")
    missed = await clock(ledger) - timedelta(hours=1)
    for each in WORKLOAD.schedules:  # the last worker left before they were due
        await declare(ledger, each.name, "base", each.timing, missed)
    async with serve_worker(deployment, "base"):

        async def ran() -> bool:
            found = await ledger.fetch("select error from schedules where finished_at is not null and due_at > now()")
            return len(found) == len(WORKLOAD.schedules) and not any(record["error"] for record in found)

        await eventually(ran, what="a run of each")


async def test_a_worker_killed_amid_retention_leaves_its_jobs_to_the_next(
    deployment: Deployment, ledger: Connection
) -> None:
    await ledger.execute("delete from schedules")
    await ledger.execute("delete from jobs where tenant_id = 'demo'")
    expire = next(each for each in WORKLOAD.schedules if each.name == "base.expire")
    await declare(ledger, expire.name, "base", expire.timing, await clock(ledger) - timedelta(hours=1))
    await old_job(ledger, "demo", days=31)
    command = [sys.executable, "run_base_worker.py"]
    async with running(command, environment=deployment.environment(FAILPOINTS="retention.held=kill")) as doomed:
        assert await asyncio.wait_for(doomed.wait(), 30) == KILLED
    assert await left(ledger, "demo") == 1
    until = await ledger.fetchval("select runner_until from schedules where name = 'base.expire'")
    assert until > await clock(ledger)  # nobody begins it again before the time that it may take is over
    await ledger.execute("update schedules set runner_until = now()")
    async with serve_worker(deployment, "base"):

        async def gone() -> bool:
            return await left(ledger, "demo") == 0

        await eventually(gone, what="the next worker's sweep")


async def test_a_worker_that_is_confined_to_a_tenant_keeps_nobody_else_s_time(
    deployment: Deployment, ledger: Connection
) -> None:
    await ledger.execute("delete from schedules")
    async with serve_worker(deployment, "base", TENANT_ID="demo") as confined:
        assert confined.claiming
    assert await ledger.fetchval("select count(*) from schedules") == 0
