"""The control: a stock ARQ queue under the same faults and the same judge, which has to find it wanting."""

from __future__ import annotations

import sys
from pathlib import Path

from arq.connections import ArqRedis

from app.core.embedded import EmbeddedRedis
from app.kit.redis import connect, disconnect
from tests.support.history import Accepted, Fact, Report, check, read_lines
from tests.support.processes import running
from tests.support.waiting import eventually

JOBS = 30
DATABASE = 13


async def test_a_stock_queue_loses_what_redis_forgets(redis_server: EmbeddedRedis, tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    environment = {"STOCK_REDIS_URL": redis_server.url(DATABASE), "WITNESS_HISTORY": str(history)}
    pool = connect(redis_server.url(DATABASE))
    try:
        async with running([sys.executable, "-m", "tests.support.stock"], environment=environment):
            accepted = [await _enqueue(pool) for _ in range(JOBS)]
            await eventually(lambda: _lines_are(history, 6), within=60, what="work to spoil")
            await pool.flushdb()
            later = await _enqueue(pool)
            await eventually(lambda: _has_ended(history, later), within=60, what="a job of after the loss")
    finally:
        await disconnect(pool)
    lost = [each for each in _judge(history, accepted).violations if each.startswith("I1")]
    assert 0 < len(lost) < JOBS


async def _enqueue(pool: ArqRedis) -> Accepted:
    job = await pool.enqueue_job("witness")
    assert job is not None
    return Accepted(job.job_id, job.job_id)


async def _lines_are(history: Path, number: int) -> bool:
    return len(read_lines(history)) >= number


async def _has_ended(history: Path, job: Accepted) -> bool:
    return any(line.job_id == job.job_id and line.what == "end" for line in read_lines(history))


def _judge(history: Path, accepted: list[Accepted]) -> Report:
    """What ran to its end has ended; of the others nothing is known any more."""
    ended = {line.job_id for line in read_lines(history) if line.what == "end"}
    return check(accepted, [], {job: Fact(job, "cancelled") for job in ended})
