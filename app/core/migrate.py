"""Bring a database's schema up to this code, and tell whether it is."""

from __future__ import annotations

import asyncio
import concurrent.futures
from pathlib import Path

import asyncpg

from app.kit.db import Connection
from app.kit.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]


def required_revision() -> str:
    """The newest migration that this code carries: revisions are numbers, so the files' names tell without Alembic."""
    return max(file.name.partition("_")[0] for file in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))


async def applied_revision(connection: Connection) -> str | None:
    """What the database says of itself; None where no migration ever ran."""
    try:
        revision: str | None = await connection.fetchval("select max(version_num) from alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    return revision


async def require_schema(connection: Connection) -> None:
    """A schema behind the code is refused; one ahead of it is a deployment under way (migrations expand first)."""
    applied, required = await applied_revision(connection), required_revision()
    if applied is None or applied < required:
        raise ConfigurationError(
            f"The database's schema is behind this code: it is at {applied or 'nothing'}, the code needs {required}.",
            cure="Run `homeroom migrate` (or `alembic upgrade head`) with this release, then start again.",
        )


def migrate(database_url: str, revision: str = "head") -> None:
    """Upgrade to `revision`; what is applied already is left alone."""
    _run_alembic("upgrade", database_url, revision)


def downgrade(database_url: str, revision: str) -> None:
    _run_alembic("downgrade", database_url, revision)


def _run_alembic(command: str, database_url: str, revision: str) -> None:
    from alembic import command as commands  # noqa: PLC0415 - a process that only checks the schema needs no Alembic
    from alembic.config import Config  # noqa: PLC0415

    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["database_url"] = database_url
    run = getattr(commands, command)
    if _inside_a_loop():  # the environment starts an event loop of its own
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            thread.submit(run, config, revision).result()
    else:
        run(config, revision)


def _inside_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
