"""Migrations go up, down and up again, and leave exactly the tables that the models describe."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from alembic import command
from alembic.config import Config

from app.core.embedded import EmbeddedPostgres
from app.core.migrate import ROOT, applied_revision, downgrade, migrate, require_schema, required_revision
from app.kit.errors import ConfigurationError

SCHEMA = """
select 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || case when a.attnotnull then ' not null' else '' end
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
union all select 'policy ' || tablename || '.' || policyname || ' ' || roles::text || ' ' || coalesce(qual, '')
          from pg_policies where schemaname = 'public'
union all select 'grant ' || table_name || ' ' || grantee || ' ' || privilege_type
          from information_schema.role_table_grants where table_schema = 'public'
union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid)
          from pg_constraint where connamespace = 'public'::regnamespace
union all select 'function ' || oid::regprocedure || ' ' || coalesce(proacl::text, '') || ' ' || md5(prosrc)
          from pg_proc where pronamespace = 'public'::regnamespace
order by 1
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def empty_url(postgres: EmbeddedPostgres) -> str:
    postgres.create_database("homeroom_migrations")
    return postgres.url("homeroom_migrations")


@pytest_asyncio.fixture(loop_scope="session")
async def connection(empty_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(empty_url)
    yield opened
    await opened.close()


async def schema(connection: asyncpg.Connection) -> list[str]:
    return [record[0] for record in await connection.fetch(SCHEMA)]


async def test_up_down_and_up_again_is_the_same_schema(connection: asyncpg.Connection, empty_url: str) -> None:
    assert await applied_revision(connection) is None
    await asyncio.to_thread(migrate, empty_url)
    first = await schema(connection)
    assert await applied_revision(connection) == required_revision()

    await asyncio.to_thread(downgrade, empty_url, "base")
    assert [line for line in await schema(connection) if "alembic_version" not in line] == []
    assert await applied_revision(connection) is None

    await asyncio.to_thread(migrate, empty_url)
    assert await schema(connection) == first
    await asyncio.to_thread(migrate, empty_url)  # nothing is left to do
    assert await schema(connection) == first


async def test_the_models_are_what_the_migrations_make(empty_url: str) -> None:
    await asyncio.to_thread(migrate, empty_url)
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["database_url"] = empty_url
    await asyncio.to_thread(command.check, config)  # raises where they differ


async def test_migrating_also_works_inside_a_running_loop(connection: asyncpg.Connection, empty_url: str) -> None:
    await asyncio.to_thread(downgrade, empty_url, "base")
    migrate(empty_url)
    assert await applied_revision(connection) == required_revision()


async def test_two_migrations_at_once_wait_for_each_other(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("homeroom_migrations_twice")
    url = postgres.url("homeroom_migrations_twice")
    program = "import sys; from app.core.migrate import migrate; migrate(sys.argv[1])"
    migrations = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, url, cwd=ROOT) for _ in range(3)]
    assert [await each.wait() for each in migrations] == [0, 0, 0]
    connection = await asyncpg.connect(url)
    assert await applied_revision(connection) == required_revision()
    await connection.close()


async def test_an_older_schema_is_refused_and_a_newer_one_is_not(
    connection: asyncpg.Connection, empty_url: str
) -> None:
    await asyncio.to_thread(migrate, empty_url)
    await require_schema(connection)
    for revision, refused in (("0000", True), ("9999", False)):
        await connection.execute("update alembic_version set version_num = $1", revision)
        if refused:
            with pytest.raises(ConfigurationError, match="behind this code") as refusal:
                await require_schema(connection)
            assert "homeroom migrate" in refusal.value.cure
        else:
            await require_schema(connection)
    await connection.execute("update alembic_version set version_num = $1", required_revision())


def test_revisions_are_numbered_in_one_line() -> None:
    files = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    numbers = [Path(file).name.partition("_")[0] for file in files]
    assert numbers == [f"{number:04}" for number in range(1, len(files) + 1)]
    assert required_revision() == numbers[-1]
