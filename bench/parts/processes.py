"""Our processes in a turn, ready when they are returned."""

from __future__ import annotations

import http.client
import subprocess
from http import HTTPStatus
from pathlib import Path

from bench.stage import Turn

READY_WITHIN = 60.0


def start_api(turn: Turn, module: str = "bench.ours.api", *, port: int | None = None) -> int:
    """The API, or the bare route that part F compares it with, on this port or the turn's PORT; returns that."""
    port = port or int(turn.environment["PORT"])
    turn.start([turn.python, "-m", module], module.rpartition(".")[2], PORT=str(port))
    turn.wait(lambda: _answers(port), seconds=READY_WITHIN, what="the API")
    return port


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def start_base_worker(turn: Turn) -> None:
    """The worker of the queue `base`, as production has one; it is ready when this returns."""
    ready = Path(turn.environment["BENCH_TAPE"]).with_suffix(".base.ready")
    turn.start([turn.python, "run_base_worker.py"], "base", HOMEROOM_READY_FILE=str(ready))
    turn.wait(ready.exists, seconds=READY_WITHIN, what="the base worker", look_every=0.02)


def start_ready_worker(turn: Turn) -> subprocess.Popen[bytes]:
    """A worker that has said that it is ready; what a paused or an empty queue leaves it to do is nothing."""
    ready = Path(turn.environment["BENCH_TAPE"]).with_suffix(".ready")
    ready.unlink(missing_ok=True)
    worker = turn.start_worker(HOMEROOM_READY_FILE=str(ready))
    turn.wait(ready.exists, seconds=READY_WITHIN, what="a worker that is ready", look_every=0.02)
    return worker
