"""The production API of a turn, and the bare route that part F compares it with."""

from __future__ import annotations

import http.client
from http import HTTPStatus

from bench.stage import Turn


def start_api(turn: Turn, module: str = "bench.ours.api") -> int:
    """Serve on the turn's PORT; returns it once requests are answered."""
    port = int(turn.environment["PORT"])
    turn.start([turn.python, "-m", module], module.rpartition(".")[2])
    turn.wait(lambda: _answers(port), seconds=60, what="the API")
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
