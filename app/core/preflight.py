"""Before a process serves: are the servers there, are they what Homeroom needs, is the schema the code's?

Servers that are still coming up are waited for, up to `STARTUP_WAIT_SECONDS`. Anything else is one message with its
cure, and exit code 78. Later outages are ridden out; this is only about starting.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.config import Settings
from app.core.migrate import require_schema
from app.kit.db import CONNECTION_LOST, Database, driver_connection
from app.kit.errors import ConfigurationError
from app.kit.redis import REDIS_AWAY, connect, disconnect, place

T = TypeVar("T")

_REFUSED_LOGIN = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)


async def open_database(settings: Settings, application_name: str) -> Database:
    """A database that is reachable, migrated, and behind which row level security holds."""
    database = Database(settings.database.options(), application_name=application_name)
    try:
        with explained():
            await _wait_for(database.open, settings.app.startup_wait, CONNECTION_LOST, "DATABASE_URL", "Postgres")
            async with database.ledger.acquire() as connection:
                await require_schema(connection)
            await _require_walls(database)
    except BaseException:
        await database.close()
        raise
    return database


@contextmanager
def explained() -> Iterator[None]:
    """What Postgres says to a login that it does not like, with its cure."""
    try:
        yield
    except _REFUSED_LOGIN as error:
        raise ConfigurationError(
            f"Postgres refuses the login of DATABASE_URL: {error}.", cure="Correct user, password or database name."
        ) from None
    except asyncpg.InvalidParameterValueError as error:  # the role to take does not exist yet
        raise ConfigurationError(
            f"The database is not prepared: {error}.", cure="Run `homeroom migrate` first; it makes roles and tables."
        ) from None
    except asyncpg.InsufficientPrivilegeError as error:  # the login is no member of the role to take
        raise ConfigurationError(
            f"The login of DATABASE_URL may not act as Homeroom's roles: {error}.",
            cure="As the owner: grant homeroom_app, homeroom_engine to that login; or set DATABASE_APP_URL and "
            "DATABASE_ENGINE_URL to logins of those names.",
        ) from None


async def _require_walls(database: Database) -> None:
    """The application must not act as a role that row level security does not bind."""
    try:
        async with database.session("-") as session:
            connection = await driver_connection(session)
            role = await connection.fetchrow(
                "select current_user as name, rolsuper or rolbypassrls as unbound from pg_roles "
                "where rolname = current_user"
            )
            await session.execute(text("select 1 from jobs limit 1"))
    except DBAPIError as error:
        raise ConfigurationError(
            f"The application's database role cannot read the ledger: {error.orig}.",
            cure="Run `homeroom migrate`; with DATABASE_APP_URL, log in as homeroom_app.",
        ) from None
    if role is None or role["unbound"]:
        raise ConfigurationError(
            "The application's database role bypasses row level security: tenants would see each other.",
            cure="Let DATABASE_APP_URL log in as homeroom_app, or as a role that may `set role homeroom_app`.",
        )


async def check_redis(urls: Iterable[str], startup_wait: float) -> None:
    """Every server answers and evicts nothing: an evicted hint or lane would be lost in silence."""
    checked: set[tuple[str, int]] = set()
    for url in urls:
        server = place(url)[:2]
        if server in checked:
            continue
        checked.add(server)
        policy = await _wait_for(partial(_policy, url), startup_wait, REDIS_AWAY, "REDIS_URL", "Redis")
        if policy != "noeviction":
            raise ConfigurationError(
                f"Redis at {server[0]}:{server[1]} evicts keys (maxmemory-policy {policy}).",
                cure="Set `maxmemory-policy noeviction` on that server.",
            )


async def _policy(url: str) -> str:
    redis = connect(url)
    try:
        return str((await redis.info("memory"))["maxmemory_policy"])
    finally:
        await disconnect(redis)


async def _wait_for(
    ask: Callable[[], Awaitable[T]], seconds: float, away: tuple[type[Exception], ...], variable: str, server: str
) -> T:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await ask()
        except _REFUSED_LOGIN:
            raise
        except away as error:
            if time.monotonic() >= deadline:
                raise ConfigurationError(
                    f"{server} cannot be reached: {error or type(error).__name__}.",
                    cure=f"Start it, or correct {variable}. Waited {seconds:g} s (STARTUP_WAIT_SECONDS).",
                ) from None
            await asyncio.sleep(0.2)
