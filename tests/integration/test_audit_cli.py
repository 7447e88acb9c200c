"""`homeroom audit`: a table of the invariants, and an exit code that a script can heed."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest

from app.cli import main
from app.engine.ledger.finish import End
from app.kit.ids import uuid7
from tests.support.deployment import Deployment, only_environment
from tests.support.jobs import begun, end, live_worker, queued


def audit(deployment: Deployment) -> int:
    with only_environment(deployment.environment()):
        return main(["audit"])


async def make_history(url: str) -> UUID:
    """A job that ended well, as the ledger's own verbs leave it."""
    connection = await asyncpg.connect(url, server_settings={"role": "homeroom_engine"})
    try:
        worker = await live_worker(connection)
        job = await queued(connection, lane_id="lane")
        await end(connection, await begun(connection, job, worker), End.DONE)
        return job.job_id
    finally:
        await connection.close()


async def plant(url: str, job_id: UUID) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "insert into job_attempts (job_id, attempt, tenant_id, status, claim_token, started_at, duration_ms) "
            "values ($1, 2, 'demo', 'success', $2, now(), 0)",
            job_id,
            uuid7(),
        )
    finally:
        await connection.close()


def test_it_ends_well_where_everything_holds_and_not_where_something_is_violated(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id = asyncio.run(make_history(deployment.database_url))
    assert audit(deployment) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [f"I{number}" for number in range(1, 10)]
    assert all(line.endswith("holds") for line in lines)

    asyncio.run(plant(deployment.database_url, job_id))
    assert audit(deployment) == 1
    shown = capsys.readouterr()
    violated = {line.split()[0] for line in shown.out.splitlines() if line.endswith("1 VIOLATIONS")}
    assert {"I5"} <= violated
    assert f"I5  two_successes  {job_id}" in shown.err
