"""What a worker counts: by the batch, in Prometheus' form, with labels that a foreign word cannot widen."""

from __future__ import annotations

from uuid import uuid4

from prometheus_client.parser import text_string_to_metric_families

from app.engine.ledger.begin import Delivery
from app.engine.ledger.finish import End, Ending
from app.engine.metrics import WorkerMetrics
from app.kit.metrics import Distribution, Meter, Tally


def delivery(kind: str, *, attempt: int = 1, waited: float = 0.0) -> Delivery:
    given = {"input": None, "failures": 0, "losses": 0, "max_attempts": 3, "timeout": 60.0}
    names = {"lane_id": None, "request_id": None, "session_id": None}
    return Delivery(uuid4(), attempt, uuid4(), "demo", "base", kind, **given, **names, waited=waited)  # type: ignore[arg-type]


def samples(meter: Meter) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels, in the labels' order of names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(meter.render().decode())
        for sample in family.samples
    }


def test_a_batch_is_counted_by_kind_and_end() -> None:
    meter = Meter("1")
    metrics = WorkerMetrics(meter, "base", ["a", "b"])
    batch = [delivery("a", waited=0.002), delivery("a", waited=0.02), delivery("b", waited=7.0)]
    again = delivery("b", attempt=2, waited=600.0)  # how long a retry waited is its backoff
    metrics.claimed(4)
    metrics.begun([*batch, again])
    metrics.ended([*(Ending(each, End.DONE) for each in batch), Ending(delivery("a"), End.RETRY)], refused=2)
    found = samples(meter)
    assert found["messaging_client_consumed_messages_total", ("base", "homeroom")] == 4
    assert found["homeroom_jobs_begun_total", ("a", "base")] == 2
    assert found["homeroom_jobs_ended_total", ("success", "a", "base")] == 2
    assert found["homeroom_jobs_ended_total", ("retry", "a", "base")] == 1
    assert found["homeroom_jobs_refused_total", ("base",)] == 2
    assert found["homeroom_pickup_seconds_count", ("base",)] == 3
    assert found["homeroom_pickup_seconds_bucket", ("0.025", "base")] == 2
    assert found["homeroom_pickup_seconds_bucket", ("+Inf", "base")] == 3


def test_a_kind_of_another_release_becomes_no_label() -> None:
    meter = Meter("1")
    metrics = WorkerMetrics(meter, "base", ["a"])
    for number in range(100):
        metrics.begun([delivery(f"kind-{number}")])
        metrics.ran(f"kind-{number}", "success", 0.1)
    found = samples(meter)
    assert found["homeroom_jobs_begun_total", ("unknown", "base")] == 100
    assert not [labels for _, labels in found if any(label.startswith("kind-") for label in labels)]


def test_an_outage_names_the_server_that_is_away() -> None:
    from redis.exceptions import ConnectionError as RedisConnectionError  # noqa: PLC0415

    meter = Meter("1")
    metrics = WorkerMetrics(meter, "base", [])
    metrics.outage(RedisConnectionError("away"))
    metrics.outage(OSError("away"))
    found = samples(meter)
    assert found["homeroom_outages_total", ("base", "redis")] == 1
    assert found["homeroom_outages_total", ("base", "postgres")] == 1


def test_a_value_on_a_bound_belongs_below_it() -> None:
    tally = Tally([1.0, 2.0])
    tally.add([0.5, 1.0, 1.5, 2.0, 3.0])
    assert (tally.counts, tally.total) == ([2, 2, 1], 8.0)


def test_buckets_add_up_as_prometheus_wants_them() -> None:
    meter = Meter("1")
    Distribution("d", "A distribution.", ["l"], registry=meter.registry, bounds=(1.0, 2.0)).of("x").add([0.5, 1.5, 9.0])
    found = samples(meter)
    assert [found["d_bucket", ("x", end)] for end in ("1.0", "2.0", "+Inf")] == [1, 2, 3]
    assert (found["d_count", ("x",)], found["d_sum", ("x",)]) == (3, 11.0)


def test_what_is_watched_is_asked_for_when_somebody_reads() -> None:
    meter = Meter("1")
    load = [3.0]
    WorkerMetrics(meter, "base", []).watch(load=lambda: load[0], slots=10, permits=lambda: 2, lease_lag=lambda: 0.5)
    assert samples(meter)["homeroom_worker_load", ("base",)] == 3
    load[0] = 4.0
    found = samples(meter)
    assert found["homeroom_worker_load", ("base",)] == 4
    assert found["homeroom_worker_slots", ("base",)] == 10
    assert found["homeroom_permits_held", ("base",)] == 2
    assert found["homeroom_lease_lag_seconds", ("base",)] == 0.5
