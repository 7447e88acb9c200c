"""How the doctor tells what it found: lines for people, or one JSON object for scripts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from app.core.doctor.findings import Finding, Health

WIDTH = 22  # of the checks' names


def is_healthy(findings: Sequence[Finding]) -> bool:
    return all(each.health is not Health.FAIL for each in findings)


def as_text(findings: Sequence[Finding]) -> str:
    lines = []
    for each in findings:
        lines.append(f"{each.health:<5} {each.check:<{WIDTH}} {each.found}")
        if each.cure is not None:
            lines.append(f"{'':<6}{'':<{WIDTH}} Cure: {each.cure}")
    return "\n".join([*lines, "", _sum(findings)])


def as_json(findings: Sequence[Finding]) -> str:
    counts = _counts(findings)
    return json.dumps(
        {"healthy": is_healthy(findings), "counts": counts, "findings": [asdict(each) for each in findings]}, indent=2
    )


def _sum(findings: Sequence[Finding]) -> str:
    return ", ".join(f"{count} {health}" for health, count in _counts(findings).items())


def _counts(findings: Sequence[Finding]) -> dict[str, int]:
    counts = Counter(each.health for each in findings)
    return {health.value: counts[health] for health in Health}
