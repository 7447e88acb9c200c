"""deploy/grafana: one dashboard, from what users feel at its head to the processes at its foot."""

from __future__ import annotations

import json

from app.core.manifests import rows
from app.core.manifests.alerts import SLO_TARGETS
from app.core.manifests.document import Document
from app.core.manifests.panels import AMBER, GREEN, RED, Panel, Query, Row, laid_out
from app.engine.workload import Workload

FILE = "deploy/grafana/homeroom.json"

NONE_IS_GOOD = ((GREEN, None), (RED, 1.0))


def render(workloads: tuple[Workload, ...]) -> dict[str, str]:
    """In the form that Grafana itself writes; its JSON says `Rendered by` in the description."""
    document = {
        "uid": "homeroom",
        "title": "Homeroom",
        "description": "Rendered by `homeroom manifests` from the workloads' specs.",
        "tags": ["homeroom"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_source(), _queues(workloads)]},
        "panels": laid_out([_glance(workloads), *rows.below()]),
    }
    return {FILE: json.dumps(document, indent=2, ensure_ascii=False) + "\n"}


def _source() -> Document:
    return {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _queues(workloads: tuple[Workload, ...]) -> Document:
    return {
        "name": "queue",
        "label": "Queue",
        "type": "custom",
        "query": ",".join(each.name for each in workloads),
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _glance(workloads: tuple[Workload, ...]) -> Row:
    """One tile a queue, red where the page goes out, then what must be nothing."""
    tiles = [
        Panel(
            each.name,
            f"How long the oldest ready job waits. Scaling begins at {each.scaling.target_age_seconds} s.",
            [Query(f'max(homeroom_queue_lag_seconds{{queue="{each.name}"}})', each.name)],
            unit="s",
            kind="stat",
            width=4,
            steps=(
                (GREEN, None),
                (AMBER, each.scaling.target_age_seconds),
                (RED, each.scaling.target_age_seconds * SLO_TARGETS),
            ),
        )
        for each in workloads
    ]
    nothing = [
        _must_be_none(
            "Violations", "What the auditor found: a bug.", "sum(max by (invariant) (homeroom_audit_violations))"
        ),
        _must_be_none(
            "Servers away",
            "Postgres and each Redis, as an API sees them.",
            "count(homeroom_server_up == 0) or vector(0)",
        ),
        Panel(
            "Oldest effect",
            "What is to happen on another queue and has not been handed over yet.",
            [Query("max(homeroom_outbox_oldest_seconds)", "outbox")],
            unit="s",
            kind="stat",
            width=4,
            steps=((GREEN, None), (AMBER, 10.0), (RED, 60.0)),
        ),
    ]
    return Row("At a glance", [*tiles, *nothing])


def _must_be_none(title: str, says: str, expr: str) -> Panel:
    return Panel(title, says, [Query(expr, title)], kind="stat", width=4, steps=NONE_IS_GOOD)
