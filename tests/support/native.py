"""A native call that holds the interpreter's lock all along, as some libraries' calls do."""

from __future__ import annotations

import ctypes

from app.documents.limits import MIB
from app.documents.sandbox.process import ChildProcess


def hold(seconds: float) -> None:
    ctypes.PyDLL(None).usleep(int(seconds * 1_000_000))  # PyDLL: the lock is not given up meanwhile


async def hold_in_a_child(seconds: float) -> None:
    """By the house's own way to run such code: a process beside the worker."""
    child = await ChildProcess.start(__name__, (str(seconds),), resident_bytes=1_000 * MIB)
    async with child:
        assert await child.process.wait() == 0, child.complaint


def main(_parent: str, seconds: str) -> None:
    hold(float(seconds))
