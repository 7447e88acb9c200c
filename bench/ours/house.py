"""A database for each turn, and the environment of a deployment on it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from app.core.bootstrap import ensure_tenant
from app.core.migrate import migrate
from app.kit.db import plain_url
from bench.ours.shapes import TENANT
from bench.stage import Stage

TEMPLATE = "bench_template"
LIMITS = {
    "requests_per_minute": 10**9,
    "jobs_per_minute": 10**9,
    "max_queued": 10**9,
    "lane_max_queue": 10**6,
}

# What jobs with effects write to: a tenant's table as any other.
NOTES = """
create table bench_notes (
    job_id     uuid not null,
    tenant_id  text not null,
    body       text not null,
    created_at timestamptz not null default now(),
    primary key (job_id, tenant_id)
);
alter table bench_notes enable row level security;
alter table bench_notes force row level security;
create policy bench_notes_tenant on bench_notes to homeroom_app
    using (tenant_id = nullif(current_setting('app.tenant', true), ''))
    with check (tenant_id = nullif(current_setting('app.tenant', true), ''));
grant select, insert on bench_notes to homeroom_app;
"""


class House:
    """Makes each turn's deployment: an empty, migrated database, the tenant `demo` and its keys."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._database: str | None = None
        stage.postgres.create_database(TEMPLATE)
        url = stage.postgres.url(TEMPLATE)
        migrate(url)
        self.keys = ensure_tenant(url, stage.master_key, TENANT, {})
        self.execute(NOTES, url=url)
        self.execute("update tenants set limits = $1::jsonb", json.dumps(LIMITS), url=url)

    def fresh(self, **more: str) -> dict[str, str]:
        """The environment of a deployment with nothing in it; the last one's database is dropped."""
        if self._database is not None:
            self.execute(f"drop database {self._database} with (force)", url=self._stage.postgres.url("postgres"))
        self._database = f"bench_{self._stage.number()}"
        self._stage.postgres.create_database(self._database, TEMPLATE)
        return {
            "APP_ENV": "production",
            "LOG_LEVEL": "info",
            "DIAGNOSTICS": "true",
            "DATABASE_URL": self.url,
            "REDIS_URL": self._stage.redis.url(0),
            "MASTER_KEY": self._stage.master_key,
            "ADMIN_KEY": self._stage.admin_key,
            "BENCH_API_KEY": self.keys["api_key"],
        } | more

    @property
    def url(self) -> str:
        assert self._database is not None, "fresh() comes first"
        return self._stage.postgres.url(self._database)

    def pause(self, queue: str, *, paused: bool = True) -> None:
        """As an operator would; workers heed it within half a second."""
        statement = "insert into queue_controls (queue, paused) values ($1, $2)"
        self.execute(f"{statement} on conflict (queue) do update set paused = excluded.paused", queue, paused)

    def add_tenants(self, names: Iterable[str]) -> None:
        statement = "insert into tenants (tenant_id, limits) select unnest($1::text[]), $2::jsonb"
        self.execute(statement, list(names), json.dumps(LIMITS))

    def execute(self, statement: str, *arguments: Any, url: str | None = None) -> None:
        asyncio.run(_execute(url or self.url, statement, arguments))

    def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        return asyncio.run(_fetch(self.url, statement, arguments))

    def value(self, statement: str, *arguments: Any) -> Any:
        return self.fetch(statement, *arguments)[0][0]


async def _execute(url: str, statement: str, arguments: Sequence[Any]) -> None:
    connection = await asyncpg.connect(plain_url(url))
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()


async def _fetch(url: str, statement: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(plain_url(url))
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
        return rows
    finally:
        await connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
