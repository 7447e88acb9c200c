"""Every error that Homeroom raises on purpose.

HomeroomError
├── ConfigurationError   a process cannot start: one message, one cure, exit code 78
├── Refusal              a client's request cannot be granted: becomes a problem document
│   └── ... declared beside the subject that refuses
├── StaleAttempt         this delivery no longer owns its job; nothing of it may be written
└── Unavailable          Postgres or Redis is away; worth trying again
"""

from __future__ import annotations

from typing import Any, ClassVar

EX_CONFIG = 78  # sysexits.h: something was found in an unconfigured or misconfigured state


class HomeroomError(Exception):
    """The root of the tree."""


class ConfigurationError(HomeroomError):
    """A process cannot start as it is configured."""

    def __init__(self, problem: str, *, cure: str) -> None:
        super().__init__(f"{problem}\n  Cure: {cure}")
        self.problem = problem
        self.cure = cure


class Refusal(HomeroomError):
    """A request that is understood and not granted.

    Subclasses stand beside the subject that refuses and fill in the class fields; the edge turns any of them into
    `application/problem+json` and lists all of them in the documentation. The numbers are HTTP's, the class is not.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "The request cannot be granted"
    cure: ClassVar[str] = "Read `detail` and send a corrected request."

    def __init__(
        self, detail: str, *, retry_after: int | None = None, errors: list[dict[str, Any]] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        self.errors = errors
        self.extra = extra


class StaleAttempt(HomeroomError):
    """The job went on without this delivery: it was rescued, cancelled or finished by another."""


class Unavailable(HomeroomError):
    """A server that the process needs does not answer at the moment."""
