"""Where Postgres and Redis come from: embedded ones, unless the environment names others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from app.core.up.parts import ServerPart
from app.core.up.workspace import Workspace
from app.kit.errors import ConfigurationError

DATABASE = "homeroom"


class Servers(Protocol):
    """A Postgres and a Redis, and those of our parts that run them."""

    @property
    def parts(self) -> tuple[ServerPart, ...]: ...

    async def urls(self) -> tuple[str, str]:
        """Of Postgres, with the database made, and of Redis; the parts are up."""


class EmbeddedServers:
    """A Postgres and a Redis of this data directory."""

    def __init__(self, workspace: Workspace) -> None:
        self._postgres = EmbeddedPostgres(workspace.postgres, log_file=workspace.log("postgres"))
        self._redis = EmbeddedRedis(workspace.redis, log_file=workspace.log("redis"))
        self.parts = (ServerPart("postgres", self._postgres), ServerPart("redis", self._redis))

    async def urls(self) -> tuple[str, str]:
        await asyncio.to_thread(self._postgres.create_database, DATABASE)
        return self._postgres.url(DATABASE), self._redis.url()


class GivenServers:
    """Somebody else's servers: we use them, and neither start nor stop them."""

    parts = ()

    def __init__(self, database_url: str, redis_url: str) -> None:
        self._urls = database_url, redis_url

    async def urls(self) -> tuple[str, str]:
        return self._urls


def choose(environment: Mapping[str, str], workspace: Workspace) -> Servers:
    """Both or neither: half of a deployment beside half of a demonstration would be a surprise."""
    database_url, redis_url = environment.get("DATABASE_URL"), environment.get("REDIS_URL")
    if database_url and redis_url:
        return GivenServers(database_url, redis_url)
    if database_url or redis_url:
        given, missing = ("DATABASE_URL", "REDIS_URL") if database_url else ("REDIS_URL", "DATABASE_URL")
        raise ConfigurationError(
            f"{given} is set and {missing} is not.",
            cure=f"Set {missing} too, to use your own servers, or unset {given}, to use embedded ones.",
        )
    return EmbeddedServers(workspace)
