"""How a delivery can end, in words.

A job function returns its result (or Done, with what is to be written), or raises one of these. Anything else that it
raises is an unknown error and is retried like a transient one: a bug that a deploy mends should not lose the jobs that
met it.

Outcome
├── Retry    it did not work this time; counts against max_attempts
├── Snooze   it is too early; counts against nothing
├── Fail     it will never work: final, with a code that clients can read
└── Cancel   the job itself decides that it need not be done
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Write:
    """One row for one of the tenant's tables, as data. `tenant_id` is added; columns left out keep their defaults."""

    table: str
    values: Mapping[str, Any]
    or_ignore: bool = False  # a row that is there already stays as it is


@dataclass(frozen=True, slots=True)
class Done:
    """What a job function may return: its result, and simple writes that commit with it, or not at all.

    As data they travel in the batch that ends many jobs at once. Whoever needs to read while it writes takes
    `ctx.complete`, a transaction of its own.
    """

    result: Any = None
    writes: Sequence[Write] = ()


class Outcome(Exception):
    """Raised by a job function instead of returning a result."""


class Retry(Outcome):
    """Try again, after `delay` seconds or, without one, after the kind's backoff."""

    def __init__(self, reason: str, *, delay: float | None = None, code: str = "transient") -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay = delay
        self.code = code


class Snooze(Outcome):
    """Come back in `delay` seconds."""

    def __init__(self, delay: float, reason: str = "snoozed") -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay = delay


class Fail(Outcome):
    """End as `failed` with this code and detail; no retry."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Cancel(Outcome):
    """End as `cancelled`."""

    def __init__(self, reason: str = "the job cancelled itself") -> None:
        super().__init__(reason)
        self.reason = reason
