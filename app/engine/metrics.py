"""What a worker counts. Where OpenTelemetry has a name for it (messaging), that is the name, in Prometheus' form."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from prometheus_client import Counter, Gauge
from redis.exceptions import RedisError

from app.engine.ledger.begin import Delivery
from app.engine.ledger.finish import Ending
from app.kit.metrics import Distribution, Meter, Tally

SYSTEM: Final = "homeroom"
DESTINATION: Final = "messaging_destination_name"
UNKNOWN: Final = "unknown"  # a kind of another release: a label must not take whatever a row says


class WorkerMetrics:
    """The counters of one worker process, fed by the batch: a round of many jobs costs little more than one."""

    def __init__(self, meter: Meter, queue: str, kinds: Iterable[str]) -> None:
        self._queue = queue
        self._kinds = frozenset(kinds)
        self._runs: dict[tuple[str, str], Tally] = {}
        registry = self._registry = meter.registry

        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(name, says, ["queue", *labels], registry=registry)

        self._consumed = Counter(
            "messaging_client_consumed_messages",
            "Hints and plain ARQ jobs that this worker claimed.",
            ["messaging_system", DESTINATION],
            registry=registry,
        ).labels(SYSTEM, queue)
        self._duration = Distribution(
            "messaging_process_duration_seconds",
            "How long job functions ran, by how they ended.",
            ["messaging_system", DESTINATION, "kind", "end"],
            registry=registry,
        )
        self._pickup = Distribution(
            "homeroom_pickup_seconds",
            "From a job's creation, or the moment that it was to wait for, to its first begin.",
            ["queue"],
            registry=registry,
        ).of(queue)
        self._begun = counter("homeroom_jobs_begun", "Deliveries begun.", "kind")
        self._ended = counter("homeroom_jobs_ended", "Deliveries ended and written, by how they ended.", "kind", "end")
        self._refused = counter("homeroom_jobs_refused", "Ends that came too late and were refused: zombies.").labels(
            queue
        )
        self._rescued = counter("homeroom_jobs_rescued", "Deliveries taken from workers that were lost.").labels(queue)
        self._swept = counter("homeroom_hints_swept", "Hints that the reconciler had to give to Redis.").labels(queue)
        self._rebuilt = counter("homeroom_redis_rebuilds", "Times that Redis had forgotten this queue.").labels(queue)
        self._outages = counter(
            "homeroom_outages",
            "Rounds that failed since a server was away.",
            "server",
        )

    def watch(
        self, *, load: Callable[[], float], slots: int, permits: Callable[[], float], lease_lag: Callable[[], float]
    ) -> None:
        """What is asked for when somebody reads."""
        for name, says, value in (
            ("homeroom_worker_load", "Jobs that this worker runs.", load),
            ("homeroom_worker_slots", "Jobs that it could run at a time.", lambda: float(slots)),
            ("homeroom_permits_held", "Permits that this worker holds.", permits),
            ("homeroom_lease_lag_seconds", "How late the worker's lease is being renewed.", lease_lag),
        ):
            gauge = Gauge(name, says, ["queue"], registry=self._registry)
            gauge.labels(self._queue).set_function(value)

    def claimed(self, count: int) -> None:
        self._consumed.inc(count)

    def begun(self, deliveries: Sequence[Delivery]) -> None:
        for kind, count in Count([each.kind for each in deliveries]).items():
            self._begun.labels(self._queue, self._kind(kind)).inc(count)
        self._pickup.add([each.waited for each in deliveries if each.attempt == 1])

    def ran(self, kind: str, end: str, seconds: float) -> None:
        """One function's run; of what is counted, only this is counted job by job."""
        tally = self._runs.get((kind, end))
        if tally is None:
            known = self._kind(kind)
            tally = self._duration.of(SYSTEM, self._queue, known, end)
            if known != UNKNOWN:
                self._runs[kind, end] = tally
        tally.add((seconds,))

    def ended(self, endings: Iterable[Ending], *, refused: int) -> None:
        for (kind, end), count in Count([(each.delivery.kind, each.end) for each in endings]).items():
            self._ended.labels(self._queue, self._kind(kind), end.value).inc(count)
        if refused:
            self._refused.inc(refused)

    def rescued(self, count: int) -> None:
        self._rescued.inc(count)

    def swept(self, count: int) -> None:
        self._swept.inc(count)

    def rebuilt(self) -> None:
        self._rebuilt.inc()

    def outage(self, error: Exception) -> None:
        server = "redis" if isinstance(error, RedisError) else "postgres"
        self._outages.labels(self._queue, server).inc()

    def _kind(self, kind: str) -> str:
        return kind if kind in self._kinds else UNKNOWN
