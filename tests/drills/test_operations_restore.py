"""The drill of docs/OPERATIONS.md: an older backup of Postgres comes back under everybody's feet.

`pg_dump` while jobs run; work goes on; then the database is dropped and the dump restored, while the API, the workers
and Redis go on and remember a later time.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from pathlib import Path
from uuid import UUID

import asyncpg

from app.core.embedded import EmbeddedPostgres
from app.core.embedded.postgres import ENVIRONMENT, _binary
from app.core.inspection import audit_ledger
from app.engine.dispatch import Dispatcher
from app.kit.redis import connect, disconnect
from tests.support.deployment import Deployment, only_environment, serve_api, serve_worker
from tests.support.fleet import submit, submit_many
from tests.support.waiting import eventually

QUEUE = "exam"


def run_tool(postgres: EmbeddedPostgres, *command: str) -> None:
    connection = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "PGUSER": "homeroom",
        "PGPASSWORD": postgres.password,
    }
    program, *arguments = command
    subprocess.run([str(_binary(program)), *arguments], env=ENVIRONMENT | connection, check=True)


class Drill:
    """One database, looked at from outside."""

    def __init__(self, postgres: EmbeddedPostgres, deployment: Deployment, dump: Path) -> None:
        self._postgres = postgres
        self._url = deployment.database_url
        self._name = deployment.database_url.rpartition("/")[2]
        self._dump = str(dump)

    async def back_up(self) -> None:
        await asyncio.to_thread(run_tool, self._postgres, "pg_dump", "-Fc", "-f", self._dump, self._name)

    async def restore(self) -> None:
        def steps() -> None:
            run_tool(self._postgres, "dropdb", "--force", self._name)
            run_tool(self._postgres, "createdb", self._name)
            run_tool(self._postgres, "pg_restore", "-d", self._name, self._dump)

        await asyncio.to_thread(steps)

    async def statuses(self, jobs: list[UUID]) -> dict[UUID, str]:
        connection = await asyncpg.connect(self._url)
        try:
            rows = await connection.fetch("select job_id, status from jobs where job_id = any($1::uuid[])", jobs)
            return {row["job_id"]: row["status"] for row in rows}
        finally:
            await connection.close()

    async def noted(self, jobs: list[UUID]) -> int:
        """How many wait of whom the ledger says that Redis has their hint."""
        connection = await asyncpg.connect(self._url)
        try:
            count: int = await connection.fetchval(
                "select count(*) from jobs where job_id = any($1::uuid[]) and status = 'queued' "
                "and dispatched_at is not null",
                jobs,
            )
            return count
        finally:
            await connection.close()

    async def successes(self, jobs: list[UUID]) -> list[int]:
        connection = await asyncpg.connect(self._url)
        try:
            rows = await connection.fetch(
                "select count(*) as times from job_attempts where job_id = any($1::uuid[]) and status = 'success' "
                "group by job_id",
                jobs,
            )
            return [row["times"] for row in rows]
        finally:
            await connection.close()


async def test_an_older_backup_loses_nothing_that_it_holds(
    postgres: EmbeddedPostgres, deployment: Deployment, tmp_path: Path
) -> None:
    drill = Drill(postgres, deployment, tmp_path / "backup.dump")
    async with (
        serve_api(deployment) as api,
        serve_worker(deployment, QUEUE, EXAM_CONCURRENCY="2"),
        serve_worker(deployment, QUEUE, EXAM_CONCURRENCY="2"),
    ):
        ended = await submit_many(api, 10, "echo", QUEUE)
        await _all_done(drill, ended)
        running = [await submit(api, "sleep", QUEUE, seconds=2) for _ in range(2)]
        waiting = await submit_many(api, 40, "sleep", QUEUE, seconds=0.2)
        await eventually(lambda: _is_running(drill, running), what="jobs that run while the backup is made")
        await eventually(lambda: drill.noted(waiting), what="jobs that wait with a hint while the backup is made")
        await drill.back_up()

        # Work goes on after the backup: what waited ends, and there is more.
        later = await submit_many(api, 20, "echo", QUEUE)
        await _all_done(drill, [*running, *waiting, *later])
        zombie = await submit(api, "sleep", QUEUE, seconds=2)  # runs across the restore
        await eventually(lambda: _is_running(drill, [zombie]), what="a job that runs across the restore")

        await drill.restore()

        accepted = [*ended, *running, *waiting]
        assert set(await drill.statuses([*accepted, *later, zombie])) == set(
            accepted
        )  # the backup's, and nothing later
        assert await drill.noted(waiting) or await drill.successes(waiting), "the backup held nothing that waited"
        await _all_done(drill, accepted)
        assert await drill.successes(accepted) == [1] * len(accepted)
        again = await submit_many(api, 10, "echo", QUEUE)
        await _all_done(drill, again)
        assert await drill.statuses([zombie]) == {}, "a job of the lost time wrote into the restored ledger"
        assert (await api.get(f"/v1/jobs/{zombie}")).status_code == 404
        await _nothing_is_left(deployment)
    with only_environment(deployment.environment()):
        assert await audit_ledger() == []


async def _is_running(drill: Drill, jobs: list[UUID]) -> bool:
    return set((await drill.statuses(jobs)).values()) == {"processing"}


async def _all_done(drill: Drill, jobs: list[UUID]) -> None:
    async def done() -> bool:
        return Counter((await drill.statuses(jobs)).values()) == {"done": len(jobs)}

    await eventually(done, within=60, what=f"the end of {len(jobs)} jobs")


async def _nothing_is_left(deployment: Deployment) -> None:
    """Neither hints nor leases of jobs that the ledger no longer knows."""
    redis = connect(deployment.settings().queues[QUEUE].redis_url)
    try:

        async def quiet() -> bool:
            return await Dispatcher(redis).depth() == (0, 0)

        await eventually(quiet, within=60, what="an empty queue without leases")
    finally:
        await disconnect(redis)
