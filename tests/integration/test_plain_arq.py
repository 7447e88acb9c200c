"""Plain ARQ jobs: a stock producer with our pool meets ARQ's own behaviour, minus what would hurt."""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from arq.jobs import Job, JobResult, JobStatus
from arq.worker import Retry, func

from app.engine.dispatch import PlainJob
from app.kit.db import Database
from app.kit.redis import WAKE_KEY, connect, disconnect, with_database
from app.workloads import WORKLOADS
from tests.support.deployment import Deployment, serve_worker
from tests.support.stage import Stage, open_stage
from tests.support.waiting import eventually

Context = dict[str, Any]


async def echo(_ctx: Context, *args: Any, **kwargs: Any) -> Any:
    return [list(args), kwargs]


async def fail(_ctx: Context) -> None:
    raise ValueError("odd")


async def leave(_ctx: Context) -> None:
    sys.exit(3)


async def retry(ctx: Context, seconds: float) -> Any:
    if ctx["job_try"] == 1:
        raise Retry(defer=seconds)
    return ctx["job_try"]


async def sleep(_ctx: Context) -> None:
    await asyncio.Event().wait()


async def not_json(_ctx: Context) -> object:
    return object()


FUNCTIONS: tuple[Any, ...] = (echo, fail, leave, retry, sleep, not_json)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(deployment: Deployment, database: Database) -> AsyncIterator[Stage]:
    async with open_stage(deployment, database, "profile") as opened:
        opened.functions += [func(each, max_tries=3) for each in FUNCTIONS]
        async with opened.worker(slots=5):
            yield opened


async def enqueue(stage: Stage, function: str, *args: Any, **options: Any) -> Job:
    job = await stage.redis.enqueue_job(function, *args, **options)
    assert job is not None
    await stage.redis.lpush(WAKE_KEY, "1")  # type: ignore[misc] # a stock producer does not ring; its job starts within a second
    return job


async def result(job: Job) -> JobResult:
    found = await eventually(job.result_info, what=f"the result of {job.job_id}")
    assert found is not None
    return found


async def test_arguments_reach_the_function_and_its_result_the_producer(stage: Stage) -> None:
    job = await enqueue(stage, "echo", 1, "two", {"three": [4]})
    told = await result(job)
    assert (told.success, told.result) == (True, [[1, "two", {"three": [4]}], {}])
    assert await job.status() is JobStatus.complete
    await stage.is_quiet()


async def test_a_job_starts_though_its_producer_does_not_ring(stage: Stage) -> None:
    job = await stage.redis.enqueue_job("echo")
    assert job is not None
    assert (await result(job)).success


async def test_the_sample_task_runs_on_the_base_queue(deployment: Deployment, database: Database) -> None:
    async with open_stage(deployment, database, "base") as base, serve_worker(deployment, "base"):
        job = await enqueue(base, "sample_task", "Ada")
        assert (await result(job)).result == f"Hello, Ada! (job {job.job_id}, try 1)"


@pytest.mark.parametrize("queue", [workload.name for workload in WORKLOADS])
async def test_every_queue_answers_who_it_is(deployment: Deployment, database: Database, queue: str) -> None:
    async with open_stage(deployment, database, queue) as elsewhere, serve_worker(deployment, queue):
        told = await result(await enqueue(elsewhere, "whoami"))
    assert told.result["queue"] == queue
    assert told.result["pid"] == os.getpid()


async def test_a_deferred_job_waits_for_its_time(stage: Stage) -> None:
    due = time.time() + 0.4
    job = await enqueue(stage, "echo", _defer_by=timedelta(seconds=0.4))
    assert await job.status() is JobStatus.deferred
    assert (await result(job)).start_time.timestamp() >= due - 0.001


async def test_a_retry_comes_back_after_its_time_with_the_next_try(stage: Stage) -> None:
    asked = time.time()
    told = await result(await enqueue(stage, "retry", 0.3))
    assert (told.success, told.result) == (True, 2)
    assert told.start_time.timestamp() >= asked + 0.3
    await stage.is_quiet()


async def test_a_retry_without_a_time_comes_back_at_once(stage: Stage) -> None:
    assert (await result(await enqueue(stage, "retry", 0))).result == 2


