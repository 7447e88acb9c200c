"""Keys and tokens at the door: uses noted, ends heeded, master keys rotated, JWTs taken at their word's worth."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from app.kit.db import Database
from app.tenancy.access import CACHE_SECONDS, Access, Unauthorized
from app.tenancy.keys import Pepper, issue_key, parse_key
from app.tenancy.models import ApiKey
from tests.support.deployment import MASTER_KEY, TENANT, Deployment, serve_api
from tests.support.waiting import eventually

SECRET = "a-secret-shared-with-the-school-s-login-0123456789"
ISSUER = {
    "issuer": "https://login.example",
    "audience": "homeroom",
    "algorithms": ["HS256"],
    "keys": {"k1": SECRET},
    "scope_claim": "scope",
}


async def issue(database: Database, pepper: Pepper, *, expires_at: datetime | None = None) -> str:
    async with database.session(TENANT) as session:
        return await issue_key(session, pepper, TENANT, name="t", scopes=["jobs:read"], expires_at=expires_at)


async def stored(database: Database, key: str) -> ApiKey:
    parts = parse_key(key)
    assert parts is not None
    async with database.session(TENANT) as session:
        return await session.get_one(ApiKey, (TENANT, parts.key_id))


async def test_the_use_of_a_key_is_noted(database: Database) -> None:
    pepper = Pepper(MASTER_KEY)
    key = await issue(database, pepper)
    assert (await stored(database, key)).last_used_at is None
    await Access(database, pepper, None).authenticate(key)
    assert (await stored(database, key)).last_used_at is not None


async def test_a_key_that_ended_is_refused_even_while_it_is_remembered(database: Database) -> None:
    pepper = Pepper(MASTER_KEY)
    soon = datetime.now(UTC) + timedelta(seconds=1)
    key = await issue(database, pepper, expires_at=soon)
    access = Access(database, pepper, None)
    await access.authenticate(key)

    async def is_refused() -> bool:
        try:
            await access.authenticate(key)
        except Unauthorized:
            return True
        return False

    await eventually(is_refused, within=CACHE_SECONDS - 1, what="the end of the key, before the memory's own")


async def test_a_key_outlives_the_master_key_that_it_was_made_under(database: Database) -> None:
    key = await issue(database, Pepper("the-master-key-of-last-year-with-letters"))
    with pytest.raises(Unauthorized):
        await Access(database, Pepper(MASTER_KEY), None).authenticate(key)
    rotating = Pepper(MASTER_KEY, ["the-master-key-of-last-year-with-letters"])
    await Access(database, rotating, None).authenticate(key)  # and is stored anew by this use
    await Access(database, Pepper(MASTER_KEY), None).authenticate(key)


def token(**claims: Any) -> str:
    now = datetime.now(UTC)
    body = {
        "iss": ISSUER["issuer"],
        "aud": "homeroom",
        "sub": "ada",
        "exp": now + timedelta(minutes=5),
        "tenant": TENANT,
        "scope": "jobs:read jobs:write",
        "role": "student",
    }
    return jwt.encode(body | claims, SECRET, algorithm="HS256", headers={"kid": "k1"})


async def test_a_jwt_opens_its_own_tenant_and_no_other(deployment: Deployment) -> None:
    async with serve_api(deployment, JWT_ISSUERS=json.dumps([ISSUER])) as api:

        async def status(bearer: str, path: str = "/v1/jobs") -> int:
            return (await api.get(path, headers={"Authorization": f"Bearer {bearer}"})).status_code

        assert await status(token()) == 200
        assert await status(token(), f"/t/{TENANT}/v1/jobs") == 200
        assert await status(token(), "/t/another/v1/jobs") == 404
        assert await status(token(scope="jobs:write")) == 403
        assert await status(token(tenant="no-such-tenant")) == 401
        assert await status(token(exp=datetime.now(UTC) - timedelta(hours=1))) == 401
        assert await status(token(aud="another")) == 401
        assert await status(token() + "x") == 401
        assert await status(deployment.keys["api_key"]) == 200


async def test_no_jwt_is_taken_where_no_issuer_is_configured(deployment: Deployment) -> None:
    async with serve_api(deployment) as api:
        answer = await api.get("/v1/jobs", headers={"Authorization": f"Bearer {token()}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
