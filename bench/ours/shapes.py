"""How a queue's jobs differ: by lane, by moment, by tenant. Known to the producer and to whoever judges the run."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, TypeAlias

Shape: TypeAlias = Callable[[int], dict[str, Any]]  # a job's number -> fields of its request

TENANT = "demo"
QUIET, LOUD = "quiet", "loud"
LANES, JOBS_A_LANE = 200, 50
TENANTS, TENANTS_JOBS = 50, 20_000


def zipf_counts(tenants: int = TENANTS, jobs: int = TENANTS_JOBS) -> list[int]:
    """How many jobs each tenant has: the n-th an n-th of the first."""
    harmonic = sum(1 / rank for rank in range(1, tenants + 1))
    counts = [round(jobs / rank / harmonic) for rank in range(1, tenants + 1)]
    return [counts[0] + jobs - sum(counts), *counts[1:]]


_LAST_JOBS = list(accumulate(zipf_counts()))


def zipf_tenant(job: int) -> str:
    """Whose job this is; the loudest tenant submits all of its jobs first."""
    return f"tenant-{bisect(_LAST_JOBS, job):02d}"


def _tomorrow(_job: int) -> dict[str, Any]:
    return {"run_at": datetime.now(UTC) + timedelta(days=1)}


SHAPES: dict[str, Shape] = {
    "alike": lambda _job: {},
    "lanes": lambda job: {"lane": f"lane-{job % LANES}"},
    "tomorrow": _tomorrow,
    "zipf": lambda job: {"tenant_id": zipf_tenant(job)},
    "loud": lambda _job: {"tenant_id": LOUD},
    "quiet": lambda _job: {"tenant_id": QUIET},
}
