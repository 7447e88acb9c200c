"""What the figures were taken on: processor, memory, and how long the disk takes to make a write safe."""

from __future__ import annotations

import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import psutil

FLUSHES = 500


def describe(folder: Path) -> dict[str, Any]:
    """The machine; the disk is the one that `folder` is on."""
    median, p99 = flush_time(folder)
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "flush_ms": round(median, 3),
        "flush_p99_ms": round(p99, 3),
        "load_before": round(os.getloadavg()[0], 2),
    }


def flush_time(folder: Path) -> tuple[float, float]:
    """Median and 99th percentile of one 8 KiB write and its fdatasync, in milliseconds."""
    path = folder / "flush"
    times: list[float] = []
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.pwrite(descriptor, bytes(2**20), 0)  # as a log segment is: written over, not grown
        os.fsync(descriptor)
        for turn in range(FLUSHES):
            started = time.perf_counter()
            os.pwrite(descriptor, os.urandom(8192), turn % 128 * 8192)
            os.fdatasync(descriptor)
            times.append((time.perf_counter() - started) * 1000)
    finally:
        os.close(descriptor)
        path.unlink()
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
