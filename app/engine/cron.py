"""Heed a queue's schedules: by any of its workers, each moment once, also when nobody was there as it passed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from arq.connections import ArqRedis

from app.engine.ledger.schedules import begin_run, clock, declare, end_run, hold_due, next_due
from app.engine.ledger.submit import Accepted, submit
from app.engine.requests import Wish, accept
from app.engine.retention import OnExpire
from app.engine.schedules import Schedule
from app.engine.submit import Submitter
from app.engine.workload import Registry, resolve
from app.kit.db import CONNECTION_LOST, Connection, Database
from app.kit.ids import uuid7
from app.kit.logging import get_logger

LONGEST_WAIT = 15.0  # seconds between two looks: another release's worker may have moved a moment
SHORTEST_WAIT = 0.05
PATIENCE = 1.0  # after trouble
AT_ONCE = 500  # jobs in a statement

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a task of the whole deployment works with."""

    database: Database
    pools: Mapping[str, ArqRedis]  # of every queue
    shared: ArqRedis
    lease: float  # a worker's, in seconds
    on_expire: tuple[OnExpire, ...] = ()
    on_tidy: tuple[Callable[[str], Awaitable[int]], ...] = ()  # for a tenant; how much went


Clock: TypeAlias = Callable[[Connection], Awaitable[datetime]]
Task: TypeAlias = Callable[[Upkeep], Coroutine[Any, Any, None]]
Tenants: TypeAlias = Callable[[Connection], Awaitable[Sequence[str]]]


class Cron:
    """One process' share in a queue's schedules."""

    def __init__(
        self,
        queue: str,
        schedules: Iterable[Schedule],
        *,
        registry: Registry,
        submitter: Submitter,
        upkeep: Upkeep,
        tenants: Tenants,
        clock: Clock = clock,
    ) -> None:
        self._queue = queue
        self._schedules = {each.name: each for each in schedules}
        self._tasks: dict[str, Task] = {
            each.name: resolve(each.task) for each in self._schedules.values() if each.task is not None
        }
        self._registry = registry
        self._submitter = submitter
        self._database = upkeep.database
        self._upkeep = upkeep
        self._tenants = tenants  # who gets a job when a schedule for tenants falls due
        self._clock = clock
        self._me = uuid7()
        for each in self._schedules.values():
            if each.kind is not None:  # what cannot be submitted is told at the start, not when it falls due
                accept(registry, self._wish(each, "any", datetime.now(UTC)), public_only=False)

    async def run(self) -> None:
        """Heed what falls due for as long as the worker lives; a task that takes long holds no other one up."""
        async with asyncio.TaskGroup() as keepers:
            for each in self._schedules.values():
                keepers.create_task(self._keep(each))

    async def _keep(self, schedule: Schedule) -> None:
        while True:
            wait = PATIENCE
            try:
                wait = await self.heed(schedule)
            except CONNECTION_LOST as error:
                log.warning("postgres is away; what falls due is caught up with", error=str(error))
            except Exception:
                log.exception("a schedule could not be heeded; it is tried again", schedule=schedule.name)
            await asyncio.sleep(wait)

    async def heed(self, schedule: Schedule) -> float:
        """Do what is due by now, unless another worker does; the seconds until something is due again."""
        async with self._database.ledger.acquire() as connection:
            now = await self._clock(connection)
            await declare(connection, schedule.name, self._queue, schedule.timing, schedule.next_after(now))
            due_at = await next_due(connection, schedule.name)
        if due_at is not None and due_at <= now:
            await (self._run_task(schedule) if schedule.task is not None else self._submit_jobs(schedule))
            return SHORTEST_WAIT
        return max(SHORTEST_WAIT, min(LONGEST_WAIT, (due_at - now).total_seconds())) if due_at else SHORTEST_WAIT

    async def _submit_jobs(self, schedule: Schedule) -> None:
        """The jobs and the note of their moment commit together, so that no moment is heeded twice or never."""
        accepted: list[Accepted] = []
        async with self._database.ledger.acquire() as connection, connection.transaction():
            now = await self._clock(connection)
            due_at = await hold_due(connection, schedule.name, now)
            if due_at is None:
                return
            moment = schedule.latest(due_at, now)
            tenants = await self._tenants(connection)
            for start in range(0, len(tenants), AT_ONCE):
                wishes = [self._wish(schedule, tenant, moment) for tenant in tenants[start : start + AT_ONCE]]
                new = [accept(self._registry, wish, public_only=False) for wish in wishes]
                answers = await submit(connection, new)
                accepted += [answer for answer in answers if isinstance(answer, Accepted)]
            await end_run(connection, schedule.name, now, schedule.next_after(now))
        log.info("a schedule was due", schedule=schedule.name, moment=moment.isoformat(), jobs=len(accepted))
        await self._submitter.dispatch(accepted)

    def _wish(self, schedule: Schedule, tenant_id: str, moment: datetime) -> Wish:
        assert schedule.kind is not None
        request_id = f"{schedule.name}@{moment.isoformat()}"
        return Wish(tenant_id, schedule.kind, schedule.input, queue=self._queue, request_id=request_id)

    async def _run_task(self, schedule: Schedule) -> None:
        async with self._database.ledger.acquire() as connection:
            now = await self._clock(connection)
            until = now + timedelta(seconds=schedule.timeout)
            if not await begin_run(connection, schedule.name, self._me, now, until):
                return
        error = None
        try:
            async with asyncio.timeout(schedule.timeout):
                await self._tasks[schedule.name](self._upkeep)
        except Exception as trouble:  # the next moment tries again
            log.exception("a scheduled task failed", schedule=schedule.name)
            error = f"{type(trouble).__name__}: {trouble}"[:200]
        async with self._database.ledger.acquire() as connection:
            now = await self._clock(connection)
            following = schedule.next_after(now)
            await end_run(connection, schedule.name, now, following, runner=self._me, error=error)
