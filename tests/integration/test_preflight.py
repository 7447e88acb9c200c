"""What a process looks at before it serves, one reason to refuse at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest
import redis as redis_client

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from app.core.preflight import check_redis, open_database
from app.kit.errors import ConfigurationError
from tests.support.deployment import Deployment, free_port


@asynccontextmanager
async def login(deployment: Deployment, name: str, *, roles: str = "") -> AsyncIterator[str]:
    """A login of its own, with these roles; its url."""
    superuser = await asyncpg.connect(deployment.database_url)
    await superuser.execute(f"create role {name} login password 'secret-word'")
    if roles:
        await superuser.execute(f"grant {roles} to {name}")
    place = deployment.database_url.rpartition("@")[2]
    try:
        yield f"postgresql://{name}:secret-word@{place}"
    finally:
        await superuser.execute(f"drop role {name}")
        await superuser.close()


async def refusal(deployment: Deployment, **environment: str) -> ConfigurationError:
    settings = deployment.settings(STARTUP_WAIT_SECONDS="0", **environment)
    with pytest.raises(ConfigurationError) as refused:
        await open_database(settings, "homeroom tests")
    assert "secret-word" not in str(refused.value)
    return refused.value


async def test_an_ordinary_login_with_both_roles_will_do(deployment: Deployment) -> None:
    async with login(deployment, "ordinary", roles="homeroom_app, homeroom_engine") as url:
        database = await open_database(deployment.settings(DATABASE_URL=url), "homeroom tests")
        await database.close()


@pytest.mark.parametrize("roles", ["", "homeroom_app", "homeroom_engine"], ids=["none", "app", "engine"])
async def test_a_login_that_may_not_take_the_roles_is_told_so(deployment: Deployment, roles: str) -> None:
    async with login(deployment, "halfway", roles=roles) as url:
        refused = await refusal(deployment, DATABASE_URL=url)
    assert "role" in refused.problem
    assert "homeroom migrate" in refused.cure or "DATABASE_APP_URL" in refused.cure


@pytest.mark.parametrize("variable", ["DATABASE_URL", "DATABASE_APP_URL", "DATABASE_ENGINE_URL"])
async def test_a_wrong_password_is_a_refused_login(deployment: Deployment, variable: str) -> None:
    wrong = deployment.database_url.replace("homeroom:", "homeroom:secret-word", 1)
    assert "login" in (await refusal(deployment, **{variable: wrong})).problem


async def test_a_database_that_does_not_exist_is_a_refused_login(deployment: Deployment) -> None:
    absent = deployment.database_url.rpartition("/")[0] + "/absent"
    assert "absent" in (await refusal(deployment, DATABASE_URL=absent)).problem


async def test_a_role_that_bypasses_the_walls_is_refused(deployment: Deployment) -> None:
    superuser = await asyncpg.connect(deployment.database_url)
    await superuser.execute("alter role homeroom_app bypassrls")
    try:
        refused = await refusal(deployment)
    finally:
        await superuser.execute("alter role homeroom_app nobypassrls")
        await superuser.close()
    assert "bypasses row level security" in refused.problem


async def test_a_cluster_without_the_roles_asks_for_the_migration(deployment: Deployment, tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "fresh", durable=False)
    await asyncio.to_thread(server.start)
    try:
        refused = await refusal(deployment, DATABASE_URL=server.url("postgres"))
    finally:
        await asyncio.to_thread(server.stop)
    assert "homeroom migrate" in refused.cure


async def test_a_redis_that_is_still_coming_up_is_waited_for(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "late", durable=False, port=free_port())
    server.start()
    url = server.url(0)
    server.stop()
    checking = asyncio.create_task(check_redis([url], startup_wait=30.0))
    done, _ = await asyncio.wait({checking}, timeout=0.3)
    assert not done
    await asyncio.to_thread(server.start)
    try:
        await checking
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_redis_password_that_is_wrong_is_told(redis_server: EmbeddedRedis) -> None:
    wrong = redis_server.url(0).replace(quote(redis_server.password), "secret-word")
    with pytest.raises(ConfigurationError, match="password") as refused:
        await check_redis([wrong], startup_wait=0.0)
    assert "secret-word" not in str(refused.value)


async def test_every_server_is_asked_and_each_only_once(redis_server: EmbeddedRedis, tmp_path: Path) -> None:
    evicting = EmbeddedRedis(tmp_path / "evicting", durable=False)
    await asyncio.to_thread(evicting.start)
    try:
        client = redis_client.Redis.from_url(evicting.url(0))
        client.config_set("maxmemory-policy", "volatile-ttl")
        client.close()
        await check_redis([redis_server.url(number) for number in range(8)], startup_wait=0.0)
        with pytest.raises(ConfigurationError, match=r"evicts keys \(maxmemory-policy volatile-ttl\)"):
            await check_redis([redis_server.url(0), redis_server.url(1), evicting.url(5)], startup_wait=0.0)
    finally:
        await asyncio.to_thread(evicting.stop)
