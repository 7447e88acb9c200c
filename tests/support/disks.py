"""Disks that are full: a small one of memory where this process may mount it, else a bound on what it may write."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SMALL = 256 * 1024


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Within the block, the folder takes no file of more than SMALL bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "homeroom-test", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    with bounded_files():
        yield


@contextmanager
def bounded_files() -> Iterator[None]:
    """Within the block, no file of this process grows beyond SMALL bytes: EFBIG, as a quota would have it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
