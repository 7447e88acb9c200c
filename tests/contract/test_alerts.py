"""The alert rules and the dashboard: Prometheus reads them, each alert fires when it should and not otherwise, and what
they ask for is what the processes tell."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.core.manifests import alerts, dashboard
from app.workloads import WORKLOADS
from tests.contract.test_deploy_files import ROOT
from tests.contract.test_metrics_guide import GUIDE, documented
from tests.support import promtool

RULES = ROOT / alerts.FILE
DASHBOARD = json.loads((ROOT / dashboard.FILE).read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]

Series = dict[str, str]  # a series and its values, a minute apart

UP, DOWN = "1+0x80", "0+0x80"
COUNTED = "0+60x80"  # one a second
LAG = 'homeroom_queue_lag_seconds{queue="chat"}'
PAUSED = 'homeroom_queue_paused{queue="chat"}'
SWEPT = {'homeroom_hints_swept_total{queue="chat"}': COUNTED}
REQUESTS = 'http_server_request_duration_seconds_count{http_response_status_code="%s",instance="a"}'
CALLS = 'gen_ai_client_operation_duration_seconds_count{gen_ai_provider_name="openai",error_type="%s"}'
ENDED = 'homeroom_jobs_ended_total{queue="chat",kind="chat.reply",end="%s"}'

# What makes each alert fire, and what is like it and keeps it quiet.
CASES: dict[str, tuple[Series, Series]] = {
    "OutboxAge": ({"homeroom_outbox_oldest_seconds": "70+60x80"}, {"homeroom_outbox_oldest_seconds": "0 70 0 0x80"}),
    "RepairsOutsideIncidents": (
        SWEPT | {'homeroom_server_up{server="redis:chat"}': UP},
        SWEPT | {'homeroom_redis_rebuilds_total{queue="chat"}': COUNTED},
    ),
    "AuditorHits": (
        {'homeroom_audit_violations{invariant="I5"}': UP},
        {'homeroom_audit_violations{invariant="I5"}': DOWN},
    ),
    "FiguresMissing": ({"up": UP}, {LAG: DOWN}),
    "PostgresAway": (
        {'homeroom_server_up{server="postgres"}': DOWN},
        {'homeroom_server_up{server="redis:chat"}': DOWN},
    ),
    "RedisAway": ({'homeroom_server_up{server="redis:chat"}': DOWN}, {'homeroom_server_up{server="postgres"}': DOWN}),
    "WorkerMissing": (
        {'homeroom_queue_workers{queue="chat"}': DOWN, PAUSED: DOWN},
        {'homeroom_queue_workers{queue="chat"}': DOWN, PAUSED: UP},
    ),
    "WorkersLost": (
        {'homeroom_jobs_rescued_total{queue="chat"}': "0+1x80"},
        {'homeroom_jobs_rescued_total{queue="chat"}': "0+0x10 3+0x40"},
    ),
    "LeaseLag": (
        {'homeroom_lease_lag_seconds{queue="chat"}': "6+0x80"},
        {'homeroom_lease_lag_seconds{queue="chat"}': "2+0x80"},
    ),
    "AuditorStale": ({"homeroom_audit_age_seconds": "0+60x80"}, {"homeroom_audit_age_seconds": "300+0x80"}),
    "QueuePaused": ({PAUSED: UP}, {PAUSED: "0+0x40 1+0x40"}),
    "FailedJobs": (
        {ENDED % "failure": COUNTED, ENDED % "success": COUNTED},
        {ENDED % "failure": "0+1x80", ENDED % "success": COUNTED},
    ),
    "ZombiesRejected": (
        {'homeroom_jobs_refused_total{queue="chat"}': "0+1x80"},
        {'homeroom_jobs_refused_total{queue="chat"}': "0+0x10 2+0x40"},
    ),
    "ProviderErrors": (
        {CALLS % "busy": COUNTED, CALLS % "": COUNTED},
        {CALLS % "busy": "0+1x80", CALLS % "": COUNTED},
    ),
    "ApiErrors": (
        {REQUESTS % "500": COUNTED, REQUESTS % "202": COUNTED},
        {REQUESTS % "409": COUNTED, REQUESTS % "202": COUNTED},
    ),
}
EXPLAINED: dict[str, Series] = {  # other reasons why hints had to be mended
    "a lost worker": {'homeroom_jobs_rescued_total{queue="chat"}': COUNTED},
    "an outage": {'homeroom_outages_total{queue="chat",server="redis"}': COUNTED},
    "a server that was away": {'homeroom_server_up{server="redis:shared"}': "1+0x20 0 1+0x20"},
    "fewer than a handful": {'homeroom_hints_swept_total{queue="chat"}': "0+0x24 3+0x20"},
}
AT = "30m"
LATER = {"QueuePaused": "70m"}


def verdicts() -> list[tuple[str, Series, bool]]:
    found = [
        (name, series, fires) for name, pair in CASES.items() for series, fires in zip(pair, (True, False), strict=True)
    ]
    found += [("RepairsOutsideIncidents", SWEPT | series, False) for series in EXPLAINED.values()]
    for each in WORKLOADS:
        lag, target = f'homeroom_queue_lag_seconds{{queue="{each.name}"}}', each.scaling.target_age_seconds
        workers = f'homeroom_queue_workers{{queue="{each.name}"}}'
        found += [
            ("OldestReadyOverSlo", {lag: f"{target * alerts.SLO_TARGETS + 1}+0x80"}, True),
            ("OldestReadyOverSlo", {lag: f"{target * alerts.SLO_TARGETS}+0x80"}, False),
            ("FleetAtItsMaximum", {lag: f"{target + 1}+0x80", workers: f"{each.scaling.max_replicas}+0x80"}, True),
            (
                "FleetAtItsMaximum",
                {lag: f"{target + 1}+0x80", workers: f"{each.scaling.max_replicas - 1}+0x80"},
                False,
            ),
        ]
    return found


def as_test(name: str, series: Series, *, fires: bool) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="Homeroom{name}", alertstate="firing"}})',
                "eval_time": LATER.get(name, AT),
                "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
            }
        ],
    }


def test_prometheus_reads_the_rules() -> None:
    promtool.require()
    done = promtool.check_rules(RULES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_when_it_should_and_not_otherwise(tmp_path: Path) -> None:
    promtool.require()
    names = {each.name for each in alerts.every(WORKLOADS)}
    for fires in (True, False):
        assert {name for name, _, wanted in verdicts() if wanted is fires} == names
    tests = [as_test(name, series, fires=fires) for name, series, fires in verdicts()]
    document = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}
    done = promtool.test_rules(tmp_path / "test.yaml", document)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tool_sees_a_rule_that_is_wrong(tmp_path: Path) -> None:
    """Every verdict turned round is refused: none of them holds by itself."""
    promtool.require()
    for index, (name, series, fires) in enumerate(verdicts()[:4]):
        document = {"rule_files": [str(RULES)], "tests": [as_test(name, series, fires=not fires)]}
        assert promtool.test_rules(tmp_path / f"{index}.yaml", document).returncode != 0, name


def test_what_pages_is_what_the_house_says_pages() -> None:
    pages = {each.name for each in alerts.every(WORKLOADS) if each.severity == "page"}
    assert pages == {"OldestReadyOverSlo", "OutboxAge", "RepairsOutsideIncidents", "AuditorHits", "FiguresMissing"}


@pytest.mark.parametrize("name", sorted({each.name for each in alerts.every(WORKLOADS)}))
def test_each_alert_has_its_runbook(name: str) -> None:
    (runbook,) = {each.runbook for each in alerts.every(WORKLOADS) if each.name == name}
    assert (ROOT / runbook).is_file(), runbook
    assert Path(runbook).name in (ROOT / alerts.RUNBOOKS / "README.md").read_text()


def test_prometheus_reads_every_panel(tmp_path: Path) -> None:
    promtool.require()
    ready = [each.replace("$__rate_interval", "5m").replace("$queue", "chat|exam") for each in QUERIES]
    assert not any("$" in each for each in ready)
    rules = [{"record": f"panel:{index}", "expr": expr} for index, expr in enumerate(ready)]
    path = tmp_path / "panels.yaml"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = promtool.check_rules(path)
    assert done.returncode == 0, done.stdout + done.stderr


WORDS = {
    "sum",
    "max",
    "min",
    "count",
    "rate",
    "increase",
    "histogram_quantile",
    "absent",
    "vector",
    "min_over_time",
} | {*("by", "on", "unless", "and", "or", "group_left")}


def asked_for(expr: str) -> tuple[set[str], set[str]]:
    """The metrics and the labels that an expression names."""
    labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expr))
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\"[^\"]*\"", " ", expr)
    for group in re.findall(r"\b(?:by|on|group_left)\s*\(([^)]*)\)", bare):
        labels |= set(re.findall(r"\w+", group))
    bare = re.sub(r"\b(by|on|group_left)\s*\([^)]*\)", " ", bare)
    metrics = set(re.findall(r"\b[a-z]\w*", bare)) - WORDS
    return {re.sub(r"_(bucket|count|sum)$", "", each) for each in metrics}, labels


@pytest.mark.parametrize("expr", sorted({*QUERIES, *(each.expr for each in alerts.every(WORKLOADS))}))
def test_what_is_asked_for_is_what_processes_tell(expr: str) -> None:
    metrics, labels = asked_for(expr)
    standard = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
    assert metrics
    assert metrics <= documented() | standard
    assert labels <= set(re.findall(r"`(\w+)`", GUIDE)) | {"le", "instance"}


def test_the_dashboard_s_panels_have_a_place_each() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert taken.isdisjoint(cells), panel["title"]
        taken |= cells
    assert all(panel["description"] for panel in PANELS)
    tiles = {panel["title"] for panel in PANELS if panel["type"] == "stat"}
    assert {each.name for each in WORKLOADS} <= tiles
