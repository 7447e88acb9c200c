"""deploy/prometheus: what wakes somebody up, and what waits until the morning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from app.core.config import WorkerSettings
from app.core.manifests import rates
from app.core.manifests.document import Document, yaml
from app.engine.workload import Workload

FILE = "deploy/prometheus/homeroom.rules.yaml"
PREFIX: Final = "Homeroom"
RUNBOOKS: Final = "docs/runbooks"

# Scaling begins at the target age. What is older than this many of it, more workers have not mended.
SLO_TARGETS: Final = 5
IMPATIENT: Final = 10  # seconds: where somebody sits and waits, a minute of it is an outage

AUDIT_SECONDS: Final = 900  # three rounds of the auditor
LEASE: Final[float] = WorkerSettings.model_fields["lease"].default


@dataclass(frozen=True, slots=True)
class Alert:
    """`page`: somebody gets up. `ticket`: somebody looks at it on the next working day."""

    name: str
    expr: str
    lasting: str
    severity: Literal["page", "ticket"]
    summary: str
    queue: str | None = None  # of a rule that stands for one queue, with a bound from its spec

    @property
    def runbook(self) -> str:
        return f"{RUNBOOKS}/{re.sub('(?<!^)(?=[A-Z])', '-', self.name).lower()}.md"

    def document(self) -> Document:
        return {
            "alert": PREFIX + self.name,
            "expr": self.expr,
            "for": self.lasting,
            "labels": {"severity": self.severity} | ({"queue": self.queue} if self.queue else {}),
            "annotations": {"summary": self.summary, "runbook": self.runbook},
        }


def every(workloads: tuple[Workload, ...]) -> list[Alert]:
    return [*_pages(workloads), *_tickets(workloads)]


def render(workloads: tuple[Workload, ...]) -> dict[str, str]:
    found = every(workloads)
    groups = [
        {"name": f"homeroom-{severity}s", "rules": [each.document() for each in found if each.severity == severity]}
        for severity in ("page", "ticket")
    ]
    return {
        FILE: yaml(
            f"""
