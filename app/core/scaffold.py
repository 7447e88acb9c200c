"""What follows from a workload's spec and has to stand in a file: generated once, pinned by a test.

`homeroom workloads --write` adds what a new workload lacks and leaves everything else alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.engine.workload import Workload
from app.workloads import WORKLOADS

_SETTINGS = """from app.core.worker.build import build

WorkerSettings = build("{name}")
"""

_SCRIPT = """from app.core.worker.run import run

if __name__ == "__main__":
    run("{name}")
"""

_PLACEHOLDER = "{name}_pool: ArqRedis | None = None\n"

_VARIABLES = """{upper}_REDIS_DB={redis_db}
{upper}_REDIS_URL=
{upper}_CONCURRENCY={concurrency}
{upper}_GRACE_SECONDS={grace:g}
{upper}_PROBE_PORT=
"""


def write_missing(root: Path) -> list[str]:
    """Write what is missing; returns the names of the files that were written or extended."""
    return [name for workload in WORKLOADS for name in _write(root, workload)]


def _write(root: Path, workload: Workload) -> Iterator[str]:
    settings = f"app/core/worker/{workload.name}.py"
    for name, text in ((settings, _SETTINGS), (workload.run_script, _SCRIPT)):
        if not (root / name).exists():
            (root / name).write_text(text.format(name=workload.name))
            yield name
    placeholder = _PLACEHOLDER.format(name=workload.name)
    if _extend(root / "app/core/queue.py", placeholder, after="_pool: ArqRedis | None = None\n"):
        yield "app/core/queue.py"
    variables = _VARIABLES.format(
        upper=workload.name.upper(),
        redis_db=workload.redis_db,
        concurrency=workload.concurrency,
        grace=workload.grace,
    )
    if _extend(root / ".env.example", variables, after="_PROBE_PORT=\n"):
        yield ".env.example"


def _extend(file: Path, lines: str, *, after: str) -> bool:
    """Insert lines behind the last place that ends like `after`, unless their first one is there."""
    text = file.read_text()
    if lines.splitlines()[0] in text.splitlines():
        return False
    place = text.rindex(after) + len(after)
    file.write_text(text[:place] + lines + text[place:])
    return True
