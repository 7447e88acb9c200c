"""The drill of docs/OPERATIONS.md: release N+1 comes while N works, and nobody notices.

N+1 is a copy of this code with one more migration, which expands: a column, a table, an index. It runs under load.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from app.core.migrate import required_revision
from tests.support.deployment import Deployment, free_port, serve_api, serve_worker
from tests.support.processes import ROOT, running
from tests.support.waiting import eventually

COPIED = ("app", "migrations", "alembic.ini")
QUEUE = "base"

MIGRATION = '''
"""What the next release adds."""

from alembic import op

revision = "9999"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("alter table jobs add column mood text not null default 'calm'")
    op.execute("alter table job_attempts add column region text")
    op.execute("create table moods (tenant_id text primary key)")
    op.execute("create index jobs_by_mood on jobs (mood) where status = 'failed'")
'''


def make_next_release(project: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, project / name)
    migration = MIGRATION.format(before=required_revision())
    (project / "migrations" / "versions" / "9999_next.py").write_text(migration)


class Load:
    """Jobs, one after another, until told to stop; every answer is looked at."""

    def __init__(self, clients: list[httpx.AsyncClient]) -> None:
        self.clients = clients
        self.jobs: list[UUID] = []
        self.stop = asyncio.Event()

    async def run(self) -> None:
        while not self.stop.is_set():
            client = self.clients[len(self.jobs) % len(self.clients)]
            lane = f"lane-{len(self.jobs) % 3}"
            body = {"kind": "diagnostics.sleep", "queue": QUEUE, "input": {"seconds": 0.02}, "lane": lane}
            answer = await client.post("/v1/jobs", json=body)
            assert answer.status_code == 202, answer.text
            self.jobs.append(UUID(answer.json()["job_id"]))
            await asyncio.sleep(0.02)

    async def more(self, count: int) -> None:
        """Wait until so many more were accepted."""
        goal = len(self.jobs) + count

        async def there() -> bool:
            return len(self.jobs) >= goal

        await eventually(there, within=60, what=f"{count} more jobs")


async def test_the_next_release_comes_under_load(deployment: Deployment, tmp_path: Path) -> None:
    await asyncio.to_thread(make_next_release, tmp_path)
    port, ready = free_port(), tmp_path / "ready"
    environment = deployment.environment(PYTHONPATH=str(tmp_path), PORT=str(port), HOMEROOM_READY_FILE=str(ready))
    cli = [sys.executable, "-m", "app.cli"]
    async with serve_api(deployment) as api:
        load = Load([api])
        async with serve_worker(deployment, QUEUE):
            loading = asyncio.create_task(load.run())
            await load.more(20)
            migrating = await asyncio.create_subprocess_exec(
                *cli, "migrate", cwd=tmp_path, env=environment, stdout=subprocess.PIPE
            )
            told, _ = await migrating.communicate()
            assert told.decode().strip() == "the schema is at 9999"
            await load.more(20)  # N goes on, on a schema that is ahead of it
            assert (await api.get("/readyz")).json()["status"] == "ready"
            worker = running([*cli, "worker", QUEUE], cwd=tmp_path, environment=environment)
            await worker.__aenter__()
            await eventually(lambda: _exists(ready), within=90, what="a worker of N+1")
            await load.more(20)
        # N's worker has drained; N+1's goes on alone, and N+1's API comes beside N's.
        async with (
            running([*cli, "api"], cwd=tmp_path, environment=environment),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=deployment.headers(), timeout=30) as newer,
        ):
            await eventually(lambda: _is_ready(newer), within=90, what="an API of N+1")
            load.clients.append(newer)
            await load.more(20)
            load.stop.set()
            await loading
            await _all_done(deployment, load.jobs)
        await worker.__aexit__(None, None, None)
    await _judge(deployment, load.jobs)


async def _exists(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def _all_done(deployment: Deployment, jobs: list[UUID]) -> None:
    connection = await asyncpg.connect(deployment.database_url)
    try:

        async def done() -> bool:
            rows = await connection.fetch("select status from jobs where job_id = any($1::uuid[])", jobs)
            return Counter(row["status"] for row in rows) == {"done": len(jobs)}

        await eventually(done, within=60, what=f"the end of {len(jobs)} jobs")
    finally:
        await connection.close()


async def _judge(deployment: Deployment, jobs: list[UUID]) -> None:
    """Each job once, and none was lost on the way; what a drain gave back costs no try."""
    connection = await asyncpg.connect(deployment.database_url)
    try:
        attempts = await connection.fetch(
            "select status, count(*) as times from job_attempts where job_id = any($1::uuid[]) group by status", jobs
        )
        counts = {row["status"]: row["times"] for row in attempts}
        assert counts.pop("success") == len(jobs)
        assert set(counts) <= {"released"}, counts
        assert await connection.fetchval("select count(*) from jobs where mood <> 'calm'") == 0
    finally:
        await connection.close()