Alert rules for Prometheus. Route by `severity`: `page` wakes somebody, `ticket` can wait. `runbook` is a page of this
project. Bounds on a queue's age come from its spec: {SLO_TARGETS} times the age at which scaling begins.
""",
            {"groups": groups},
        )
    }


def _pages(workloads: tuple[Workload, ...]) -> Iterator[Alert]:
    for each in workloads:
        bound = each.scaling.target_age_seconds * SLO_TARGETS
        yield Alert(
            "OldestReadyOverSlo",
            f'max by (queue) (homeroom_queue_lag_seconds{{queue="{each.name}"}}) > {bound}',
            "1m" if each.scaling.target_age_seconds <= IMPATIENT else "5m",
            "page",
            f"A job of {each.name} has been ready for {{{{ $value | humanizeDuration }}}}; {bound} s is too long.",
            queue=each.name,
        )
    yield Alert(
        "OutboxAge",
        "max(homeroom_outbox_oldest_seconds) > 60",
        "2m",
        "page",
        "An effect on another queue has not been delivered for {{ $value | humanizeDuration }}.",
    )
    # A server that was away, a rebuilt queue or a lost worker explains repairs. Without one of those, hints get lost.
    yield Alert(
        "RepairsOutsideIncidents",
        "sum by (queue) (increase(homeroom_hints_swept_total[10m])) > 5"
        " unless on (queue) sum by (queue) (increase(homeroom_redis_rebuilds_total[15m])) > 0"
        " unless on (queue) sum by (queue) (increase(homeroom_jobs_rescued_total[15m])) > 0"
        " unless on (queue) sum by (queue) (increase(homeroom_outages_total[15m])) > 0"
        " unless on () min(min_over_time(homeroom_server_up[15m])) == 0",
        "0m",
        "page",
        "The reconciler of {{ $labels.queue }} mended {{ $value | humanize }} hints, and nothing had happened.",
    )
    yield Alert(
        "AuditorHits",
        "max by (invariant) (homeroom_audit_violations) > 0",
        "0m",
        "page",
        "The auditor found {{ $value }} violations of {{ $labels.invariant }}.",
    )
    yield Alert(
        "FiguresMissing",
        "absent(homeroom_queue_lag_seconds)",
        "3m",
        "page",
        "No API tells how the queues stand: it is gone, or Postgres is. No other page can fire.",
    )


def _tickets(workloads: tuple[Workload, ...]) -> Iterator[Alert]:
    for each in workloads:
        yield Alert(
            "FleetAtItsMaximum",
            f'max by (queue) (homeroom_queue_workers{{queue="{each.name}"}}) >= {each.scaling.max_replicas}'
            f' and on (queue) max by (queue) (homeroom_queue_lag_seconds{{queue="{each.name}"}})'
            f" > {each.scaling.target_age_seconds}",
            "15m",
            "ticket",
            "{{ $labels.queue }} has all {{ $value }} workers that it may have, and jobs still wait.",
            queue=each.name,
        )
    yield from _servers()
    yield from _work()


def _servers() -> Iterator[Alert]:
    yield Alert(
        "PostgresAway",
        'min(homeroom_server_up{server="postgres"}) == 0',
        "1m",
        "ticket",
        "Postgres does not answer an API process: nothing is accepted or begun.",
    )
    yield Alert(
        "RedisAway",
        'min by (server) (homeroom_server_up{server=~"redis:.+"}) == 0',
        "1m",
        "ticket",
        "{{ $labels.server }} does not answer: jobs are accepted, and wait.",
    )
    yield Alert(
        "WorkerMissing",
        "max by (queue) (homeroom_queue_workers) == 0 unless on (queue) max by (queue) (homeroom_queue_paused) == 1",
        "2m",
        "ticket",
        "{{ $labels.queue }} has no live worker.",
    )
    yield Alert(
        "WorkersLost",
        "sum by (queue) (increase(homeroom_jobs_rescued_total[1h])) > 10",
        "0m",
        "ticket",
        "{{ $value | humanize }} jobs of {{ $labels.queue }} were taken from lost workers within an hour.",
    )
    yield Alert(
        "LeaseLag",
        f"max by (queue) (homeroom_lease_lag_seconds) > {LEASE / 2:g}",
        "30s",
        "ticket",
        f"A lease of {{{{ $labels.queue }}}} is {{{{ $value | humanizeDuration }}}} late; at {LEASE:g} s its jobs go.",
    )
    yield Alert(
        "AuditorStale",
        f"max(homeroom_audit_age_seconds) > {AUDIT_SECONDS}",
        "5m",
        "ticket",
        "The auditor has not looked for {{ $value | humanizeDuration }}: no base worker runs, or its rounds fail.",
    )
    yield Alert(
        "QueuePaused",
        "max by (queue) (homeroom_queue_paused) == 1",
        "1h",
        "ticket",
        "{{ $labels.queue }} has been paused for an hour; somebody may have forgotten it.",
    )


def _work() -> Iterator[Alert]:
    yield Alert(
        "FailedJobs",
        rates.share_of("homeroom_jobs_ended_total", 'end="failure"', by="queue", over="15m", least=10, bound=0.1),
        "5m",
        "ticket",
        "{{ $value | humanizePercentage }} of the deliveries of {{ $labels.queue }} fail for good.",
    )
    yield Alert(
        "ZombiesRejected",
        "sum by (queue) (increase(homeroom_jobs_refused_total[1h])) > 5",
        "0m",
        "ticket",
        "{{ $value | humanize }} ends of {{ $labels.queue }} came too late: workers freeze, or leases are too short.",
    )
    yield Alert(
        "ProviderErrors",
        rates.share_of(
            "gen_ai_client_operation_duration_seconds_count",
            'error_type!=""',
            by="gen_ai_provider_name",
            over="10m",
            least=5,
            bound=0.2,
        ),
        "5m",
        "ticket",
        "{{ $value | humanizePercentage }} of the calls to the model ({{ $labels.gen_ai_provider_name }}) fail.",
    )
    yield Alert(
        "ApiErrors",
        rates.share_of(
            "http_server_request_duration_seconds_count",
            'http_response_status_code=~"5.."',
            by="",
            over="10m",
            least=10,
            bound=0.05,
        ),
        "5m",
        "ticket",
        "{{ $value | humanizePercentage }} of the API's answers are errors of its own.",
    )
