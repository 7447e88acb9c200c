"""Plain ARQ jobs on a queue whose claims take members off the sorted set: what ARQ's worker must do otherwise then."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from arq.worker import JobExecutionFailed, Worker

from app.engine.dispatch import Dispatcher
from app.kit.logging import get_logger

log = get_logger(__name__)


class PlainWorker(Worker):
    """Runs what stock producers enqueue; a job that ends badly never takes the process along."""

    dispatcher: Dispatcher

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, handle_signals=False, **kwargs)
        for name, function in self.functions.items():
            self.functions[name] = replace(function, coroutine=_contained(function.coroutine))
        self._scores: dict[str, int] = {}  # when each running job was due: ARQ's retry delays are relative to it

    def start_plain(self, job_id: str, score: int) -> asyncio.Task[None]:
        if (running := self.tasks.get(job_id)) is not None:  # our own lease ran out; the next extension renews it
            return running
        self._scores[job_id] = score
        task = self.loop.create_task(self._run_plain(job_id, score))
        self.tasks[job_id] = task
        return task

    async def _run_plain(self, job_id: str, score: int) -> None:
        try:
            await self.run_job(job_id, score)
        except Exception:
            # A hook or Redis failed, not the job. Its lease runs out, and the job comes again.
            log.exception("a plain job could not be finished", arq_job=job_id)
        finally:
            self._scores.pop(job_id, None)
            self.tasks.pop(job_id, None)

    async def finish_job(self, job_id: str, finish: bool, *rest: Any) -> None:
        _, _, _, incr_score, _ = rest  # ARQ's own order; only the retry's delay is read here
        if finish:
            await super().finish_job(job_id, finish, *rest)
            await self.dispatcher.release_plain(job_id)
            return
        due_ms = self._scores[job_id] + (incr_score or 0)
        await self.dispatcher.put_back(job_id, max(0.0, due_ms / 1000 - time.time()))

    async def finish_failed_job(self, job_id: str, result_data: bytes | None) -> None:
        await super().finish_failed_job(job_id, result_data)
        await self.dispatcher.release_plain(job_id)


def _contained(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """The function, unable to leave the process: asyncio lets a task's SystemExit end the whole loop."""

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except (Exception, asyncio.CancelledError):
            raise
        except BaseException as error:
            raise JobExecutionFailed(f"{type(error).__name__}: {error}") from error

    return call
