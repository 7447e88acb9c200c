"""How the deployment stands by the ledger, as gauges: read at most every few seconds, however many scrape."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.engine.auditor import INVARIANTS
from app.engine.ledger.findings import count_findings, seconds_since_audit
from app.engine.ledger.outbox_age import OutboxAge, outbox_age
from app.engine.ledger.queues import queue_overview
from app.kit.db import CONNECTION_LOST, Database
from app.kit.remember import Remembered

REMEMBERED = 5.0  # seconds
PATIENCE = 5.0
STATES = ("ready", "scheduled", "blocked", "processing")

Readiness = Callable[[], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Reading:
    """The ledger at one moment."""

    queues: Sequence[Mapping[str, Any]]
    outbox: OutboxAge
    violations: Mapping[str, int]
    audit_age: float | None


class Figures(Collector):
    """Gauges for whoever scrapes the API. `refresh` asks the servers; `collect` only tells."""

    def __init__(self, database: Database, queues: Sequence[str], readiness: Readiness) -> None:
        self._database = database
        self._queues = queues
        self._readiness = readiness  # its `checks` say which servers answer: "ok", or what is wrong
        self._known: Remembered[str, Reading] = Remembered()
        self._reading: Reading | None = None
        self._up: Mapping[str, str] = {}

    async def refresh(self) -> None:
        """Where Postgres does not answer, its figures are absent: an old figure would look like a good one."""
        try:
            async with asyncio.timeout(PATIENCE):
                self._reading = await self._known.get("ledger", self._read)
        except CONNECTION_LOST:
            self._reading = None
        self._up = (await self._readiness())["checks"]

    async def _read(self) -> tuple[Reading, float]:
        async with self._database.ledger.acquire() as connection:
            reading = Reading(
                await queue_overview(connection, self._queues),
                await outbox_age(connection),
                await count_findings(connection),
                await seconds_since_audit(connection),
            )
        return reading, REMEMBERED

    def collect(self) -> Iterator[Metric]:
        up = _gauge("homeroom_server_up", "Whether the server answers this process.", "server")
        for server, state in self._up.items():
            up.add_metric([server], float(state == "ok"))
        yield up
        if self._reading is not None:
            yield from _of_queues(self._reading.queues)
            yield from _of_upkeep(self._reading)


def _of_queues(queues: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("homeroom_queue_jobs", "Live jobs by state.", labels=["queue", "state"])
    oldest = _gauge("homeroom_queue_oldest_ready_seconds", "How long the oldest job that could run waits.")
    workers = _gauge("homeroom_queue_workers", "Workers whose lease holds.")
    slots = _gauge("homeroom_queue_slots", "Jobs that these workers run at a time.")
    paused = _gauge("homeroom_queue_paused", "1 where operators have paused or drained the queue.")
    demand = _gauge("homeroom_queue_demand", "Jobs that workers run or could: to scale on.")
    lag = _gauge("homeroom_queue_lag_seconds", "How long ready work waits for a slot: to scale on.")
    for row in queues:
        for state in STATES:
            jobs.add_metric([row["queue"], state], row[state])
        oldest.add_metric([row["queue"]], row["oldest_ready_seconds"] or 0.0)
        workers.add_metric([row["queue"]], row["workers"])
        slots.add_metric([row["queue"]], row["slots"])
        paused.add_metric([row["queue"]], float(row["paused"]))
        # What is paused has no use for workers, however much of it there is.
        demand.add_metric([row["queue"]], row["processing"] + (0 if row["paused"] else row["ready"]))
        lag.add_metric([row["queue"]], 0.0 if row["paused"] else row["oldest_ready_seconds"] or 0.0)
    yield from (jobs, oldest, workers, slots, paused, demand, lag)


def _of_upkeep(reading: Reading) -> Iterator[Metric]:
    pending = GaugeMetricFamily("homeroom_outbox_pending", "Effects that are not delivered yet.")
    pending.add_metric([], reading.outbox.pending)
    age = GaugeMetricFamily("homeroom_outbox_oldest_seconds", "The age of the oldest of them.")
    age.add_metric([], reading.outbox.oldest_seconds)
    violations = _gauge("homeroom_audit_violations", "Violations that the auditor knows of.", "invariant")
    for invariant in INVARIANTS:
        violations.add_metric([invariant], reading.violations.get(invariant, 0))
    yield from (pending, age, violations)
    if reading.audit_age is not None:
        since = GaugeMetricFamily("homeroom_audit_age_seconds", "Time since the auditor's last round.")
        since.add_metric([], reading.audit_age)
        yield since


def _gauge(name: str, says: str, label: str = "queue") -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, labels=[label])
