"""Plain ARQ jobs: what stock producers enqueue runs as ARQ runs it, claimed and ended in batches.

ARQ's own `run_job` asks Redis four times for each job. Here a claim brings the payloads along, and what ends together
is written together; formats, keys, tries, time-outs, hooks and aborts are ARQ's, so its clients see no difference.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arq.constants import keep_cronjob_progress, retry_key_prefix
from arq.cron import CronJob
from arq.jobs import SerializationError, deserialize_job_raw, serialize_result
from arq.utils import ms_to_datetime, timestamp_ms
from arq.worker import Function, JobExecutionFailed, Retry, RetryJob, Worker

from app.engine.dispatch import Dispatcher, PlainEnd, PlainJob
from app.engine.pace import Pace
from app.kit.batching import Batcher
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

TRIES_LIFE = 88_400  # seconds that ARQ remembers how often a job was tried

log = get_logger(__name__)


@dataclass(slots=True)
class Call:
    """A plain job's payload, read."""

    name: str = "<unknown>"
    args: Sequence[Any] = ()
    kwargs: dict[str, Any] | None = None
    enqueued_ms: int = 0
    tries: int = 0


class PlainWorker(Worker):
    """Runs what stock producers enqueue; a job that ends badly never takes the process along."""

    dispatcher: Dispatcher

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, handle_signals=False, **kwargs)
        self._ends: Batcher[PlainEnd, None] = Batcher(self._write_ends, max_batch=200)
        self.pace = Pace()
        self._returned: set[str] = set()  # over, but for what is written of their ends: their slots are free

    def start_plain(self, job: PlainJob) -> asyncio.Task[None]:
        if (running := self.tasks.get(job.job_id)) is not None:  # our own lease ran out; the next extension renews it
            return running
        task = self.loop.create_task(self._run_plain(job))
        self.tasks[job.job_id] = task
        return task

    async def _run_plain(self, job: PlainJob) -> None:
        try:
            await self._perform(job)
        except Exception:
            # A hook or Redis failed, not the job. Its lease runs out, and the job comes again.
            log.exception("a plain job could not be finished", arq_job=job.job_id)
        finally:
            self._returns(job)
            self._returned.discard(job.job_id)
            self.tasks.pop(job.job_id, None)
            self.on_plain(returned=False)

    @property
    def running_plain(self) -> int:
        """Plain jobs that hold a slot."""
        return len(self.tasks) - len(self._returned)

    @property
    def unwritten_plain(self) -> int:
        """Plain jobs whose ends Redis does not have yet."""
        return len(self._returned)

    def on_plain(self, *, returned: bool) -> None:
        """For whoever claims: a plain job has returned, and its slot is free; or it is through with everything."""

    def _returns(self, job: PlainJob) -> None:
        if job.job_id not in self._returned:
            self._returned.add(job.job_id)
            self.on_plain(returned=True)

    async def _perform(self, job: PlainJob) -> None:
        call = Call(tries=job.tries)
        function, refusal = self._look_up(job, call)
        if call.tries > job.tries:  # its producer asked to start with a later try
            await self.pool.setex(retry_key_prefix + job.job_id, TRIES_LIFE, call.tries)
        if function is None:
            self.jobs_failed += 1
            log.warning("plain job refused", arq_job=job.job_id, function=call.name, error=str(refusal))
            await self._end(job, call, None, refusal, success=False, began=timestamp_ms())
            return
        ctx = {
            **self.ctx,
            "job_id": job.job_id,
            "job_try": call.tries,
            "enqueue_time": ms_to_datetime(call.enqueued_ms),
            "score": job.score,
        }
        if self.on_job_start:
            await self.on_job_start(ctx)
        began, started = timestamp_ms(), time.monotonic()
        again, success, result = await self._call(job, call, function, ctx)
        self.pace.ran(time.monotonic() - started)
        if self.on_job_end:
            await self.on_job_end(ctx)
        self._returns(job)
        if again is None:
            await self._end(job, call, function, result, success=success, began=began)
        else:
            await self.dispatcher.put_back_plain(job.job_id, again)
        if self.after_job_end:
            await self.after_job_end(ctx)

    def _look_up(self, job: PlainJob, call: Call) -> tuple[Function | CronJob | None, BaseException | None]:
        """The function to call, or why there is none; `call` is filled in as far as the payload could be read."""
        if not job.payload:
            return None, JobExecutionFailed("job expired")
        try:
            call.name, call.args, call.kwargs, wanted_try, call.enqueued_ms = deserialize_job_raw(
                job.payload, deserializer=self.job_deserializer
            )
        except SerializationError as error:
            return None, error
        if job.aborted:
            return None, asyncio.CancelledError()
        function = self.functions.get(call.name)
        if function is None:
            return None, JobExecutionFailed(f"function {call.name!r} not found")
        call.tries = max(call.tries, wanted_try or 0)
        most = self.max_tries if function.max_tries is None else function.max_tries
        if call.tries > most:
            return None, JobExecutionFailed(f"max {most} retries exceeded")
        return function, None

    async def _call(
        self, job: PlainJob, call: Call, function: Function | CronJob, ctx: dict[str, Any]
    ) -> tuple[float | None, bool, Any]:
        """(seconds until it runs again or None, whether it succeeded, its result or error)."""
        limit = asyncio.timeout(self.job_timeout_s if function.timeout_s is None else function.timeout_s)
        task = asyncio.current_task()
        assert task is not None
        self.job_tasks[job.job_id] = task  # what ARQ's aborts cancel
        began = time.monotonic()
        try:
            async with limit:
                result = await function.coroutine(ctx, *call.args, **(call.kwargs or {}))
        except asyncio.CancelledError as error:
            if job.job_id in self.aborting_tasks:
                self.aborting_tasks.discard(job.job_id)
                return None, False, self._failed(job, call, error)
            return self._again(0.0)  # the worker stops, or a library cancels: the job runs again
        except (Retry, RetryJob) as error:
            return self._again((getattr(error, "defer_score", None) or 0) / 1000)
        except BaseException as error:  # asyncio lets a task's SystemExit end the whole loop; a job must not
            contained = (
                error if isinstance(error, Exception) else JobExecutionFailed(f"{type(error).__name__}: {error}")
            )
            return None, False, self._failed(job, call, contained)
        finally:
            self.job_tasks.pop(job.job_id, None)
        self.jobs_complete += 1
        milliseconds = round(1000 * (time.monotonic() - began), 1)
        log.info("plain job ended", arq_job=job.job_id, function=call.name, ms=milliseconds)
        return None, True, result

    def _again(self, seconds: float) -> tuple[float, bool, None]:
        self.jobs_retried += 1
        return seconds, False, None

    def _failed(self, job: PlainJob, call: Call, error: BaseException) -> BaseException:
        self.jobs_failed += 1
        log.error("plain job failed", arq_job=job.job_id, function=call.name, error=f"{type(error).__name__}: {error}")
        return error

    async def _end(
        self, job: PlainJob, call: Call, function: Function | CronJob | None, result: Any, *, success: bool, began: int
    ) -> None:
        for_ever, keep = self.keep_result_forever, self.keep_result_s
        if function is not None:
            for_ever = for_ever if function.keep_result_forever is None else function.keep_result_forever
            keep = keep if function.keep_result_s is None else function.keep_result_s
        data = None
        if for_ever or keep > 0:
            data = serialize_result(
                call.name,
                tuple(call.args),
                call.kwargs or {},
                call.tries,
                call.enqueued_ms,
                success,
                result,
                began,
                timestamp_ms(),
                f"{job.job_id}:{call.name}",
                self.queue_name,
                job_id=job.job_id,
                serializer=self.job_serializer,
            )
        busy = int(keep_cronjob_progress * 1000) if isinstance(function, CronJob) else 0
        end = PlainEnd(job.job_id, data, 0 if for_ever else max(1, int(keep * 1000)), busy)
        await asyncio.shield(self._ends.enqueue(end))

    async def _write_ends(self, ends: Sequence[PlainEnd]) -> list[None]:
        try:
            await self.dispatcher.finish_plain(ends)
        except REDIS_AWAY as error:
            log.warning("plain jobs will run again: their ends could not be written", jobs=len(ends), error=str(error))
        return [None] * len(ends)
