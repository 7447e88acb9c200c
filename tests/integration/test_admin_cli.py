"""What operators do at a shell: the same verbs as over HTTP, recorded as done by `cli`."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from app.cli import main
from app.core.preflight import open_database
from app.kit.errors import EX_CONFIG
from app.tenancy import secrets
from app.tenancy.keys import parse_key
from app.tenancy.vault import Vault
from tests.support.deployment import Deployment, only_environment


def run(deployment: Deployment, *arguments: str) -> int:
    with only_environment(deployment.environment()):
        return main(arguments)


def fails(deployment: Deployment, *arguments: str) -> None:
    """The command ends as what cannot be done ends: one message with its cure, and this exit code."""
    with pytest.raises(SystemExit) as ending:
        run(deployment, *arguments)
    assert ending.value.code == EX_CONFIG


def query(deployment: Deployment, statement: str, *arguments: Any) -> list[Any]:
    """As the server's superuser, whom no policy binds."""

    async def ask() -> list[Any]:
        connection = await asyncpg.connect(deployment.database_url)
        try:
            return [tuple(record) for record in await connection.fetch(statement, *arguments)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def make_key(deployment: Deployment, capsys: pytest.CaptureFixture[str], tenant: str, *options: str) -> str:
    """The id of a new key."""
    assert run(deployment, "key", "create", tenant, *options) == 0
    shown = capsys.readouterr()
    parts = parse_key(shown.out.splitlines()[-1])
    assert parts is not None
    assert "shown once" in shown.err
    return parts.key_id


def test_a_tenant_is_registered_listed_and_disabled(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], tenant: str
) -> None:
    assert run(deployment, "tenant", "create", tenant) == 0
    assert run(deployment, "tenant", "create", tenant) == 0
    assert capsys.readouterr().out.splitlines() == [f"tenant {tenant} created", f"tenant {tenant} existed already"]
    assert run(deployment, "tenant", "disable", tenant) == 0
    capsys.readouterr()
    assert run(deployment, "tenant", "list") == 0
    lines = {line.split()[0]: line.split()[1] for line in capsys.readouterr().out.splitlines()}
    assert (lines[tenant], lines["demo"]) == ("disabled", "enabled")


def test_a_key_is_made_listed_and_revoked(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], tenant: str
) -> None:
    run(deployment, "tenant", "create", tenant)
    plain = make_key(deployment, capsys, tenant)
    other = make_key(
        deployment, capsys, tenant, "--name", "temp", "--scope", "admin", "--scope", "operator", "--expires-in", "7"
    )
    stored = query(
        deployment,
        "select key_id, name, scopes, created_by, round(extract(epoch from expires_at - now()) / 86400) "
        "from api_keys where tenant_id = $1 order by created_at",
        tenant,
    )
    assert stored == [
        (plain, "cli", ["jobs:read", "jobs:write"], "cli", None),
        (other, "temp", ["admin", "operator"], "cli", 7),
    ]
    assert run(deployment, "key", "revoke", tenant, plain) == 0
    capsys.readouterr()
    assert run(deployment, "key", "list", tenant) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(other)
    assert "expires" in first
    assert second.startswith(plain)
    assert "revoked" in second


def test_what_is_done_at_the_shell_is_recorded(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], tenant: str
) -> None:
    run(deployment, "tenant", "create", tenant)
    key_id = make_key(deployment, capsys, tenant)
    run(deployment, "key", "revoke", tenant, key_id)
    run(deployment, "tenant", "disable", tenant)
    log = query(deployment, "select actor, action, target from audit_log where tenant_id = $1 order by seq", tenant)
    assert log == [
        ("cli", "tenant.put", tenant),
        ("cli", "key.issue", key_id),
        ("cli", "key.revoke", key_id),
        ("cli", "tenant.disable", tenant),
    ]


def test_verify_tells_by_its_exit_code(deployment: Deployment, capsys: pytest.CaptureFixture[str], tenant: str) -> None:
    run(deployment, "tenant", "create", tenant)
    run(deployment, "tenant", "disable", tenant)
    assert (run(deployment, "audit", "verify"), run(deployment, "audit", "verify", tenant)) == (0, 0)
    assert "2 entries  whole" in capsys.readouterr().out
    query(deployment, "update audit_log set actor = 'x' where tenant_id = $1 and seq = 1", tenant)
    assert (run(deployment, "audit", "verify"), run(deployment, "audit", "verify", tenant)) == (1, 1)
    assert "BROKEN from entry 1" in capsys.readouterr().out
    assert (run(deployment, "audit", "verify", "demo"), run(deployment, "audit", "verify", "-")) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "told", "cure"),
    [
        (("tenant", "create", "a b"), "is no tenant id", "1 to 64"),
        (("tenant", "disable", "no-such"), "is not registered", "homeroom tenant create"),
        (("key", "create", "no-such"), "is not registered", "homeroom tenant create"),
        (("key", "list", "no-such"), "is not registered", "homeroom tenant create"),
        (("key", "revoke", "demo", "000000000000"), "no key of this id", "List the tenant's keys"),
        (("key", "create", "demo", "--scope", "root"), "unknown scopes: root", "scopes"),
        (("key", "create", "demo", "--expires-in", "-1"), "in the past", "a moment to come"),
        (("key", "create", "demo", "--expires-in", "1e12"), "beyond the calendar", "fewer"),
        (("audit", "verify", "no-such"), "is not registered", "homeroom tenant create"),
    ],
)
def test_a_mistake_is_one_message_with_its_cure(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str, cure: str
) -> None:
    fails(deployment, *arguments)
    message = capsys.readouterr().err
    assert told in message
    assert cure in message.partition("Cure:")[2]


def test_data_keys_move_to_the_current_master_key(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    run(deployment, "tenant", "create", "rotating")

    async def seal_one(master_key: str) -> None:
        database = await open_database(deployment.settings(), "test")
        async with database.session("rotating") as session:
            await secrets.seal(session, Vault(master_key), "rotating", "f", b"x")
        await database.close()

    earlier = "the-master-key-that-was-there-before-this-one"
    asyncio.run(seal_one(earlier))
    capsys.readouterr()
    with only_environment(deployment.environment(MASTER_KEY_PREVIOUS=earlier)):
        assert main(["master-key", "rewrap"]) == 0
        assert main(["master-key", "rewrap"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["1", "0"]
