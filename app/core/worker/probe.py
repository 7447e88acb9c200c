"""Liveness, readiness and metrics of a worker process, by a thread of their own.

A probe that ran in the worker's loop would hang where the loop is blocked, and could not say why. This one reads
moments that others leave behind: the loop's last tick, and the last turn of the thread that keeps the lease. It asks no
server: a worker must not be killed because a database is away.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from app.kit.errors import ConfigurationError
from app.kit.logging import get_logger
from app.kit.metrics import CONTENT_TYPE

TICK = 0.5  # seconds between two ticks of a loop that is free

log = get_logger(__name__)


class Verdict(NamedTuple):
    good: bool
    facts: dict[str, Any]


@dataclass
class Vitals:
    """Where the signs of life are, and how old they may be.

    A loop that is blocked is not killed at once: its lease is renewed by another thread meanwhile, so a job that blocks
    it for half a minute harms nobody but its neighbours. What blocks for `stall` seconds will block for ever.
    """

    beat_at: Callable[[], float]  # of the thread that keeps the lease, by the monotonic clock
    serving: Callable[[], bool]  # whether it claims: registered, and not draining
    stall: float
    beat_limit: float
    ticked_at: float = field(default_factory=time.monotonic)

    def alive(self) -> Verdict:
        now = time.monotonic()
        tick, beat = now - self.ticked_at, now - self.beat_at()
        facts = {"loop_age_seconds": round(tick, 3), "heartbeat_age_seconds": round(beat, 3)}
        return Verdict(tick <= self.stall and beat <= self.beat_limit, facts)

    def ready(self) -> Verdict:
        serving = self.serving()
        return Verdict(serving, {"claiming": serving})

    async def tick(self) -> None:
        while True:
            self.ticked_at = time.monotonic()
            await asyncio.sleep(TICK)


@asynccontextmanager
async def probe(host: str, port: int, vitals: Vitals, render: Callable[[], bytes]) -> AsyncIterator[int]:
    """Answer GET /healthz, /readyz and /metrics; the port, which the system picks where it is 0."""
    try:
        server = _Server((host, port), _handler(vitals, render))
    except OSError as error:
        raise ConfigurationError(
            f"The worker's probe cannot listen on {host}:{port}: {error.strerror}.",
            cure="Give each worker of this host a port of its own: CHAT_PROBE_PORT=9103, say, and so for every queue.",
        ) from None
    thread = threading.Thread(target=server.serve_forever, name="probe", daemon=True)
    thread.start()
    ticking = asyncio.create_task(vitals.tick())
    try:
        yield server.server_address[1]
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        await asyncio.to_thread(server.shutdown)
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 32


def _handler(vitals: Vitals, render: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5.0  # of a client that says nothing

        def do_GET(self) -> None:
            match self.path:
                case "/healthz":
                    self._tell("alive", vitals.alive())
                case "/readyz":
                    self._tell("ready", vitals.ready())
                case "/metrics":
                    self._answer(HTTPStatus.OK, CONTENT_TYPE, render())
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There are /healthz, /readyz and /metrics.\n")

        def _tell(self, word: str, verdict: Verdict) -> None:
            status = HTTPStatus.OK if verdict.good else HTTPStatus.SERVICE_UNAVAILABLE
            document = {"status": word if verdict.good else f"not {word}"} | verdict.facts
            self._answer(status, "application/json", json.dumps(document).encode())

        def _answer(self, status: HTTPStatus, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, _form: str, *_values: Any) -> None:
            """A probe asks every few seconds; that it does is no news."""

    return Handler
