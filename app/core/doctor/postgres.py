"""Postgres as a server, and the two logins that serve: reachable, right and bound."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg

from app.core.config import Settings
from app.core.doctor.budget import connection_budget
from app.core.doctor.clocks import judge_clock, offset_of
from app.core.doctor.findings import Finding, Findings, fail, ok, warn
from app.core.preflight import explained
from app.kit.db import CONNECTION_LOST, Connection, Role, plain_url, session_settings
from app.kit.errors import ConfigurationError

TESTED = 18
OLDEST = 15
COMMITS = 15
SLOW_COMMIT = 0.020  # seconds; a job waits for two
LOGINS = {Role.APP: "app", Role.ENGINE: "engine"}


async def check_logins(settings: Settings) -> Findings:
    """Both must be there before anything else is worth asking."""
    for role, name in LOGINS.items():
        try:
            async with connected(settings, role) as connection:
                yield await _login(connection, role)
        except ConfigurationError as error:
            yield fail(f"postgres {name}", error.problem, error.cure)
        except CONNECTION_LOST as error:
            yield fail(
                f"postgres {name}",
                f"it cannot be reached: {error or type(error).__name__}",
                "Start it, or correct DATABASE_URL (DATABASE_APP_URL, DATABASE_ENGINE_URL).",
            )


async def check_server(settings: Settings) -> Findings:
    async with connected(settings, Role.ENGINE) as connection:
        yield await _version(connection)
        yield await _durability(connection, production=settings.app.production)
        yield await _connections(connection, settings)
        if not settings.database.statement_cache_size:
            yield await _plans(connection)
        offset, error = await offset_of(partial(_time_of, connection))
        yield judge_clock("postgres", offset, error, settings.worker.lease)
    async with connected(settings, Role.APP) as connection:
        yield await _commits(connection)


@asynccontextmanager
async def connected(settings: Settings, role: Role) -> AsyncIterator[asyncpg.Connection]:
    """As a process of ours connects; what the server says to the login is told with its cure."""
    database = settings.database
    url = database.app_url if role is Role.APP else database.engine_url
    with explained():
        connection = await asyncpg.connect(
            dsn=plain_url(url or database.url),
            server_settings=session_settings(url or database.url, role, "homeroom doctor"),
            statement_cache_size=0,  # also right behind pgbouncer
            timeout=5.0,
            command_timeout=30.0,
        )
    try:
        yield connection
    finally:
        await connection.close()


async def _login(connection: Connection, role: Role) -> Finding:
    name = f"postgres {LOGINS[role]}"
    row = await connection.fetchrow(_LOGIN)
    variable = "DATABASE_APP_URL" if role is Role.APP else "DATABASE_ENGINE_URL"
    if row["acts_as"] != role:
        cure = f"Let {variable} log in as {role}, or as a role that may `set role {role}`."
        return fail(name, f"it acts as {row['acts_as']}, not as {role}", cure)
    if row["unbound"]:
        cure = f"As a superuser: alter role {role} nosuperuser nobypassrls."
        return fail(name, f"{role} bypasses row level security: tenants would see each other", cure)
    if row["superuser"]:
        return warn(
            name,
            f"acts as {role}, but logs in as the superuser {row['logs_in_as']}, who could do anything",
            f"Give it a login of its own: alter role {role} login password '...', and set {variable}.",
        )
    return ok(name, f"logs in as {row['logs_in_as']}, acts as {role}")


async def _version(connection: Connection) -> Finding:
    number = int(await connection.fetchval("select current_setting('server_version_num')"))
    major, found = number // 10_000, f"Postgres {await connection.fetchval('show server_version')}"
    if major < OLDEST:
        return fail("postgres version", f"{found} is too old", f"Use Postgres {OLDEST} or newer.")
    if major < TESTED:
        return warn("postgres version", f"{found}; tested with {TESTED}", f"Plan the upgrade to {TESTED}.")
    return ok("postgres version", found)


async def _durability(connection: Connection, *, production: bool) -> Finding:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    off = [name for name in names if await connection.fetchval(f"show {name}") == "off"]
    if not off:
        return ok("postgres durability", "an answered 202 is on the disk")
    judge = fail if production else warn
    return judge(
        "postgres durability",
        f"{', '.join(off)} off: a crash loses jobs that were accepted",
        "Switch it on in postgresql.conf and reload.",
    )


async def _connections(connection: Connection, settings: Settings) -> Finding:
    budget = connection_budget(settings.database)
    row = await connection.fetchrow(_CONNECTIONS)
    at_most = budget.of(apis=1, workers=row["workers"])
    found = (
        f"{row['used']} of {row['room']} in use; at most {budget.api} an API process, {budget.worker} a worker: "
        f"one API and the {row['workers']} workers of now may take {at_most}"
    )
    if at_most <= row["room"] or not settings.database.statement_cache_size:  # behind pgbouncer they share
        return ok("postgres connections", found)
    return warn(
        "postgres connections",
        found,
        "Raise max_connections, lower DATABASE_POOL_SIZE and DATABASE_LEDGER_POOL_SIZE, or put pgbouncer between.",
    )


async def _plans(connection: Connection) -> Finding:
    """Behind pgbouncer the ledger's planner settings cannot travel with the connection."""
    if await connection.fetchval("show enable_seqscan") == "off":
        return ok("postgres plans", "the ledger's planner settings stand on its role")
    return warn(
        "postgres plans",
        "behind pgbouncer, and the ledger's planner settings do not stand on its role: begins may slow down",
        "As a superuser: alter role homeroom_engine set enable_seqscan = off (and the others; docs/OPERATIONS.md).",
    )


async def _commits(connection: Connection) -> Finding:
    """What a flush costs, the way there included: eight KiB of log that mean nothing, and a commit."""
    taken = []
    for _ in range(COMMITS):
        began = time.perf_counter()
        await connection.fetchval("select pg_logical_emit_message(true, 'homeroom doctor', repeat('x', 8192))")
        taken.append(time.perf_counter() - began)
    median = statistics.median(taken)
    found = f"{median * 1000:.1f} ms median of {COMMITS}, {max(taken) * 1000:.1f} ms the slowest"
    if median > SLOW_COMMIT:
        cure = "Give Postgres a disk that flushes faster (local NVMe), or bring it nearer."
        return warn("postgres commit", found, cure)
    return ok("postgres commit", found)


async def _time_of(connection: Connection) -> float:
    return float(await connection.fetchval("select extract(epoch from clock_timestamp())::float8"))


_LOGIN = """
select current_user as acts_as, session_user as logs_in_as, acting.rolsuper or acting.rolbypassrls as unbound,
       login.rolsuper as superuser
from pg_roles acting, pg_roles login where acting.rolname = current_user and login.rolname = session_user
"""

_CONNECTIONS = """
select (select sum(numbackends) from pg_stat_database) as used,
       (select setting::int from pg_settings where name = 'max_connections')
       - (select setting::int from pg_settings where name = 'superuser_reserved_connections') as room,
       (select count(*) from workers where lease_until > now()) as workers
"""
