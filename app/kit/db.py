"""Postgres: two roles, two doors.

`Database.ledger` is a pool of plain asyncpg connections as `homeroom_engine`, for the ledger's set-based statements
across tenants. `Database.session(tenant_id)` is a SQLAlchemy session as `homeroom_app`, bound to one tenant by row
level security for exactly one transaction. Nothing depends on session state, so pgbouncer in transaction mode works.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from app.kit.tenant import TENANT_ID

Connection: TypeAlias = "asyncpg.Connection | asyncpg.pool.PoolConnectionProxy"

# What asyncpg raises when the server or the way to it is gone: try again, nothing was wrong with the statement.
CONNECTION_LOST: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server ended the connection in the middle of a reply
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)

# After these a connection of one's own is not to be used again: its protocol may stand in the middle of a reply.
BROKEN: tuple[type[BaseException], ...] = (*CONNECTION_LOST, asyncio.CancelledError)

# Worth another try: the connection was lost, or Postgres chose this statement as the victim of a deadlock.
TRY_AGAIN: tuple[type[Exception], ...] = (*CONNECTION_LOST, asyncpg.TransactionRollbackError)


class Role(StrEnum):
    """Who a connection acts as. Migrations make the roles; see docs/ARCHITECTURE.md for what each may do."""

    OWNER = "homeroom_owner"
    APP = "homeroom_app"
    ENGINE = "homeroom_engine"


class Base(DeclarativeBase):
    """The one registry of tables; each room declares its own in `models.py`."""


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    app_url: str
    engine_url: str
    pool_size: int = 10
    ledger_pool_size: int = 10
    statement_cache_size: int = 256
    connect_timeout: float = 5.0
    command_timeout: float = 30.0


# How the ledger's batches are to be planned: by the ids that they name, whatever statistics say of a table that
# fills and empties by the second. (Behind pgbouncer these stand on the login: `alter role homeroom_engine set ...`.)
PLANS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "enable_material": "off",
    "jit": "off",
}


class Reserved:
    """One connection that a hot path keeps for itself: its statements stay prepared, and nobody is before it."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection, opened when it is needed; one that was lost is replaced the next time."""
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            try:
                yield self._connection
            except BROKEN:
                self._connection.terminate()
                raise

    async def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(*CONNECTION_LOST):
                await self._connection.close(timeout=2.0)


