"""What a stock ARQ worker gets for its Redis when it hosts our runtime: nothing to read, and no outage to die of.

The stock worker asks Redis before it calls any hook and ends with a traceback where Redis does not answer. Ours refuses
with a cure at the start, and rides outages out later; so the host only leaves its health key, where it can.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY, connect, disconnect

log = get_logger(__name__)


class HostRedis:
    """As much of a client as a stock worker uses."""

    def __init__(self, url: str) -> None:
        self._client = connect(url)

    @asynccontextmanager
    async def pipeline(self, *, transaction: bool) -> AsyncIterator[NoInformation]:
        yield NoInformation()

    async def zrangebyscore(self, *_args: Any, **_options: Any) -> list[bytes]:
        return []

    async def zcard(self, _key: str) -> int:
        return 0

    async def psetex(self, key: str, milliseconds: int, value: bytes) -> None:
        """The health key, for `arq --check`."""
        try:
            await self._client.set(key, value, px=milliseconds)
        except REDIS_AWAY as error:
            log.debug("the health key was not set", error=str(error))

    async def delete(self, key: str) -> None:
        try:
            await self._client.delete(key)
        except REDIS_AWAY as error:
            log.debug("the health key was left to end by itself", error=str(error))

    async def close(self, **_options: Any) -> None:
        await disconnect(self._client)


class NoInformation:
    """The stock worker logs the server's version at its start; preflight has more to say about the server."""

    def info(self, **_section: Any) -> None:
        """Asked for, and not looked up."""

    def dbsize(self) -> None:
        """The same."""

    async def execute(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], int]:
        return {}, {}, {}, 0
