"""docs/METRICS.md names every metric that there is, with its labels, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast
from unittest import mock

from prometheus_client.core import Metric
from starlette.applications import Starlette

from app.api.metrics import RequestMetrics
from app.engine.figures import Figures, Reading
from app.engine.ledger.outbox_age import OutboxAge
from app.engine.metrics import WorkerMetrics
from app.kit.metrics import Meter
from app.llm.metering import ModelMetrics
from tests.support import promtool

GUIDE = (Path(__file__).parents[2] / "docs" / "METRICS.md").read_text()
COUNTS = ("ready", "scheduled", "blocked", "processing", "oldest_ready_seconds", "workers", "slots", "paused")


def documented() -> set[str]:
    rows = [line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)} | {"homeroom_build_info"}


def told(meter: Meter) -> set[str]:
    families: list[Metric] = list(meter.registry.collect())
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in families
        if not family.name.startswith("process_")
    }


def of_the_api() -> Meter:
    meter = Meter("1")
    RequestMetrics(Starlette(), meter)
    figures = Figures(cast("Any", mock.Mock()), ["chat"], cast("Any", mock.Mock()))
    row = {"queue": "chat"} | dict.fromkeys(COUNTS, 1)
    figures._reading = Reading([row], OutboxAge(0, 0.0), {}, 1.0)
    meter.registry.register(figures)
    return meter


def of_a_worker() -> Meter:
    meter = Meter("1")
    worker = WorkerMetrics(meter, "chat", ["kind"])
    worker.watch(load=lambda: 0, slots=1, permits=lambda: 0, lease_lag=lambda: 0)
    worker.ran("kind", "success", 1.0)
    with ModelMetrics(meter).call("chat", "local"):
        pass
    return meter


def test_the_guide_names_every_metric_and_no_other() -> None:
    assert documented() == told(of_the_api()) | told(of_a_worker())


def test_prometheus_has_nothing_to_say_against_them() -> None:
    promtool.require()
    for meter in (of_the_api(), of_a_worker()):
        done = promtool.check_metrics(meter.render().decode())
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert promtool.check_metrics("# TYPE jobs counter\njobs 1\n").returncode != 0
