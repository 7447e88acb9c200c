"""A tenant's secrets at rest, over the real table."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from app.kit.db import Database
from app.tenancy.secrets import rewrap, seal, unseal
from app.tenancy.tenants import create_tenant
from app.tenancy.vault import Tampered, UnknownMasterKey, Vault

OLD, NEW = "the-old-master-key-of-this-deployment", "the-new-master-key-of-this-deployment"


async def sealed_secret(database: Database, vault: Vault, tenant_id: str) -> bytes:
    await create_tenant(database, tenant_id)
    async with database.session(tenant_id) as session:
        return await seal(session, vault, tenant_id, "llm.api_key", b"s3cret")


async def test_a_secret_comes_back_and_does_not_stand_in_the_database(database: Database) -> None:
    vault = Vault(OLD)
    sealed = await sealed_secret(database, vault, "round-trip")
    assert b"s3cret" not in sealed
    async with database.session("round-trip") as session:
        assert await unseal(session, vault, "round-trip", "llm.api_key", sealed) == b"s3cret"


async def test_a_secret_is_worth_nothing_to_another_tenant_or_field(database: Database) -> None:
    vault = Vault(OLD)
    sealed = await sealed_secret(database, vault, "owner")
    await sealed_secret(database, vault, "thief")
    async with database.session("thief") as session:
        with pytest.raises(Tampered):
            await unseal(session, vault, "thief", "llm.api_key", sealed)
    async with database.session("owner") as session:
        with pytest.raises(Tampered):
            await unseal(session, vault, "owner", "other.field", sealed)


async def test_the_master_key_changes_while_secrets_stay_readable(database: Database) -> None:
    sealed = await sealed_secret(database, Vault(OLD), "rotating")
    both = Vault(NEW, previous=[OLD])
    async with database.session("rotating") as session:
        assert await unseal(session, both, "rotating", "llm.api_key", sealed) == b"s3cret"
        assert await rewrap(session, both, "rotating")
    async with database.session("rotating") as session:
        assert not await rewrap(session, both, "rotating")
        assert await unseal(session, Vault(NEW), "rotating", "llm.api_key", sealed) == b"s3cret"
        with pytest.raises(UnknownMasterKey):
            await unseal(session, Vault(OLD), "rotating", "llm.api_key", sealed)


async def test_sealing_under_a_new_master_key_takes_the_data_key_along(database: Database) -> None:
    await sealed_secret(database, Vault(OLD), "lazily")
    async with database.session("lazily") as session:
        await seal(session, Vault(NEW, previous=[OLD]), "lazily", "llm.api_key", b"newer")
        kek_ids = (await session.scalars(text("select distinct kek_id from tenant_data_keys"))).all()
    async with database.session("lazily") as session:
        assert not await rewrap(session, Vault(NEW), "lazily")
    assert len(kek_ids) == 1


async def test_two_first_secrets_at_once_share_one_data_key(database: Database) -> None:
    vault = Vault(OLD)
    await create_tenant(database, "twice")

    async def one(field: str) -> bytes:
        async with database.session("twice") as session:
            return await seal(session, vault, "twice", field, field.encode())

    fields = [f"field-{number}" for number in range(8)]
    sealed = await asyncio.gather(*(one(field) for field in fields))
    async with database.session("twice") as session:
        opened = [
            await unseal(session, vault, "twice", field, each) for field, each in zip(fields, sealed, strict=True)
        ]
    assert opened == [field.encode() for field in fields]
