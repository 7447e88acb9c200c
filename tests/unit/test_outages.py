"""What a worker counts as an outage: each round that a server's absence ended, wherever in the worker it was."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import uuid4

from redis.exceptions import ConnectionError as RedisAway

from app.engine.control import Control
from app.engine.finishing import Finisher
from app.engine.ledger.finish import End, Ending
from app.engine.metrics import WorkerMetrics
from app.engine.reconcile import Reconciler
from app.kit.metrics import Meter
from tests.support.waiting import eventually
from tests.unit.test_execute import delivery


class Away:
    """A server that nothing reaches: whatever is asked of it is refused."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error

    def __getattr__(self, _name: str) -> Any:
        raise self._error("nobody is there")


def counted(meter: Meter) -> dict[str, float]:
    """Outages by server."""
    return {
        sample.labels["server"]: sample.value
        for family in meter.registry.collect()
        for sample in family.samples
        if sample.name == "homeroom_outages_total"
    }


async def outages_of(run: Callable[[WorkerMetrics], Awaitable[object]], server: str) -> None:
    """Runs until the outage is counted."""
    meter = Meter("1")
    task = asyncio.ensure_future(run(WorkerMetrics(meter, "chat", ["t.kind"])))

    async def told() -> bool:
        assert not task.done()
        return counted(meter).get(server, 0) >= 1

    try:
        await eventually(told, what=f"an outage of {server}")
        assert set(counted(meter)) == {server}
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def reconciler(metrics: WorkerMetrics, away: Away) -> Reconciler:
    return Reconciler(
        "chat", cast("Any", away), cast("Any", away), cast("Any", away), metrics=metrics, worker_id=uuid4, lease=10.0
    )


async def test_the_reconciler_counts_either_server() -> None:
    await outages_of(lambda metrics: reconciler(metrics, Away(ConnectionRefusedError)).run(), "postgres")
    await outages_of(lambda metrics: reconciler(metrics, Away(RedisAway)).run(), "redis")


async def test_control_counts_what_it_cannot_ask() -> None:
    def control(metrics: WorkerMetrics) -> Control:
        away = cast("Any", Away(ConnectionRefusedError))
        return Control(
            "chat",
            away,
            away,
            worker_id=uuid4,
            held=tuple,
            running=lambda: False,
            cancel=lambda _: None,
            take_progress=dict,
            permits=None,
            metrics=metrics,
            lease=10.0,
            heartbeat=2.0,
        )

    await outages_of(lambda metrics: control(metrics).run(), "postgres")


async def test_ends_that_cannot_be_written_are_counted_and_kept() -> None:
    async def write(metrics: WorkerMetrics) -> None:
        away = cast("Any", Away(ConnectionRefusedError))
        await Finisher("chat", away, away, away, metrics=metrics)._write([Ending(delivery(), End.DONE)])

    await outages_of(write, "postgres")
