"""A deployment's processes under a test's hand: started, killed at failpoints, stopped and gone on with."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from app.kit.db import CONNECTION_LOST
from app.kit.ids import uuid7
from tests.support.deployment import Deployment, free_port
from tests.support.processes import running
from tests.support.waiting import eventually

SCRIPTS = {
    "chat": ["run_chat_worker.py"],
    "exam": ["run_upload_worker.py", "exam"],
    "assignment": ["run_upload_worker.py", "assignment"],
    "profile": ["run_profile_worker.py"],
    "base": ["run_base_worker.py"],
}
KILLED = -9
START = 90.0  # seconds: a dozen processes may start at once


class Fleet:
    """Starts processes of one deployment and looks at the ledger from outside, as a superuser would."""

    def __init__(
        self,
        deployment: Deployment,
        ledger: asyncpg.Connection | asyncpg.Pool,
        run_dir: Path,
        *,
        entrance: Sequence[str] | None = None,  # a program that takes the command line's words, instead of the scripts
    ) -> None:
        self.deployment = deployment
        self.ledger = ledger
        self._run_dir = run_dir
        self._entrance = entrance

    @asynccontextmanager
    async def worker(
        self, queue: str, *, wait: bool = True, **environment: str
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """A worker by its run script; ready, unless it may die before it could say so."""
        ready = self._run_dir / f"{uuid7()}.ready"
        command = [*self._entrance, "worker", queue] if self._entrance else [sys.executable, *SCRIPTS[queue]]
        variables = self.deployment.environment(HOMEROOM_READY_FILE=str(ready), **environment)
        async with running(command, environment=variables) as process:

            async def is_ready() -> bool:
                assert process.returncode is None, f"the {queue} worker ended with {process.returncode}"
                return ready.exists()

            if wait:
                await eventually(is_ready, within=START, what=f"the {queue} worker")
            yield process

    @asynccontextmanager
    async def api(self, **environment: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
        """An API process and a client of tenant `demo`."""
        port = free_port()
        variables = self.deployment.environment(PORT=str(port), **environment)
        command = [*(self._entrance or (sys.executable, "-m", "app.cli")), "api"]
        async with (
            running(command, environment=variables) as process,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers=self.deployment.headers(), timeout=30.0
            ) as client,
        ):

            async def answers() -> bool:
                assert process.returncode is None, f"the API ended with {process.returncode}"
                try:
                    return (await client.get("/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(answers, within=START, what="the API")
            yield process, client

    async def statuses(self, jobs: Iterable[UUID]) -> Counter[str]:
        try:
            rows = await self.ledger.fetch(_STATUSES, list(jobs))
        except CONNECTION_LOST:  # by a server that was struck; the pool opens another
            rows = await self.ledger.fetch(_STATUSES, list(jobs))
        return Counter(row["status"] for row in rows)

    async def processing(self, jobs: Iterable[UUID]) -> int:
        return (await self.statuses(jobs))["processing"]

    async def all_ended(self, jobs: Iterable[UUID], *, within: float = 60.0) -> Counter[str]:
        """Wait until every job is terminal; how they ended."""
        jobs = list(jobs)

        async def ended() -> Counter[str] | None:
            statuses = await self.statuses(jobs)
            live = statuses["queued"] + statuses["processing"]
            return statuses if not live and statuses.total() == len(jobs) else None

        statuses = await eventually(ended, within=within, what="the end of every job")
        assert statuses is not None
        return statuses

    async def attempts(self, job: UUID) -> list[str]:
        rows = await self.ledger.fetch("select status from job_attempts where job_id = $1 order by attempt", job)
        return [row["status"] for row in rows]

    async def successes(self, jobs: Iterable[UUID]) -> Counter[int]:
        """How many successful attempts jobs have: one each, or something took effect twice or never."""
        rows = await self.ledger.fetch(
            "select count(*) filter (where status = 'success') as successes from job_attempts "
            "where job_id = any($1::uuid[]) group by job_id",
            list(jobs),
        )
        return Counter(row["successes"] for row in rows)


async def submit(client: httpx.AsyncClient, kind: str, queue: str, **given: object) -> UUID:
    """One accepted job."""
    body = {"kind": f"diagnostics.{kind}", "queue": queue, "input": given}
    answer = await client.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    return UUID(answer.json()["job_id"])


async def submit_many(client: httpx.AsyncClient, count: int, kind: str, queue: str, **given: object) -> list[UUID]:
    body = {"kind": f"diagnostics.{kind}", "queue": queue, "input": given}
    answer = await client.post("/v1/jobs/bulk", json={"jobs": [body] * count})
    assert answer.status_code == 202, answer.text
    return [UUID(each["job"]["job_id"]) for each in answer.json()["data"]]


_STATUSES = "select status from jobs where job_id = any($1::uuid[])"
