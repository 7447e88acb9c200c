"""What a child does to itself before it touches a document: the kernel's limits, silence, death with its parent."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from typing import BinaryIO

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
OPEN_FILES = 64


def confine(*, address_bytes: int, cpu_seconds: int) -> None:
    """Zero disables one of the two; the others always hold: no written file, no core dump, few open files."""
    if address_bytes:
        _limit(resource.RLIMIT_AS, address_bytes)
    if cpu_seconds:
        _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)


def die_with(parent: int) -> None:
    """A killed parent must leave no parser behind. Only Linux can promise it; elsewhere its closed pipe tells."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent, moved away from 0 and 1: a library that prints must not speak for us."""
    inward, outward = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return os.fdopen(inward, "rb"), os.fdopen(outward, "wb")


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(what, (value, value))
