"""The control: a stock ARQ queue under the same fault and the same judge, which has to find it wanting."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import arq
from arq.connections import RedisSettings

from app.core.embedded import EmbeddedRedis
from tests.support.history import Accepted, Fact, append, check, read_lines
from tests.support.waiting import eventually

JOBS = 30


async def witness(ctx: dict[str, Any], path: str) -> None:
    who = {"job_id": ctx["job_id"], "attempt": ctx["job_try"], "token": uuid4().hex, "lane": None, "pid": os.getpid()}
    append(Path(path), what="start", **who)
    await asyncio.sleep(0.05)
    append(Path(path), what="end", **who)


async def test_a_stock_queue_loses_what_redis_forgets(redis_server: EmbeddedRedis, tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    settings = RedisSettings.from_dsn(redis_server.url(13))
    pool = await arq.create_pool(settings)
    worker = arq.Worker([witness], redis_settings=settings, handle_signals=False, poll_delay=0.05, max_jobs=3)
    serving = asyncio.create_task(worker.async_run())
    try:
        jobs = [await pool.enqueue_job("witness", str(history)) for _ in range(JOBS)]
        accepted = [Accepted(job.job_id, job.job_id) for job in jobs if job is not None]
        assert len(accepted) == JOBS

        async def amid() -> bool:
            return history.exists() and len(read_lines(history)) >= 6

        await eventually(amid, what="work to spoil")
        await pool.flushdb()
        later = await pool.enqueue_job("witness", str(history))
        assert later is not None

        async def served() -> bool:
            return any(line.job_id == later.job_id and line.what == "end" for line in read_lines(history))

        await eventually(served, what="a job of after the loss, by which the worker has nothing else left to do")
    finally:
        await worker.close()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await pool.aclose()
    ended = {line.job_id for line in read_lines(history) if line.what == "end"}
    facts = {each.job_id: Fact(each.job_id, "queued") for each in accepted if each.job_id not in ended}
    report = check(accepted, [], facts | {job: Fact(job, "cancelled") for job in ended})
    lost = [each for each in report.violations if each.startswith("I1")]
    assert 0 < len(lost) < JOBS
