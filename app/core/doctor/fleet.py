"""Who works, what waits, and what the auditor knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import __version__
from app.core.config import Settings
from app.core.doctor.findings import Finding, Findings, fail, ok, warn
from app.core.doctor.postgres import connected
from app.engine.ledger.findings import count_findings, seconds_since_audit
from app.engine.ledger.outbox_age import outbox_age
from app.engine.ledger.queues import list_workers, queue_overview
from app.kit.db import Connection, Role
from app.workloads import WORKLOADS

OUTBOX_LATE, OUTBOX_STUCK = 60.0, 600.0  # seconds
AUDIT_LATE = 900.0

TARGETS = {each.name: each.scaling.target_age_seconds for each in WORKLOADS}


async def check_fleet(settings: Settings) -> Findings:
    async with connected(settings, Role.ENGINE) as connection:
        for row in await queue_overview(connection, list(settings.queues)):
            yield _queue(row)
        yield await _versions(connection)
        yield await _outbox(connection)
        yield await _auditor(connection)


def _queue(row: Mapping[str, Any]) -> Finding:
    check, age = f"queue {row['queue']}", row["oldest_ready_seconds"] or 0.0
    found = f"workers: {row['workers']}, slots: {row['slots']}, ready: {row['ready']}, running: {row['processing']}"
    if row["paused"]:
        resume = f"`POST /admin/queues/{row['queue']}/resume` when it shall go on."
        return warn(check, f"{row['state']}; {found}", resume)
    if not row["workers"]:
        judge = fail if row["ready"] else warn
        return judge(check, f"{found}: nobody works on it", f"Start one: `homeroom worker {row['queue']}`.")
    if age > TARGETS[row["queue"]]:
        found = f"{found}; the oldest has waited {age:.0f} s, the target is {TARGETS[row['queue']]:g} s"
        return warn(check, found, "Start more workers of this queue; docs/runbooks/oldest-ready-over-slo.md.")
    return ok(check, found)


async def _versions(connection: Connection) -> Finding:
    versions = sorted({each["version"] for each in await list_workers(connection) if each["alive"]})
    if not versions or versions == [__version__]:
        return ok("versions", f"all workers are of {__version__}")
    found = f"workers of {', '.join(versions)}; this is {__version__}"
    return warn("versions", found, "Finish the roll-out; two neighbouring releases may serve side by side until then.")


async def _outbox(connection: Connection) -> Finding:
    pending, age = await outbox_age(connection)
    found = f"{pending} effects wait, the oldest for {age:.0f} s"
    cure = "Keep a base worker running: it relays them; docs/runbooks/outbox-age.md."
    if age > OUTBOX_STUCK:
        return fail("outbox", found, cure)
    return warn("outbox", found, cure) if age > OUTBOX_LATE else ok("outbox", found)


async def _auditor(connection: Connection) -> Finding:
    violations = {name: count for name, count in (await count_findings(connection)).items() if count}
    if violations:
        found = ", ".join(f"{count} of {name}" for name, count in sorted(violations.items()))
        cure = "Keep the logs, run `homeroom audit`, and see docs/runbooks/auditor-hits.md."
        return fail("auditor", f"invariants are violated: {found}", cure)
    age = await seconds_since_audit(connection)
    if age is None or age > AUDIT_LATE:
        found = "it has not looked yet" if age is None else f"it looked {age:.0f} s ago"
        return warn("auditor", found, "Keep a base worker running: it looks every five minutes.")
    return ok("auditor", f"no violation; it looked {age:.0f} s ago")
