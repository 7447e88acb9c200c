"""Worker processes by every door: run scripts, the command line, and ARQ's own. They stop cleanly, as they should."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import psutil
import pytest
import pytest_asyncio
from arq.jobs import Job

from app.core.embedded import EmbeddedRedis
from app.kit.db import Database
from tests.support.deployment import Deployment, free_port, make_deployment
from tests.support.fleet import SCRIPTS, Fleet
from tests.support.processes import ROOT, running
from tests.support.stage import Stage, open_stage
from tests.support.waiting import eventually

ARQ = [sys.executable, "-m", "arq"]


@pytest_asyncio.fixture(loop_scope="session")
async def fleet(deployment: Deployment, tmp_path: Path) -> AsyncIterator[Fleet]:
    ledger = await asyncpg.create_pool(deployment.database_url, min_size=0, max_size=2)
    yield Fleet(deployment, ledger, tmp_path)
    await ledger.close()


async def echo(stage: Stage) -> UUID:
    return await stage.submit("diagnostics.echo", "hello")


async def ran_on(fleet: Fleet, stage: Stage, job_id: UUID) -> int:
    """The pid of the worker that ended the job; workers keep their row as long as they live."""
    ended = await stage.ended(job_id, within=40)
    assert ended["status"] == "done"
    found: int = await fleet.ledger.fetchval("select pid from workers where worker_id = $1", ended["worker_id"])
    return found


@pytest.mark.parametrize("queue", SCRIPTS)
async def test_a_run_script_serves_its_queue_and_stops_cleanly(fleet: Fleet, database: Database, queue: str) -> None:
    async with open_stage(fleet.deployment, database, queue) as stage, fleet.worker(queue) as worker:
        assert await ran_on(fleet, stage, await echo(stage)) == worker.pid
        worker.terminate()
        assert await asyncio.wait_for(worker.wait(), 30) == 0
        assert await fleet.ledger.fetchval("select count(*) from workers where queue = $1", queue) == 0


@asynccontextmanager
async def both_upload_workers(fleet: Fleet) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, int]]]:
    """The parent process, and the pid of each queue's child."""
    command = [sys.executable, "run_upload_worker.py"]
    async with running(command, environment=fleet.deployment.environment()) as parent:

        async def registered() -> dict[str, int]:
            rows = await fleet.ledger.fetch("select queue, pid from workers where lease_until > now()")
            pids = {row["queue"]: row["pid"] for row in rows}
            return pids if set(pids) == {"exam", "assignment"} else {}

        yield parent, await eventually(registered, what="both upload workers")


async def test_the_upload_script_without_an_argument_serves_both_queues_in_processes_of_their_own(
    fleet: Fleet, database: Database
) -> None:
    async with both_upload_workers(fleet) as (parent, pids):
        for queue, pid in pids.items():
            async with open_stage(fleet.deployment, database, queue) as stage:
                assert await ran_on(fleet, stage, await echo(stage)) == pid
        assert {psutil.Process(pid).ppid() for pid in pids.values()} == {parent.pid}
        parent.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(parent.wait(), 30) == 0
        assert not any(psutil.pid_exists(pid) for pid in pids.values())


async def test_when_one_upload_worker_dies_the_script_ends_with_the_other(fleet: Fleet) -> None:
    async with both_upload_workers(fleet) as (parent, pids):
        psutil.Process(pids["exam"]).kill()
        assert await asyncio.wait_for(parent.wait(), 30) not in (0, None)
        assert not psutil.pid_exists(pids["assignment"])
    await fleet.ledger.execute("delete from workers")


async def test_an_unknown_upload_queue_is_refused(deployment: Deployment) -> None:
    command = [sys.executable, "run_upload_worker.py", "chat"]
    ended = await run_to_end(command, deployment.environment())
    assert (ended.returncode, b"invalid choice" in ended.stdout) == (2, True)


async def test_an_unknown_queue_is_refused_with_the_ones_there_are(deployment: Deployment) -> None:
    command = [sys.executable, "-m", "app.cli", "worker", "nowhere"]
    ended = await run_to_end(command, deployment.environment())
    assert ended.returncode != 0
    assert b"Traceback" not in ended.stdout
    assert b"chat" in ended.stdout


