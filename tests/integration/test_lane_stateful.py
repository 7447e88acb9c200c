"""Lanes under any sequence of events: the real Postgres and Redis, step by step beside the twin in memory.

`HOMEROOM_EXAMPLES` says how many histories: 50 in `make test`, always the same ones; more in `make nightly`, other ones
each time. Nothing here waits: moments come nearer by a rule of their own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from app.core.preflight import open_database
from app.engine.dispatch import LEASES_KEY
from app.engine.events import EventLog
from app.engine.hints import Held, note
from app.engine.ledger.begin import Delivery
from app.engine.ledger.dispatching import undispatched
from app.engine.ledger.finish import End
from app.engine.ledger.rows import Due, Hint
from app.kit.redis import connect, disconnect
from tests.support.deployment import Deployment
from tests.support.histories import HOUR, MANY, TENANT, WORKERS, History, Servers

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


class Histories(History):
    """Two workers of one queue, three lanes of which one is none, and everything that can happen to them."""

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

    @precondition(lambda self: self.waits())
    @rule(worker=st.integers(0, WORKERS - 1), want=st.integers(1, 3))
    def claim(self, worker: int, want: int) -> None:
        self.claimed += self.do(self._claim(worker, want))

    @precondition(lambda self: self.waits())
    @rule(worker=st.integers(0, WORKERS - 1), ends=st.lists(st.sampled_from(ENDS), min_size=1, max_size=4))
    def work(self, worker: int, ends: list[tuple[End, float]]) -> None:
        """What a worker does as a rule, without a pause in between; what has no end yet runs on."""
        self.do(self._work(worker, ends))

    @precondition(lambda self: self.claimed)
    @rule(pick=st.integers(0, 9))
    def begin(self, pick: int) -> None:
        """All that this worker has claimed, in one statement."""
        worker = self.claimed[pick % len(self.claimed)][0]
        hints = [hint for who, hint in self.claimed if who == worker]
        self.claimed = [each for each in self.claimed if each[0] != worker]
        self.do(self._begin(worker, hints))

    @precondition(lambda self: self.running)
    @rule(pick=st.integers(0, 9), how=st.sampled_from(ENDS))
    def finish(self, pick: int, how: tuple[End, float]) -> None:
        _, delivery = self.running.pop(pick % len(self.running))
        self.over.append(delivery)
        self.do(self._finish(delivery, *how))

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

    @precondition(lambda self: self.jobs)
    @rule(pick=st.integers(0, MANY))
    def cancel(self, pick: int) -> None:
        self._ask("cancel", self.jobs[pick % len(self.jobs)])

    @precondition(lambda self: self.failed())
    @rule(pick=st.integers(0, MANY))
    def retry(self, pick: int) -> None:
        failed = self.failed()
        self._ask("retry", failed[pick % len(failed)])

    def _ask(self, verb: str, job_id: UUID) -> None:
        answer, expected = [
            self.do(store.cancel(TENANT, job_id) if verb == "cancel" else store.retry(TENANT, job_id))
            for store in (self.real, self.model)
        ]
        assert (answer and (answer.status, answer.lane_seq)) == (expected and (expected.status, expected.lane_seq))

    @rule(trouble=st.sampled_from(["crash", "crash", "flushall", "leases end", "two hours pass", "two hours pass"]))
    def trouble(self, trouble: str) -> None:
        match trouble:
            case "crash":
                self.do(self._crash(len(self.running) % WORKERS))
            case "flushall":
                self.do(self._flush_all())
            case "leases end":
                self.do(self._make_due(LEASES_KEY))
            case _:
                self.do(self._two_hours_pass())

    @precondition(lambda self: self.dead or self.waits())
    @rule()
    def reconcile(self) -> None:
        self.do(self._reconcile())

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

    @invariant()
    def the_ledger_stands_as_the_model_does(self) -> None:
        """I4, and more: every job, with all its deliveries, after every step."""
        self.do(self._compare())

    @invariant()
    def first_starts_follow_the_lane(self) -> None:
        """I3."""
        for starts in self.first_starts.values():
            assert starts == sorted(set(starts))

    def teardown(self) -> None:
        """I1 and I8: whatever happened, everything ends once workers work and servers stay."""
        if not self.broken:
            self.do(self._drive_to_the_end())


def test_every_history_keeps_the_invariants_and_ends(servers: Servers) -> None:
    class Here(Histories):
        def __init__(self) -> None:
            super().__init__(servers)

    run_state_machine_as_test(Here, settings=OPTIONS)
