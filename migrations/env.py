"""Alembic's environment: async engine, one transaction for all revisions, objects owned by `homeroom_owner`."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

import app.engine.models
import app.library.models
import app.tenancy.models
import app.workloads.assignment.models
import app.workloads.chat.models
import app.workloads.exam.models
import app.workloads.profile.models
import app.workloads.uploads.models  # noqa: F401 - they fill Base.metadata
from app.core.roles import become_owner
from app.kit.db import Base, sqlalchemy_url
from app.kit.errors import ConfigurationError


def run(connection: Connection) -> None:
    become_owner(connection)
    context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()


async def run_online() -> None:
    url = context.config.attributes.get("database_url") or os.environ.get("DATABASE_URL")
    if not url:
        raise ConfigurationError("DATABASE_URL is not set.", cure="Set it to postgresql://user:password@host/database.")
    engine = create_async_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


asyncio.run(run_online())
