"""A Redis that Sentinels watch: `sentinel://:password@host:26379,host:26379/name/3`.

Whoever opens a connection asks the Sentinels where the primary is, so a failover is one more server that was restarted:
connections break, and the next ones lead to the new primary. The password is the server's; Sentinels are asked without.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from redis.asyncio import Connection, Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError

SCHEME = "sentinel"
PORT = 26379
PATIENCE = 1.0  # seconds for one Sentinel

Address = tuple[str, int]


class Watched(NamedTuple):
    """What such a url says."""

    sentinels: tuple[Address, ...]
    name: str
    database: int
    username: str | None
    password: str | None


def is_watched(url: str) -> bool:
    return urlsplit(url).scheme == SCHEME


def parse(url: str) -> Watched:
    """ValueError where it cannot be understood."""
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    name, _, database = parts.path.strip("/").partition("/")
    if not hosts or not name:
        raise ValueError("a Sentinel's url names hosts and the primary: sentinel://host:26379,host:26379/name/0")
    return Watched(
        tuple(_address(each) for each in hosts.split(",")),
        name,
        int(database or 0),
        unquote(username) or None,
        unquote(password) or None,
    )


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":") if ":" in text else (text, "", "")
    return host, int(port or PORT)


async def find_primary(watched: Watched) -> Address:
    """As the first Sentinel says that answers."""
    for host, port in watched.sentinels:
        sentinel = Redis(
            host=host, port=port, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, decode_responses=True
        )
        try:
            address = await sentinel.sentinel_get_master_addr_by_name(watched.name)  # type: ignore[no-untyped-call]
        except (RedisError, OSError):
            continue
        finally:
            await sentinel.aclose()
        if address is not None:
            return address[0], int(address[1])
    raise RedisConnectionError(f"no Sentinel knows where {watched.name} is")


class ToThePrimary(Connection):
    """A connection that asks where it leads each time it is opened."""

    def __init__(self, *, find: Callable[[], Awaitable[Address]], **options: Any) -> None:
        super().__init__(**options)
        self._find = find

    async def connect(self) -> None:
        if not self.is_connected:
            self.host, self.port = await self._find()
        await super().connect()  # type: ignore[no-untyped-call]

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*args, **options)
        except ReadOnlyError:  # a primary that was demoted while we were connected
            await self.disconnect()
            raise RedisConnectionError("the primary is a replica now") from None
