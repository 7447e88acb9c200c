"""Redis clients with explicit time-outs. ARQ's own `create_pool` has none: a half-open socket would hang it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import hiredis
from arq.connections import ArqRedis, RedisSettings
from arq.jobs import Job
from redis.asyncio import BlockingConnectionPool, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.kit import json, sentinel

# What a client raises while Redis is away or restarting.
REDIS_AWAY: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError)

WAKE_KEY = "homeroom:wake"  # a list that idle workers block on
QUEUE_KEY = "arq:queue"  # ARQ's default name: a stock producer with a JSON serializer reaches us unchanged


class _Ours:
    """Packs commands in C, and sets no timers where there is nothing to wait for.

    redis-py's asyncio client packs in Python, which for a script with a thousand arguments takes longer than the
    script. Two of its four timers guard a write that is over at once and a read that is to find nothing. And the one
    around the write is `wait_for`, which in Python 3.11 forgets a cancel that meets the end of the write: the task
    would go on as if nobody had cancelled it, a drain would wait for ever, a cancelled job would run on.
    """

    socket_timeout: float | None
    _reader: asyncio.StreamReader | None
    _writer: asyncio.StreamWriter | None

    def pack_command(self, *args: Any) -> list[bytes]:
        words = tuple(args[0].encode().split()) if isinstance(args[0], str) else (args[0],)  # "SCRIPT LOAD" is two
        return [hiredis.pack_command((*words, *args[1:]))]

    async def can_read_destructive(self) -> bool:
        """Whether the pool should replace it. An answer that nobody has read cannot be left here: whoever does not wait
        for his answer closes the connection."""
        if self._reader is None or self._reader.at_eof():
            raise RedisConnectionError("The server has closed the connection.")
        return False

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if check_health and self._writer is not None:
            await self.check_health()  # type: ignore[attr-defined]
        if self._writer is not None:
            self._writer.writelines(command)
            if not self._writer.transport.get_write_buffer_size():
                return
            command = ()  # it is on its way; what remains is to wait for room
        await self._send_patiently(command)

    async def _send_patiently(self, command: Any) -> None:
        patience, self.socket_timeout = self.socket_timeout, None  # without one, redis-py awaits the write itself
        try:
            async with asyncio.timeout(patience):
                await super().send_packed_command(command, check_health=False)  # type: ignore[misc]
        except TimeoutError:
            raise RedisTimeoutError("Timeout writing to socket") from None
        finally:
            self.socket_timeout = patience


class _Connection(_Ours, Connection):
    pass


class _TLSConnection(_Ours, SSLConnection):
    pass


class _WatchedConnection(_Ours, sentinel.ToThePrimary):
    pass


class Client(ArqRedis):
    """Also speaks ARQ, and rings for what it enqueues: an idle worker need not find it by looking."""

    async def enqueue_job(self, *args: Any, **kwargs: Any) -> Job | None:
        job = await super().enqueue_job(*args, **kwargs)
        if job is not None:
            async with self.pipeline(transaction=False) as pipe:
                pipe.rpush(WAKE_KEY, "1")
                pipe.ltrim(WAKE_KEY, 0, 63)
                await pipe.execute()
        return job


def connect(url: str, *, socket_timeout: float = 5.0, max_connections: int = 50) -> Client:
    """A client that also speaks ARQ (`enqueue_job`), with JSON payloads; it connects on first use.

    A connection that a restarted server left behind is replaced once, silently; a server that is away is an error.
    A burst waits for a free connection: the plain pool would refuse it, which looks like a server that is away.
    """
    options: dict[str, Any] = {
        "timeout": socket_timeout,
        "socket_timeout": socket_timeout,
        "socket_connect_timeout": 2.0,
        "socket_keepalive": True,
        "health_check_interval": 15,
        "max_connections": max_connections,
        "retry": Retry(ExponentialBackoff(cap=0.1, base=0.01), 1),
        "retry_on_error": [RedisConnectionError],
    }
    pool = _watched_pool(url, options) if sentinel.is_watched(url) else _pool(url, options)
    return Client(
        pool_or_conn=pool, job_serializer=json.dumps, job_deserializer=json.loads, default_queue_name=QUEUE_KEY
    )


def _pool(url: str, options: dict[str, Any]) -> BlockingConnectionPool:
    pool = BlockingConnectionPool.from_url(url, **options)
    pool.connection_class = _TLSConnection if issubclass(pool.connection_class, SSLConnection) else _Connection
    return pool


def _watched_pool(url: str, options: dict[str, Any]) -> BlockingConnectionPool:
    watched = sentinel.parse(url)
    return BlockingConnectionPool(
        connection_class=_WatchedConnection,
        find=partial(sentinel.find_primary, watched),
        db=watched.database,
        username=watched.username,
        password=watched.password,
        **options,
    )


def arq_settings(url: str) -> RedisSettings:
    """The same place in ARQ's own words, for its command line."""
    if not sentinel.is_watched(url):
        return RedisSettings.from_dsn(url)
    watched = sentinel.parse(url)
    return RedisSettings(
        host=list(watched.sentinels),
        sentinel=True,
        sentinel_master=watched.name,
        database=watched.database,
        username=watched.username,
        password=watched.password,
    )


async def disconnect(client: ArqRedis) -> None:
    await client.aclose(close_connection_pool=True)


def with_database(url: str, database: int) -> str:
    """The same server, another logical database."""
    parts = urlsplit(url)
    path = f"/{sentinel.parse(url).name}/{database}" if sentinel.is_watched(url) else f"/{database}"
    return urlunsplit(parts._replace(path=path))


def place(url: str) -> tuple[str, int, int]:
    """(host, port, database): two urls with the same place are the same keyspace, however they are spelled.

    What Sentinels watch has the first Sentinel's place, with the primary's name before it."""
    if sentinel.is_watched(url):
        watched = sentinel.parse(url)
        (host, port), *_ = watched.sentinels
        return (f"{watched.name}@{host}", port, watched.database)
    parts = urlsplit(url)
    return (parts.hostname or "localhost", parts.port or 6379, int(parts.path.lstrip("/") or 0))