async def run_to_end(command: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return subprocess.CompletedProcess(list(command), process.returncode, output)


@asynccontextmanager
async def arq_worker(fleet: Fleet, queue: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [*ARQ, f"app.core.worker.{queue}.WorkerSettings"]
    async with running(command, environment=fleet.deployment.environment(**environment)) as worker:

        async def registered() -> bool:
            assert worker.returncode is None
            return bool(await fleet.ledger.fetchval("select 1 from workers where pid = $1", worker.pid))

        await eventually(registered, what="the worker under arq's command line")
        yield worker


async def test_arq_s_own_command_line_runs_jobs_and_stops_cleanly(fleet: Fleet, database: Database) -> None:
    async with open_stage(fleet.deployment, database, "chat") as stage, arq_worker(fleet, "chat") as worker:
        assert await ran_on(fleet, stage, await echo(stage)) == worker.pid
        plain = await stage.redis.enqueue_job("whoami")
        assert isinstance(plain, Job)
        answer = await eventually(plain.result_info, what="the plain job's result")
        assert answer is not None
        assert answer.result["pid"] == worker.pid
        environment = fleet.deployment.environment()
        healthy = await run_to_end([*ARQ, "--check", "app.core.worker.chat.WorkerSettings"], environment)
        assert healthy.returncode == 0

        worker.terminate()
        assert await asyncio.wait_for(worker.wait(), 30) == 0
        assert await fleet.ledger.fetchval("select count(*) from workers where pid = $1", worker.pid) == 0


async def test_arq_s_own_command_line_hands_back_what_it_cannot_finish(fleet: Fleet, database: Database) -> None:
    async with (
        open_stage(fleet.deployment, database, "chat") as stage,
        arq_worker(fleet, "chat", CHAT_GRACE_SECONDS="0.1") as worker,
    ):
        job_id = await stage.submit("diagnostics.sleep", {"seconds": 60.0})
        await stage.reaches(job_id, status="processing")
        worker.terminate()
        assert await asyncio.wait_for(worker.wait(), 30) == 0
        assert await stage.attempts(job_id) == ["released"]
        await stage.execute("delete from jobs where job_id = $1", job_id)


async def test_arq_s_own_command_line_refuses_an_unreachable_redis_as_the_others_do(deployment: Deployment) -> None:
    environment = deployment.environment(REDIS_URL=f"redis://127.0.0.1:{free_port()}", STARTUP_WAIT_SECONDS="0.3")
    ended = await run_to_end([*ARQ, "app.core.worker.chat.WorkerSettings"], environment)
    assert ended.returncode == 78
    assert ended.stdout.count(b"Cure:") == 1
    assert b"Traceback" not in ended.stdout


async def test_arq_s_own_command_line_rides_out_a_restart_of_redis(
    deployment: Deployment, database: Database, tmp_path: Path
) -> None:
    server = EmbeddedRedis(tmp_path / "redis", durable=False)
    await asyncio.to_thread(server.start)
    ledger = await asyncpg.create_pool(deployment.database_url, min_size=0, max_size=2)
    try:
        moved = await asyncio.to_thread(make_deployment, deployment.database_url, server.url(0))
        async with arq_worker(Fleet(moved, ledger, tmp_path), "chat") as worker:
            server.kill()
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            async with open_stage(moved, database, "chat") as stage:
                assert (await stage.ended(await echo(stage), within=40))["status"] == "done"
            assert worker.returncode is None
            worker.terminate()
            assert await asyncio.wait_for(worker.wait(), 30) == 0
    finally:
        await ledger.close()
        await asyncio.to_thread(server.stop)


async def test_a_confined_worker_process_serves_its_tenant_alone(fleet: Fleet, database: Database) -> None:
    async with open_stage(fleet.deployment, database, "profile") as stage:
        async with fleet.worker("profile", TENANT_ID="mine"):
            theirs = await stage.submit("diagnostics.echo", 1, tenant_id="theirs")
            for _ in range(3):
                mine = await stage.submit("diagnostics.echo", 1, tenant_id="mine")
                assert (await stage.ended(mine))["status"] == "done"
            assert (await stage.row(theirs))["attempt"] == 0
        async with fleet.worker("profile"):
            assert (await stage.ended(theirs))["status"] == "done"
