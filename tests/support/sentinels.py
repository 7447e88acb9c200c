"""A primary, its replica and three Sentinels that watch them, from the embedded server's program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis.asyncio

from app.core.embedded.redis import _binary
from app.kit.redis import REDIS_AWAY
from tests.support.deployment import free_port
from tests.support.processes import running
from tests.support.waiting import eventually

NAME = "classroom"
PASSWORD = "a-password-of-both-servers"

SERVER = """\
bind 127.0.0.1
port {port}
dir "{folder}"
requirepass {password}
masterauth {password}
maxmemory-policy noeviction
save ""
repl-diskless-sync-delay 0
"""

SENTINEL = """\
bind 127.0.0.1
port {port}
dir "{folder}"
sentinel monitor {name} 127.0.0.1 {primary} 2
sentinel auth-pass {name} {password}
sentinel down-after-milliseconds {name} 1000
sentinel failover-timeout {name} 4000
"""


@dataclass
class Watch:
    """Where they are."""

    sentinels: list[int]
    primary: asyncio.subprocess.Process
    primary_port: int
    replica_port: int

    def url(self, database: int = 0) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"sentinel://:{PASSWORD}@{hosts}/{NAME}/{database}"


@asynccontextmanager
async def watched_redis(folder: Path) -> AsyncIterator[Watch]:
    """Replicated, and known to all Sentinels; each of them knows the others."""
    async with AsyncExitStack() as stack:
        primary_port, replica_port = free_port(), free_port()

        async def start(port: int, *more: str) -> asyncio.subprocess.Process:
            home = folder / str(port)
            await asyncio.to_thread(_write, home, SERVER.format(port=port, folder=home, password=PASSWORD))
            return await stack.enter_async_context(_program(home, *more))

        primary = await start(primary_port)
        await start(replica_port, "--replicaof", f"127.0.0.1 {primary_port}")
        await eventually(lambda: _is_linked(replica_port), within=60, what="the replica")
        sentinels = [free_port() for _ in range(3)]
        for port in sentinels:
            home = folder / str(port)
            text = SENTINEL.format(port=port, folder=home, name=NAME, primary=primary_port, password=PASSWORD)
            await asyncio.to_thread(_write, home, text)
            await stack.enter_async_context(_program(home, "--sentinel"))
        for port in sentinels:
            await eventually(partial(_knows_all, port), within=60, what="Sentinels that know each other")
        yield Watch(sentinels, primary, primary_port, replica_port)


def _program(home: Path, *more: str) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return running([str(_binary()), str(home / "server.conf"), *more, "--logfile", str(home / "log")], environment={})


def _write(home: Path, configuration: str) -> None:
    home.mkdir()
    (home / "server.conf").write_text(configuration)


async def _is_linked(port: int) -> bool:
    try:
        async with redis.asyncio.Redis(host="127.0.0.1", port=port, password=PASSWORD) as client:
            info = await client.info("replication")
    except REDIS_AWAY:
        return False
    return bool(info.get("master_link_status") == "up")


async def _knows_all(port: int) -> bool:
    try:
        async with redis.asyncio.Redis(host="127.0.0.1", port=port) as client:
            state = await client.sentinel_master(NAME)  # type: ignore[no-untyped-call]
    except REDIS_AWAY:
        return False
    return bool(state["num-other-sentinels"] == 2 and state["num-slaves"] == 1)
