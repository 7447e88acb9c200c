"""Real servers for the whole session, a migrated database of its own for each module, empty Redis databases.

`make test` shares the files among several processes, each with servers of its own: what a module's fixtures open stays
in one of them.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import redis as redis_client
from xdist.scheduler import LoadFileScheduling

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from app.core.migrate import migrate
from app.core.preflight import open_database
from app.kit.db import Connection, Database
from tests.support.deployment import Deployment, make_deployment, serve_api

TEMPLATE = "homeroom_template"
FAULTS = "tests/faults/"

_numbers = itertools.count(1)


class ByModule(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file goes to one process as a whole; the faults do so together, since they strike one deployment."""

    def _split_scope(self, nodeid: str) -> str:
        return FAULTS if nodeid.startswith(FAULTS) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModule:
    return ByModule(config, log)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("servers") / "postgres", durable=False)
    server.start()
    try:
        server.create_database(TEMPLATE)
        migrate(server.url(TEMPLATE))
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("servers") / "redis", durable=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedPostgres) -> str:
    """A migrated, empty database of this module's own."""
    name = f"homeroom_test_{next(_numbers)}"
    postgres.create_database(name, template=TEMPLATE)
    return postgres.url(name)


@pytest.fixture(scope="module")
def deployment(database_url: str, redis_server: EmbeddedRedis) -> Deployment:
    """Servers with nothing in them but the tenant `demo` and its keys."""
    flush_all(redis_server)
    return make_deployment(database_url, redis_server.url(0))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(deployment: Deployment) -> AsyncIterator[Database]:
    opened = await open_database(deployment.settings(), "homeroom tests")
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the real API with the key of tenant `demo`."""
    async with serve_api(deployment) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def ledger(database: Database) -> AsyncIterator[Connection]:
    """A connection as the engine, across tenants."""
    async with database.ledger.acquire() as connection:
        yield connection


@pytest.fixture
def tenant() -> str:
    """A tenant of the test's own: what other tests of the module left behind is not its business."""
    return f"tenant-{next(_numbers)}"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def flush_all(server: EmbeddedRedis) -> None:
    client = redis_client.Redis.from_url(server.url(0))
    try:
        client.flushall()
    finally:
        client.close()
