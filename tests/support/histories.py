"""A queue under a test's hand, step by step: the real Postgres and Redis, beside the twin of the lanes in memory."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from arq.connections import ArqRedis
from hypothesis.stateful import RuleBasedStateMachine

from app.engine.dispatch import LEASES_KEY, Dispatcher
from app.engine.events import EventLog
from app.engine.finishing import Finisher
from app.engine.hints import Held
from app.engine.lanes import DEADLINE_GRACE, LedgerLanes
from app.engine.ledger.begin import Begun, Delivery, Verdict, begin
from app.engine.ledger.finish import End, Ending
from app.engine.ledger.heartbeat import deregister
from app.engine.ledger.newjob import Accepted, LaneFull
from app.engine.ledger.rows import TERMINAL, Hint
from app.engine.memory import MemoryLanes
from app.engine.reconcile import Reconciler
from app.engine.submit import Submitter
from app.kit.db import Database
from tests.support.jobs import new_job
from tests.support.stage import unread_metrics

HOUR = 3600.0
WORKERS = 2
MANY = 10  # jobs in one history
TENANT = "demo"

T = TypeVar("T")
_numbers = itertools.count(1)


@dataclass
class Servers:
    """What all histories share; their queues are their own."""

    loop: asyncio.AbstractEventLoop
    database: Database
    redis: ArqRedis
    events: EventLog


class History(RuleBasedStateMachine):
    """What can be done, and what the model says of it at once; the rules say what is done when."""

    servers: Servers

    def __init__(self, servers: Servers) -> None:
        super().__init__()
        self.servers = servers
        self.queue = f"history-{next(_numbers)}"
        self.passed = timedelta()
        self.model = MemoryLanes(environment="test", clock=lambda: datetime.now(UTC) + self.passed)
        self.real = LedgerLanes(servers.database, self.queue)
        self.dispatcher = Dispatcher(servers.redis)
        self.jobs: list[UUID] = []
        self.claimed: list[tuple[int, Hint]] = []  # by which of the workers
        self.running: list[tuple[int, Delivery]] = []
        self.over: list[Delivery] = []  # ended, or its worker was lost: whatever these still say comes too late
        self.notes: list[list[Held]] = []  # hints that Redis took, of which nothing is noted yet
        self.dead: list[UUID] = []  # not yet found out
        self.first_starts: dict[str, list[int]] = defaultdict(list)
        self.broken = False
        self.do(self._open())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self.servers.loop.run_until_complete(work)
        except BaseException:
            self.broken = True
            raise

    async def _open(self) -> None:
        await self._flush_all()
        database, events = self.servers.database, self.servers.events
        metrics = unread_metrics(self.queue)
        self.submitter = Submitter(database, lambda _: self.servers.redis)
        self.finisher = Finisher(self.queue, database, self.dispatcher, events, metrics=metrics)
        self.reconciler = Reconciler(
            self.queue, database, self.dispatcher, events, metrics=metrics, worker_id=lambda: UUID(int=0), lease=HOUR
        )
        self.workers = [await self._new_worker() for _ in range(WORKERS)]

    async def _new_worker(self) -> UUID:
        worker_id = await self.real.join(1000 * HOUR)
        self.model._workers[worker_id] = datetime.now(UTC) + timedelta(days=1000)
        return worker_id

    async def _submit(self, wanted: dict[str, Any]) -> None:
        request = new_job(**wanted)
        [expected] = await self.model.enter([request])
        try:
            answer: Accepted | LaneFull = await self.submitter.submit(request)
        except LaneFull as refusal:
            answer = refusal
        await self.submitter.drain()
        if isinstance(answer, LaneFull):
            assert isinstance(expected, LaneFull)
            assert answer.extra == expected.extra
            return
        assert isinstance(expected, Accepted)
        assert (answer.job.job_id, answer.fresh, answer.debounced, answer.place, answer.job.lane_seq) == (
            expected.job.job_id,
            expected.fresh,
            expected.debounced,
            expected.place,
            expected.job.lane_seq,
        )
        if answer.fresh:
            self.jobs.append(answer.job.job_id)

    def waits(self) -> bool:
        """Somebody does: only then a worker need look."""
        return any(self.model._jobs[job_id].row.status == "queued" for job_id in self.jobs)

    async def _work(self, worker: int, ends: list[tuple[End, float]]) -> None:
        for end in [None, *ends]:
            for who, hint in await self._claim(worker, 2):
                await self._begin(who, [hint])
            mine = [each for each in self.running if each[0] == worker]
            if end is not None and mine:
                self.running.remove(mine[0])
                self.over.append(mine[0][1])
                await self._finish(mine[0][1], *end)

    async def _claim(self, worker: int, want: int) -> list[tuple[int, Hint]]:
        claimed = await self.dispatcher.claim(want, HOUR, over=self.finisher.take_over())
        return [(worker, hint) for hint in claimed.hints]

    async def _begin(self, worker: int, hints: Sequence[Hint], *, alone: bool = False) -> None:
        async with self.servers.database.begins.use() as connection:
            answers = await begin(
                connection,
                hints,
                [uuid4() for _ in hints],
                queue=self.queue,
                worker_id=self.workers[worker],
                deadline_grace=DEADLINE_GRACE,
                alone=alone,
            )
        assert [answer.hint for answer in answers] == list(hints)
        for answer in sorted(answers, key=lambda answer: answer.delivery is None):  # those that run first
            token = answer.delivery.token if answer.delivery is not None else None
            expected = await self.model.begin(answer.hint, self.workers[worker], token=token, alone=alone)
            assert answer.verdict is expected.verdict, (answer, expected)
            await self._heed(worker, answer)

    async def _heed(self, worker: int, answer: Begun) -> None:
        delivery = answer.delivery
        if delivery is not None:
            self.running.append((worker, delivery))
            if delivery.lane_id is not None and delivery.attempt == 1:
                job = await self.model.read(TENANT, delivery.job_id)
                assert job is not None
                self.first_starts[delivery.lane_id].append(job.lane_seq or 0)
        elif answer.verdict is Verdict.DROP:
            self.finisher.release([answer.hint])
        elif answer.verdict is Verdict.ALONE:
            await self._begin(worker, [answer.hint], alone=True)
        else:
            assert answer.due is not None
            await self.dispatcher.put_back([(answer.due, HOUR)])

    async def _finish(self, delivery: Delivery, how: End, delay: float) -> None:
        ending = Ending(delivery, how, result="1" if how is End.DONE else None, delay=delay)
        assert await self.model.end(ending) is not None
        refused = self.finisher.refused
        self.finisher.add(ending)
        await self.finisher.drained()
        assert self.finisher.refused == refused

    async def _speak_too_late(self, delivery: Delivery, how: End, delay: float) -> None:
        ending = Ending(delivery, how, result="2" if how is End.DONE else None, delay=delay)
        assert await self.model.end(ending) is None
        self.finisher.add(ending)
        await self.finisher.drained()

    def failed(self) -> list[UUID]:
        return [job_id for job_id in self.jobs if self.model._jobs[job_id].row.status == "failed"]

    async def _crash(self, worker: int) -> None:
        dead = self.workers[worker]
        async with self.servers.database.ledger.acquire() as connection:
            await deregister(connection, dead)
        self.dead.append(dead)
        self.over += [delivery for who, delivery in self.running if who == worker]
        self.running = [each for each in self.running if each[0] != worker]
        self.claimed = [each for each in self.claimed if each[0] != worker]
        self.workers[worker] = await self._new_worker()

    async def _flush_all(self) -> None:
        await self.servers.redis.flushall()

    async def _reconcile(self) -> None:
        await self.reconciler.reconcile()
        for dead in self.dead:
            await self.model.lose(dead)
        self.dead.clear()

    async def _two_hours_pass(self) -> None:
        self.passed += timedelta(hours=2)
        await self._make_due("homeroom:deferred")
        async with self.servers.database.ledger.acquire() as connection:
            for statement in (
                "update lanes set last_at = last_at - interval '2 hours' where queue = $1",
                "update jobs set run_at = run_at - interval '2 hours' where queue = $1",
            ):
                await connection.execute(statement, self.queue)

    async def _make_due(self, key: str) -> None:
        if members := await self.servers.redis.zrange(key, 0, -1):
            await self.servers.redis.zadd(key, dict.fromkeys(members, 1), xx=True)

    async def _compare(self) -> None:
        async with self.servers.database.ledger.acquire() as connection:
            rows = {row["job_id"]: row for row in await connection.fetch(_ROWS, self.queue)}
        assert rows.keys() == set(self.jobs)
        holders: list[str] = []
        for job_id, row in rows.items():
            job = self.model._jobs[job_id]
            stands = (row["status"], row["attempt"], row["failures"], row["losses"], row["lane_seq"], row["error"])
            model = job.row
            assert stands == (model.status, model.attempt, job.failures, job.losses, model.lane_seq, model.error)
            assert list(row["ends"] or ()) == job.ends
            assert job.ends.count("success") == (row["status"] == "done")  # I5
            if row["status"] == "processing" and row["lane_id"] is not None:
                holders.append(row["lane_id"])
        assert len(holders) == len(set(holders))  # I2

    async def _drive_to_the_end(self) -> None:
        for _ in range(10 * MANY):
            for worker, delivery in [*self.running]:
                self.running.remove((worker, delivery))
                await self._finish(delivery, End.DONE, 0.0)
            for worker, hint in [*self.claimed]:
                await self._begin(worker, [hint])
            self.claimed.clear()
            await self._two_hours_pass()
            await self._make_due(LEASES_KEY)
            await self._reconcile()
            self.claimed = await self._claim(0, 5)
            statuses = {self.model._jobs[job_id].row.status for job_id in self.jobs}
            if not self.claimed and not self.running and statuses <= TERMINAL:
                break
        await self._compare()
        assert all(self.model._jobs[job_id].row.status in TERMINAL for job_id in self.jobs)
        assert await self.dispatcher.depth() == (0, 0)
        await self.servers.events.drain()


_ROWS = """
select j.*, (select array_agg(a.status order by a.attempt) from job_attempts a where a.job_id = j.job_id) as ends
from jobs j where j.queue = $1
"""
