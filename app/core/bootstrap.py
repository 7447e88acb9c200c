"""The first tenant and its keys, for `homeroom up` and the tests."""

from __future__ import annotations

import asyncio

from app.kit.db import Database, DatabaseOptions
from app.library.demo import seed_demo
from app.tenancy.access import Access, Unauthorized
from app.tenancy.keys import Pepper, issue_key
from app.tenancy.tenants import create_tenant

KEYS = {"api_key": ("jobs:read", "jobs:write"), "operator_key": ("operator",)}


def ensure_tenant(database_url: str, master_key: str, tenant_id: str, known: dict[str, str]) -> dict[str, str]:
    """Register the tenant and return working keys: those in `known` where they still work, new ones otherwise."""
    return asyncio.run(_ensure_tenant(database_url, master_key, tenant_id, known))


def seed_library(database_url: str, tenant_id: str) -> int:
    """Put the demonstration lessons into the tenant's library, unless there is something in it."""
    return asyncio.run(_seed_library(database_url, tenant_id))


async def _seed_library(database_url: str, tenant_id: str) -> int:
    database = Database(_options(database_url), application_name="homeroom bootstrap")
    await database.open()
    try:
        async with database.session(tenant_id) as session:
            return await seed_demo(session, tenant_id)
    finally:
        await database.close()


def _options(database_url: str) -> DatabaseOptions:
    return DatabaseOptions(app_url=database_url, engine_url=database_url, pool_size=1, ledger_pool_size=1)


async def _ensure_tenant(database_url: str, master_key: str, tenant_id: str, known: dict[str, str]) -> dict[str, str]:
    database = Database(_options(database_url), application_name="homeroom bootstrap")
    await database.open()
    try:
        await create_tenant(database, tenant_id)
        pepper = Pepper(master_key)
        access = Access(database, pepper, admin_key=None)
        return {
            name: known[name]
            if name in known and await _works(access, known[name], tenant_id)
            else await _issue(database, pepper, tenant_id, name)
            for name in KEYS
        }
    finally:
        await database.close()


async def _works(access: Access, key: str, tenant_id: str) -> bool:
    try:
        return (await access.authenticate(key)).tenant_id == tenant_id
    except Unauthorized:
        return False


async def _issue(database: Database, pepper: Pepper, tenant_id: str, name: str) -> str:
    async with database.session(tenant_id) as session:
        return await issue_key(session, pepper, tenant_id, name=name, scopes=KEYS[name])
