"""Small files that must be private and whole: passwords, pid files, the ready file. And the ends of long ones: logs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import BinaryIO

ROTATE_ABOVE_BYTES = 10 * 1024 * 1024
TAIL_BYTES = 64 * 1024


def write_private(path: Path, text: str) -> None:
    """Write atomically with mode 0600: a reader sees the old text or the new, a crash leaves no half."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp gives 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def append_private(log: Path) -> BinaryIO:
    """Open a log for appending; a new one has mode 0600, since logs quote data."""
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def rotate(log: Path) -> None:
    """Put a long log aside, so that at most two files of it exist."""
    if log.exists() and log.stat().st_size > ROTATE_ABOVE_BYTES:
        log.replace(log.with_name(log.name + ".1"))


def size(log: Path) -> int:
    """How much is in the log now; what a process writes from here on is its own."""
    return log.stat().st_size if log.exists() else 0


def tail(log: Path, *, since: int = 0, lines: int = 12) -> str:
    """The last lines that were written after byte `since`, indented for quotation in an error."""
    if not log.exists():
        return "  (no log was written)"
    with log.open("rb") as stream:
        stream.seek(max(since, size(log) - TAIL_BYTES))
        text = stream.read().decode(errors="replace")
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (the log is empty)"
