"""`homeroom doctor` on Postgres: logins, roles, walls, schema, secrets, and what the ledger tells of the fleet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import pytest

from app.core.doctor.findings import Health
from app.core.doctor.fleet import check_fleet
from app.core.doctor.postgres import check_logins
from app.core.doctor.vault import check_vault
from app.core.doctor.walls import check_schema
from app.core.embedded import EmbeddedPostgres
from app.core.migrate import migrate, required_revision
from app.core.preflight import open_database
from app.kit.db import Database
from app.tenancy import secrets
from app.tenancy.vault import Vault
from tests.support.deployment import Deployment, serve_worker
from tests.support.doctor import assert_found, look


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # files are kept below it


@asynccontextmanager
async def superuser(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(deployment.database_url)
    try:
        yield connection
    finally:
        await connection.close()


class Damage(NamedTuple):
    """What somebody did, how it is undone, and what the doctor says of it."""

    done: str
    undone: str
    check: str
    words: tuple[str, ...]


DAMAGES = [
    Damage(
        "alter table jobs no force row level security",
        "alter table jobs force row level security",
        "row level security",
        ("jobs", "not forced"),
    ),
    Damage(
        "alter table lanes disable row level security",
        "alter table lanes enable row level security",
        "row level security",
        ("lanes", "enable row level security"),
    ),
    Damage("alter role homeroom_app bypassrls", "alter role homeroom_app nobypassrls", "postgres app", ("bypasses",)),
    Damage(
        "alter role homeroom_owner bypassrls", "alter role homeroom_owner nobypassrls", "roles", ("homeroom_owner",)
    ),
    Damage(
        "grant select on api_keys to homeroom_engine",
        "revoke select on api_keys from homeroom_engine",
        "roles",
        ("API keys", "revoke"),
    ),
    Damage(
        "alter table lanes owner to homeroom", "alter table lanes owner to homeroom_owner", "roles", ("do not belong",)
    ),
    Damage(
        "grant update on audit_log to homeroom_app",
        "revoke update on audit_log from homeroom_app",
        "roles",
        ("audit log",),
    ),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.done)
async def test_a_wall_that_somebody_opened(deployment: Deployment, damage: Damage) -> None:
    async with superuser(deployment) as connection:
        await connection.execute(damage.done)
        try:
            report = await look(deployment, check_logins, check_schema)
        finally:
            await connection.execute(damage.undone)
    assert_found(report[damage.check], Health.FAIL, *damage.words)
    assert report.failed <= {damage.check, "roles"}


async def test_an_older_schema(deployment: Deployment, postgres: EmbeddedPostgres) -> None:
    postgres.create_database("older")
    migrate(postgres.url("older"), "0004")
    report = await look(deployment, DATABASE_URL=postgres.url("older"))
    assert_found(report["migrations"], Health.FAIL, "0004", "homeroom migrate")
    assert "queue chat" not in report  # what stands on the schema is not asked


async def test_a_newer_schema_is_a_roll_out(deployment: Deployment) -> None:
    async with superuser(deployment) as connection:
        before = await connection.fetchval("update alembic_version set version_num = '9999' returning '0'")
        assert before == "0"
        try:
            report = await look(deployment, check_schema)
        finally:
            await connection.execute("update alembic_version set version_num = $1", required_revision())
    assert_found(report["migrations"], Health.WARN, "9999", "roll-out")


async def test_a_cluster_without_roles_and_a_login_without_rights(
    deployment: Deployment, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with superuser(deployment) as connection:
        await connection.execute("create role outsider login password 'outside'")
        try:
            url = deployment.database_url.replace(f"homeroom:{postgres.password}", "outsider:outside")
            report = await look(deployment, check_logins, DATABASE_URL=url)
        finally:
            await connection.execute("drop role outsider")
    assert_found(report["postgres app"], Health.FAIL, "may not act as", "grant homeroom_app")
    wrong = await look(
        deployment, check_logins, DATABASE_URL=deployment.database_url.replace("homeroom:", "homeroom:not")
    )
    assert_found(wrong["postgres engine"], Health.FAIL, "refuses the login")
    fresh = EmbeddedPostgres(tmp_path / "fresh", durable=False)
    fresh.start()
    try:
        empty = await look(deployment, check_logins, DATABASE_URL=fresh.url("postgres"))
    finally:
        fresh.stop()
    assert_found(empty["postgres app"], Health.FAIL, "not prepared", "homeroom migrate")


async def test_a_queue_that_nobody_serves(deployment: Deployment, database: Database) -> None:
    async with superuser(deployment) as connection:
        report = await look(deployment, check_fleet)
        assert_found(report["queue exam"], Health.WARN, "nobody works on it", "homeroom worker exam")
        job = await connection.fetchval(_WAITING, uuid4())
        try:
            assert_found((await look(deployment, check_fleet))["queue exam"], Health.FAIL, "ready: 1")
            async with serve_worker(deployment, "exam", EXAM_CONCURRENCY="1"):
                pass  # it comes, does it, and goes
            await connection.execute("insert into queue_controls (queue, paused) values ('exam', true) "
                                     "on conflict (queue) do update set paused = true")  # fmt: skip
            assert_found((await look(deployment, check_fleet))["queue exam"], Health.WARN, "paused", "/resume")
        finally:
            await connection.execute("update queue_controls set paused = false")
            await connection.execute("delete from jobs where job_id = $1", job)


async def test_effects_that_nobody_delivers_and_invariants_that_are_violated(deployment: Deployment) -> None:
    async with superuser(deployment) as connection:
        effect = await connection.fetchval(_EFFECT, uuid4())
        await connection.execute(_FINDING, uuid4())
        try:
            report = await look(deployment, check_fleet)
        finally:
            await connection.execute("delete from outbox where effect_id = $1", effect)
            await connection.execute("delete from audit_findings")
    assert_found(report["outbox"], Health.FAIL, "1 effects", "base worker")
    assert_found(report["auditor"], Health.FAIL, "1 of I2", "homeroom audit")


async def test_data_keys_of_earlier_and_unknown_master_keys(deployment: Deployment) -> None:
    earlier = "the-master-key-that-was-there-before-this-one"
    database = await open_database(deployment.settings(), "homeroom tests")
    try:
        async with database.session("demo") as session:
            await secrets.seal(session, Vault(earlier), "demo", "f", b"x")
    finally:
        await database.close()
    known = await look(deployment, check_vault, MASTER_KEY_PREVIOUS=earlier)
    assert_found(known["master key"], Health.WARN, "master-key rewrap")
    assert_found((await look(deployment, check_vault))["master key"], Health.FAIL, "MASTER_KEY_PREVIOUS")


_WAITING = """
insert into jobs (job_id, tenant_id, queue, kind, max_attempts, input, timeout_seconds)
values ($1, 'demo', 'exam', 'diagnostics.echo', 3, '{}', 60) returning job_id
"""

_EFFECT = """
insert into outbox (effect_id, tenant_id, topic, payload, created_at)
values ($1, 'demo', 'job.submit', '{}', now() - interval '20 minutes') returning effect_id
"""

_FINDING = """
insert into audit_findings (name, subject, invariant, detail) values ('two holders', $1, 'I2', 'planted by a test')
"""
