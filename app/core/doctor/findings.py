"""What the doctor found: one line each, with its cure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Health(StrEnum):
    OK = "ok"
    WARN = "warn"  # it works; somebody will regret it
    FAIL = "fail"  # it does not work, or not for long


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    check: str
    health: Health
    found: str
    cure: str | None = None


Findings: TypeAlias = AsyncIterator[Finding]


def ok(check: str, found: str) -> Finding:
    return Finding(check, Health.OK, found)


def warn(check: str, found: str, cure: str) -> Finding:
    return Finding(check, Health.WARN, found, cure)


def fail(check: str, found: str, cure: str) -> Finding:
    return Finding(check, Health.FAIL, found, cure)