class Line:
    """Those who want one of so many connections: entered by each of them, for as long as it wants one or has one."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._inside = 0

    def __enter__(self) -> None:
        self._inside += 1

    def __exit__(self, *_error: object) -> None:
        self._inside -= 1

    def __len__(self) -> int:
        """How many wait for one."""
        return max(0, self._inside - self._connections)


class Database:
    """Both doors, opened and closed together."""

    def __init__(self, options: DatabaseOptions, *, application_name: str) -> None:
        self._options = options
        self._name = application_name
        self._pool: asyncpg.Pool | None = None
        self._tenants: asyncpg.Pool | None = None
        self._app: AsyncEngine | None = None
        self._statements_line, self._sessions_line = Line(options.pool_size), Line(options.pool_size)
        reserved = partial(self.connect_ledger, options.command_timeout)
        self.submits, self.begins, self.finishes = Reserved(reserved), Reserved(reserved), Reserved(reserved)

    async def open(self) -> None:
        options = self._options
        self._pool = await self._open_pool(options.engine_url, Role.ENGINE, 1, options.ledger_pool_size)
        self._tenants = await self._open_pool(options.app_url, Role.APP, 0, options.pool_size, planned=True)
        self._app = create_async_engine(
            sqlalchemy_url(options.app_url),
            pool_size=options.pool_size,
            max_overflow=0,
            pool_timeout=options.command_timeout,
            pool_pre_ping=True,  # a restarted server costs no reader an error
            connect_args={
                "server_settings": session_settings(options.app_url, Role.APP, self._name),
                "statement_cache_size": options.statement_cache_size,
                "prepared_statement_cache_size": options.statement_cache_size,
                "timeout": options.connect_timeout,
                "command_timeout": options.command_timeout,
            },
        )

    async def close(self) -> None:
        await self.submits.close()
        await self.begins.close()
        await self.finishes.close()
        if self._app is not None:
            await self._app.dispose()
        for pool in (self._tenants, self._pool):
            if pool is not None:
                await pool.close()

    @property
    def in_line(self) -> int:
        """How many wait for a connection to a tenant's data."""
        return len(self._statements_line) + len(self._sessions_line)

    @property
    def ledger(self) -> asyncpg.Pool:
        assert self._pool is not None, "Database.open() comes first"
        return self._pool

    async def connect_ledger(self, command_timeout: float | None = None) -> asyncpg.Connection:
        """One connection as `homeroom_engine` outside the pool, on the calling thread's own loop."""
        options = self._options
        plans = PLANS if options.statement_cache_size else {}  # without the cache: behind pgbouncer, which refuses them
        return await asyncpg.connect(
            dsn=plain_url(options.engine_url),
            server_settings=session_settings(options.engine_url, Role.ENGINE, self._name) | plans,
            statement_cache_size=options.statement_cache_size,
            timeout=options.connect_timeout,
            command_timeout=command_timeout or options.connect_timeout,
        )

    async def _open_pool(self, url: str, role: Role, least: int, most: int, *, planned: bool = False) -> asyncpg.Pool:
        options = self._options
        plans = PLANS if planned and options.statement_cache_size else {}
        return await asyncpg.create_pool(
            dsn=plain_url(url),
            min_size=least,
            max_size=most,
            reset=_leave_as_it_is,
            server_settings=session_settings(url, role, self._name) | plans,
            statement_cache_size=options.statement_cache_size,
            timeout=options.connect_timeout,
            command_timeout=options.command_timeout,
        )

    @asynccontextmanager
    async def tenant(self, tenant_id: str) -> AsyncIterator[Connection]:
        """The same transaction as `session`, without its objects: for statements alone, at a fraction of the cost.

        It begins and binds the tenant in one round trip, so asyncpg knows nothing of it: no savepoints within.
        """
        assert self._tenants is not None, "Database.open() comes first"
        if TENANT_ID.fullmatch(tenant_id) is None:  # it stands in the statement itself
            raise ValueError(f"{tenant_id!r} is no tenant's id")
        with self._statements_line:
            async with self._tenants.acquire() as connection:
                try:
                    await connection.execute(f"begin; set local app.tenant = '{tenant_id}'")
                    yield connection
                    await connection.execute("commit")
                except BaseException:
                    await _roll_back(connection)
                    raise

    @asynccontextmanager
    async def session(self, tenant_id: str) -> AsyncIterator[AsyncSession]:
        """One transaction as the application's role, seeing one tenant; commits when the block ends well."""
        assert self._app is not None, "Database.open() comes first"
        try:
            with self._sessions_line:
                async with AsyncSession(self._app, expire_on_commit=False) as session, session.begin():
                    await session.execute(_BIND_TENANT, {"tenant": tenant_id})
                    yield session
        except DBAPIError as error:
            if isinstance(cause := error.orig.__cause__ if error.orig else None, TRY_AGAIN):
                raise cause from error  # in the driver's words, by which callers know an outage from a mistake
            raise


async def _leave_as_it_is(_connection: asyncpg.Connection) -> None:
    """Nothing here depends on session state or leaves any, so that going back to the pool costs no round trip."""


async def _roll_back(connection: Connection) -> None:
    """Whether there is a transaction is not asked: of a statement that was cancelled on its way nobody knows yet."""
    try:
        await connection.execute("rollback")
    except CONNECTION_LOST:
        connection.terminate()


@asynccontextmanager
async def transaction(connection: Connection) -> AsyncIterator[None]:
    """One of its own, or the one that is open."""
    if connection.is_in_transaction():
        yield
        return
    async with connection.transaction():
        yield


_BIND_TENANT = text("select set_config('app.tenant', :tenant, true)")


async def driver_connection(session: AsyncSession) -> Connection:
    """The asyncpg connection below a session whose transaction has begun: ledger verbs can join it."""
    fairy = await (await session.connection()).get_raw_connection()
    connection: Connection | None = fairy.driver_connection
    assert connection is not None
    return connection


def plain_url(url: str) -> str:
    """`postgresql://...`, whatever dialect the operator wrote."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql"))


def sqlalchemy_url(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


def session_settings(url: str, role: Role, application_name: str) -> dict[str, Any]:
    """Start-up parameters: take the role, unless the login is that role already (the way to go behind pgbouncer)."""
    settings = {"application_name": application_name}
    if urlsplit(url).username != role.value:
        settings["role"] = role.value
    return settings
