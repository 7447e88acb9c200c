"""Lanes under any sequence of events: the real Postgres and Redis, step by step beside the twin in memory.

`HOMEROOM_EXAMPLES` says how many histories: 50 in `make test`, always the same ones; more in `make nightly`, other ones
each time. Nothing here waits: moments come nearer by a rule of their own.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import defaultdict
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.core.preflight import open_database
from app.engine.dispatch import LEASES_KEY, Dispatcher
from app.engine.events import EventLog
from app.engine.finishing import Finisher
from app.engine.hints import Held, note
from app.engine.lanes import DEADLINE_GRACE, LedgerLanes
from app.engine.ledger.begin import Begun, Delivery, Verdict, begin
from app.engine.ledger.dispatching import undispatched
from app.engine.ledger.finish import End, Ending
from app.engine.ledger.heartbeat import deregister
from app.engine.ledger.newjob import Accepted, LaneFull
from app.engine.ledger.rows import TERMINAL, Due, Hint
from app.engine.memory import MemoryLanes
from app.engine.reconcile import Reconciler
from app.engine.submit import Submitter
from app.kit.db import Database
from app.kit.redis import Client, connect, disconnect
from tests.support.deployment import Deployment
from tests.support.jobs import new_job
from tests.support.stage import unread_metrics

USUAL = 50
EXAMPLES = int(os.environ.get("HOMEROOM_EXAMPLES", USUAL))
OPTIONS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=50,
    derandomize=EXAMPLES == USUAL,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
HOUR = 3600.0
WORKERS = 2
MANY = 10  # jobs in one history
TENANT = "demo"

T = TypeVar("T")
_numbers = itertools.count(1)
ENDS = [
    (End.DONE, 0.0),
    (End.FAILED, 0.0),
    (End.FAILED, 0.0),
    (End.RETRY, 0.0),
    (End.RETRY, HOUR),
    (End.RELEASED, 0.0),
    (End.RELEASED, HOUR),
    (End.CANCELLED, 0.0),
]


@dataclass
class Servers:
    """What all histories share; their queues are their own."""

    loop: asyncio.AbstractEventLoop
    database: Database
    redis: Client
    events: EventLog


@pytest.fixture(scope="module")
def servers(deployment: Deployment) -> Iterator[Servers]:
    loop = asyncio.new_event_loop()  # Hypothesis calls synchronously, so the histories have a loop of their own
    given = deployment.settings()
    database = loop.run_until_complete(open_database(given, "homeroom histories"))
    redis, shared = connect(given.queues["base"].redis_url), connect(given.shared_redis_url)
    yield Servers(loop, database, redis, EventLog(shared))
    for each in (disconnect(redis), disconnect(shared), database.close()):
        loop.run_until_complete(each)
    loop.close()


class Histories(RuleBasedStateMachine):
    """Two workers of one queue, three lanes of which one is none, and everything that can happen to them."""

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
        await self.servers.redis.flushall()
        database, events = self.servers.database, self.servers.events
        metrics = unread_metrics(self.queue)
        self.submitter = Submitter(database, lambda _: self.servers.redis, events)
        self.finisher = Finisher(self.queue, database, self.dispatcher, events, metrics=metrics)
        self.reconciler = Reconciler(
            self.queue, database, self.dispatcher, events, metrics=metrics, worker_id=lambda: UUID(int=0), lease=HOUR
        )
        self.workers = [await self._new_worker() for _ in range(WORKERS)]

    async def _new_worker(self) -> UUID:
        worker_id = await self.real.join(1000 * HOUR)
        self.model._workers[worker_id] = datetime.now(UTC) + timedelta(days=1000)
        return worker_id

    @initialize(lanes=st.lists(st.sampled_from(["a", "a", "b", None]), min_size=3, max_size=5))
    def begin_with(self, lanes: list[str | None]) -> None:
        for number, lane in enumerate(lanes):
            fingerprint = str(number).encode()
            self.do(self._submit({"queue": self.queue, "lane_id": lane, "fingerprint": fingerprint}))

    @precondition(lambda self: len(self.jobs) < MANY)
    @rule(
        lane=st.sampled_from(["a", "b", None]),
        capacity=st.sampled_from([None, None, 2]),
        meaning=st.sampled_from([b"x", b"y"]),
        window=st.sampled_from([0, 3_600_000]),
    )
    def submit(self, lane: str | None, capacity: int | None, meaning: bytes, window: int) -> None:
        wanted = {"queue": self.queue, "lane_id": lane, "lane_capacity": capacity, "debounce_ms": window}
        self.do(self._submit(wanted | {"fingerprint": meaning}))

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
        assert (answer.job.job_id, answer.fresh, answer.debounced, answer.dispatchable, answer.job.lane_seq) == (
            expected.job.job_id,
            expected.fresh,
            expected.debounced,
            expected.dispatchable,
            expected.job.lane_seq,
        )
        if answer.fresh:
            self.jobs.append(answer.job.job_id)

    @precondition(lambda self: self.waits())
    @rule(worker=st.integers(0, WORKERS - 1), want=st.integers(1, 3))
    def claim(self, worker: int, want: int) -> None:
        self.claimed += self.do(self._claim(worker, want))

    def waits(self) -> bool:
        """Somebody does: only then a worker need look."""
        return any(self.model._jobs[job_id].row.status == "queued" for job_id in self.jobs)

    @precondition(lambda self: self.waits())
    @rule(worker=st.integers(0, WORKERS - 1), ends=st.lists(st.sampled_from(ENDS), min_size=1, max_size=4))
    def work(self, worker: int, ends: list[tuple[End, float]]) -> None:
        """What a worker does as a rule, without a pause in between; what has no end yet runs on."""
        self.do(self._work(worker, ends))

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

    @precondition(lambda self: self.claimed)
    @rule(pick=st.integers(0, 9))
    def begin(self, pick: int) -> None:
        """All that this worker has claimed, in one statement."""
        worker = self.claimed[pick % len(self.claimed)][0]
        hints = [hint for who, hint in self.claimed if who == worker]
        self.claimed = [each for each in self.claimed if each[0] != worker]
        self.do(self._begin(worker, hints))

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

    @precondition(lambda self: self.running)
    @rule(pick=st.integers(0, 9), how=st.sampled_from(ENDS))
    def finish(self, pick: int, how: tuple[End, float]) -> None:
        _, delivery = self.running.pop(pick % len(self.running))
        self.over.append(delivery)
        self.do(self._finish(delivery, *how))

    async def _finish(self, delivery: Delivery, how: End, delay: float) -> None:
        ending = Ending(delivery, how, result="1" if how is End.DONE else None, delay=delay)
        assert await self.model.end(ending) is not None
        refused = self.finisher.refused
        self.finisher.add(ending)
        await self.finisher.drained()
        assert self.finisher.refused == refused

    @precondition(lambda self: self.over)
    @rule(pick=st.integers(0, 9), how=st.sampled_from(ENDS))
    def speak_too_late(self, pick: int, how: tuple[End, float]) -> None:
        """A zombie; or a worker that repeats its end, since it heard no reply."""
        delivery = self.over[pick % len(self.over)]
        if any(delivery.job_id == each.job_id for each in self._unrescued()):
            return  # its worker died, and nobody has found out: its word still counts
        self.do(self._speak_too_late(delivery, *how))

    def _unrescued(self) -> list[Delivery]:
        return [delivery for delivery in self.over if delivery.worker_id in self.dead]

    async def _speak_too_late(self, delivery: Delivery, how: End, delay: float) -> None:
        ending = Ending(delivery, how, result="2" if how is End.DONE else None, delay=delay)
        assert await self.model.end(ending) is None
        self.finisher.add(ending)
        await self.finisher.drained()

    @precondition(lambda self: self.jobs)
    @rule(pick=st.integers(0, MANY))
    def cancel(self, pick: int) -> None:
        self._ask("cancel", self.jobs[pick % len(self.jobs)])

    @precondition(lambda self: self.failed())
    @rule(pick=st.integers(0, MANY))
    def retry(self, pick: int) -> None:
        failed = self.failed()
        self._ask("retry", failed[pick % len(failed)])

    def failed(self) -> list[UUID]:
        return [job_id for job_id in self.jobs if self.model._jobs[job_id].row.status == "failed"]

    def _ask(self, verb: str, job_id: UUID) -> None:
        answer = self.do(getattr(self.real, verb)(TENANT, job_id))
        expected = self.do(getattr(self.model, verb)(TENANT, job_id))
        assert (answer and (answer.status, answer.lane_seq)) == (expected and (expected.status, expected.lane_seq))

    @rule(trouble=st.sampled_from(["crash", "crash", "flushall", "leases end", "two hours pass", "two hours pass"]))
    def trouble(self, trouble: str) -> None:
        match trouble:
            case "crash":
                self.do(self._crash(len(self.running) % WORKERS))
            case "flushall":
                self.do(self.servers.redis.flushall())
            case "leases end":
                self.do(self._make_due(LEASES_KEY))
            case _:
                self.do(self._two_hours_pass())

    async def _crash(self, worker: int) -> None:
        dead = self.workers[worker]
        async with self.servers.database.ledger.acquire() as connection:
            await deregister(connection, dead)
        self.dead.append(dead)
        self.over += [delivery for who, delivery in self.running if who == worker]
        self.running = [each for each in self.running if each[0] != worker]
        self.claimed = [each for each in self.claimed if each[0] != worker]
        self.workers[worker] = await self._new_worker()

    @precondition(lambda self: self.dead or self.waits())
    @rule()
    def reconcile(self) -> None:
        self.do(self._reconcile())

    async def _reconcile(self) -> None:
        await self.reconciler.reconcile()
        for dead in self.dead:
            await self.model.lose(dead)
        self.dead.clear()

    @precondition(lambda self: self.jobs)
    @rule(pick=st.integers(0, MANY), ahead=st.integers(0, 2))
    def hint_twice(self, pick: int, ahead: int) -> None:
        """Redis may be told anything, also of deliveries that have been or are not yet."""
        job = self.do(self.model.read(TENANT, self.jobs[pick % len(self.jobs)]))
        assert job is not None
        hint = Hint(job.job_id, job.attempt + ahead)
        self.do(self.dispatcher.enqueue([Due(hint, TENANT, False, 0, None)]))

    @precondition(lambda self: self.waits())
    @rule()
    def sweep_and_be_slow_to_note(self) -> None:
        async def sweep() -> list[Held]:
            async with self.servers.database.ledger.acquire() as connection:
                dues = await undispatched(connection, self.queue)
            enqueued = await self.dispatcher.enqueue(dues)
            return [Held(due.hint, self.dispatcher, enqueued.epoch) for due in dues]

        if held := self.do(sweep()):
            self.notes.append(held)

    @precondition(lambda self: self.notes)
    @rule(pick=st.integers(0, 9))
    def note(self, pick: int) -> None:
        self.do(note(self.servers.database, self.notes.pop(pick % len(self.notes))))

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

    @invariant()
    def the_ledger_stands_as_the_model_does(self) -> None:
        """I4, and more: every job, with all its deliveries, after every step."""
        self.do(self._compare())

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

    @invariant()
    def first_starts_follow_the_lane(self) -> None:
        """I3."""
        for starts in self.first_starts.values():
            assert starts == sorted(set(starts))

    def teardown(self) -> None:
        """I1 and I8: whatever happened, everything ends once workers work and servers stay."""
        if not self.broken:
            self.do(self._drive_to_the_end())

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


def test_every_history_keeps_the_invariants_and_ends(servers: Servers) -> None:
    run_state_machine_as_test(partial(Histories, servers), settings=OPTIONS)  # type: ignore[no-untyped-call]
