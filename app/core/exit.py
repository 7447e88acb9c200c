"""How a process ends that cannot start: one message, no traceback, exit code 78."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from app.kit.errors import EX_CONFIG, ConfigurationError


@contextmanager
def exit_when_misconfigured(*, at_once: bool = False) -> Iterator[None]:
    """Turn a ConfigurationError into the end of the process.

    `at_once` skips Python's own ending, for places where a framework would catch SystemExit and print a traceback.
    """
    try:
        yield
    except ConfigurationError as error:
        print(f"homeroom cannot start: {error}", file=sys.stderr, flush=True)  # noqa: T201 - the one message
        if at_once:
            os._exit(EX_CONFIG)
        raise SystemExit(EX_CONFIG) from None
