"""A worker's probe: what is red when, over real HTTP, and what a blocked loop cannot hold up."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.core.worker.probe import Vitals, probe
from app.kit.errors import ConfigurationError
from tests.support.waiting import eventually


def ask(port: int, path: str) -> tuple[int, Any]:
    """Status and body; blocks, as a kubelet does not mind."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        status, body = refusal.code, refusal.read()
    return status, json.loads(body) if body.startswith(b"{") else body.decode()


class Worker:
    """Signs of life that a test moves."""

    def __init__(self) -> None:
        self.beat_at = time.monotonic()
        self.serving = True

    def vitals(self, *, stall: float = 60.0, beat_limit: float = 60.0) -> Vitals:
        return Vitals(lambda: self.beat_at, lambda: self.serving, stall, beat_limit)


@asynccontextmanager
async def probed(vitals: Vitals) -> AsyncIterator[int]:
    async with probe("127.0.0.1", 0, vitals, lambda: b"some_figure 1.0\n") as port:
        yield port


async def test_a_healthy_worker_is_alive_ready_and_measured() -> None:
    async with probed(Worker().vitals()) as port:
        status, told = await asyncio.to_thread(ask, port, "/healthz")
        assert (status, told["status"]) == (200, "alive")
        assert set(told) == {"status", "loop_age_seconds", "heartbeat_age_seconds"}
        assert await asyncio.to_thread(ask, port, "/readyz") == (200, {"status": "ready", "claiming": True})
        assert await asyncio.to_thread(ask, port, "/metrics") == (200, "some_figure 1.0\n")
        status, _ = await asyncio.to_thread(ask, port, "/else")
        assert status == 404


async def test_a_draining_worker_is_alive_and_not_ready() -> None:
    worker = Worker()
    async with probed(worker.vitals()) as port:
        worker.serving = False
        assert await asyncio.to_thread(ask, port, "/readyz") == (503, {"status": "not ready", "claiming": False})
        status, _ = await asyncio.to_thread(ask, port, "/healthz")
        assert status == 200


async def test_a_lease_thread_that_stands_still_is_death() -> None:
    worker = Worker()
    async with probed(worker.vitals(beat_limit=30.0)) as port:
        worker.beat_at -= 31.0
        status, told = await asyncio.to_thread(ask, port, "/healthz")
        assert (status, told["status"]) == (503, "not alive")


async def test_a_blocked_loop_is_seen_while_it_is_blocked_and_forgiven_afterwards() -> None:
    vitals = Worker().vitals(stall=0.6)
    async with probed(vitals) as port:
        assert ask(port, "/healthz")[0] == 200  # asked from the loop itself, which is blocked meanwhile: no deadlock
        vitals.ticked_at -= 1.0  # as if it had been blocked for a second already
        status, told = ask(port, "/healthz")
        assert (status, told["status"]) == (503, "not alive")

        async def recovered() -> bool:
            return (await asyncio.to_thread(ask, port, "/healthz"))[0] == 200

        await eventually(recovered, what="a green probe once the loop ticks")


async def test_a_block_shorter_than_the_limit_is_no_death() -> None:
    vitals = Worker().vitals(stall=120.0)
    async with probed(vitals) as port:
        vitals.ticked_at -= 30.0
        assert ask(port, "/healthz")[0] == 200


async def test_a_port_that_is_taken_is_told_with_a_cure() -> None:
    async with probed(Worker().vitals()) as port:
        with pytest.raises(ConfigurationError) as refusal:
            async with probe("127.0.0.1", port, Worker().vitals(), lambda: b""):
                pass
        assert "PROBE_PORT" in refusal.value.cure


async def test_a_client_that_says_nothing_holds_nobody_up() -> None:
    async with probed(Worker().vitals()) as port:
        _, silent = await asyncio.open_connection("127.0.0.1", port)
        assert (await asyncio.to_thread(ask, port, "/healthz"))[0] == 200
        silent.close()
