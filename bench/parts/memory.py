"""What an idle worker holds, beside a stock arq worker that imports the same client libraries."""

from __future__ import annotations

import subprocess
import time

import psutil

from bench.contestants import PLAIN
from bench.parts.bench import Bench

SETTLED_AFTER = 5.0
OURS, STOCK = "Homeroom's worker", "stock arq worker with the same client libraries"
MEBI = 2**20


def run(bench: Bench) -> None:
    for number in range(1, bench.runs + 1):
        with bench.turn(PLAIN, 1) as turn:
            ours = turn.start_worker()
            stock = turn.start([turn.python, "-m", "bench.ours.stock"], "stock")
            time.sleep(SETTLED_AFTER)
            sizes = {OURS: _resident(ours), STOCK: _resident(stock)}
        for name, size in sizes.items():
            bench.figures.add("memory", name, "resident", "MiB", size / MEBI)
        ratio = sizes[OURS] / sizes[STOCK]
        bench.figures.add("memory", OURS, "to a stock worker", "", ratio)
        print(
            f"memory  run {number}  {sizes[OURS] / MEBI:.0f} to {sizes[STOCK] / MEBI:.0f} MiB ({ratio:.2f})", flush=True
        )


def _resident(child: subprocess.Popen[bytes]) -> int:
    parent = psutil.Process(child.pid)
    return sum(int(each.memory_info().rss) for each in (parent, *parent.children(recursive=True)))