@pytest.mark.parametrize(
    ("function", "error"), [("fail", "ValueError"), ("leave", "JobExecutionFailed"), ("absent", "JobExecutionFailed")]
)
async def test_a_function_that_fails_or_is_missing_leaves_its_error_and_the_worker_alive(
    stage: Stage, function: str, error: str
) -> None:
    told = await result(await enqueue(stage, function))
    assert not told.success
    assert told.result["error"] == error
    assert (await result(await enqueue(stage, "echo"))).success
    await stage.is_quiet()


async def test_a_result_that_is_not_json_leaves_the_worker_alive(stage: Stage) -> None:
    job = await enqueue(stage, "not_json")
    await stage.is_quiet()
    assert await job.status() in (JobStatus.complete, JobStatus.not_found)
    assert (await result(await enqueue(stage, "echo"))).success


class Bomb:
    """Unpickling this touches a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


async def test_a_pickle_planted_in_redis_is_refused_and_never_executed(stage: Stage, tmp_path: Path) -> None:
    proof = tmp_path / "executed"
    payload = {"t": 1, "f": "echo", "a": (Bomb(proof),), "k": {}, "et": int(time.time() * 1000)}
    await stage.redis.set("arq:job:bomb", pickle.dumps(payload))
    await stage.redis.zadd("arq:queue", {"bomb": int(time.time() * 1000)})
    told = await result(Job("bomb", stage.redis, _deserializer=stage.redis.job_deserializer))
    assert not told.success
    assert not proof.exists()
    await stage.is_quiet()


async def test_a_running_job_is_in_progress_and_a_drain_puts_it_back(stage: Stage) -> None:
    async with open_queue(stage) as elsewhere:
        async with elsewhere.worker(grace=0.05):
            job = await enqueue(elsewhere, "sleep")
            await eventually(in_progress(job), what="the start of the job")
            assert await elsewhere.dispatcher.depth() == (0, 1)
        assert await job.status() is JobStatus.queued
        assert await elsewhere.dispatcher.depth() == (1, 0)
        await elsewhere.redis.flushdb()


async def test_a_job_left_by_a_dead_worker_runs_again(stage: Stage) -> None:
    """Its lease in Redis has run out, and nobody holds it."""
    job = await enqueue(stage, "retry", 0, _defer_by=timedelta(hours=1))
    await stage.redis.zrem("arq:queue", job.job_id)
    await stage.redis.zadd("homeroom:leases", {job.job_id: 1})
    assert (await result(job)).success
    await stage.is_quiet()


async def test_a_lease_that_outlived_its_finished_job_does_not_overwrite_the_result(stage: Stage) -> None:
    """An extension of the lease may reach Redis just after the job's end."""
    job = await enqueue(stage, "echo")
    told = await result(job)
    await stage.is_quiet()
    await stage.dispatcher.extend([job.job_id], 0.001)
    await stage.is_quiet()
    assert await job.result_info() == told
    assert await job.status() is JobStatus.complete


async def test_an_extension_does_not_take_back_what_was_put_back(stage: Stage) -> None:
    async with open_queue(stage) as elsewhere:
        job = await enqueue(elsewhere, "sleep", _defer_by=timedelta(hours=1))
        await elsewhere.dispatcher.extend([job.job_id], 60.0)
        assert await elsewhere.dispatcher.depth() == (1, 0)
        await elsewhere.redis.flushdb()


async def test_a_job_that_this_worker_already_runs_is_not_started_again(stage: Stage) -> None:
    """As after a long freeze: the worker's own lease has run out, and it claims its own job."""
    async with open_queue(stage) as elsewhere, elsewhere.worker(grace=0.05) as runtime:
        job = await enqueue(elsewhere, "sleep")
        await eventually(in_progress(job), what="the start of the job")
        [running] = runtime.tasks.values()
        runtime.start_plain(PlainJob(job.job_id, 0, b"", 1, aborted=False))
        await asyncio.sleep(0)
        assert list(runtime.tasks.values()) == [running]
        assert runtime.load == 1


@asynccontextmanager
async def open_queue(stage: Stage) -> AsyncIterator[Stage]:
    """Another queue of the same deployment, with the same functions and no worker yet."""
    redis = connect(with_database(stage.url, 15))
    yield replace(stage, redis=redis)
    await disconnect(redis)


def in_progress(job: Job) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await job.status() is JobStatus.in_progress

    return look
