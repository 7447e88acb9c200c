"""pgbouncer in transaction mode before a Postgres: Debian's package, run as whoever may run it."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from app.core.embedded import EmbeddedPostgres
from app.kit.db import Role
from tests.support.deployment import free_port
from tests.support.processes import running
from tests.support.waiting import eventually

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")  # where Debian puts it
PASSWORD = "a-password-of-a-role-that-logs-in"
SERVER_CONNECTIONS = 4  # fewer than the processes behind it hold open: they have to share

CONFIGURATION = """\
[databases]
* = host=127.0.0.1 port={server_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {server_connections}
max_client_conn = 500
"""


@asynccontextmanager
async def serve_pgbouncer(postgres: EmbeddedPostgres) -> AsyncIterator[int]:
    """Its port, while it runs. The two roles may log in meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    port = free_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(server_port=postgres.port, port=port, folder=folder, server_connections=SERVER_CONNECTIONS)
    )
    (folder / "users").write_text("".join(f'"{role}" "{PASSWORD}"\n' for role in (Role.APP, Role.ENGINE)))
    assert PROGRAM is not None
    try:
        async with _logins(postgres), running([*_as_nobody(folder), PROGRAM, "-q", str(configuration)], environment={}):
            await eventually(lambda: _answers(port), what="pgbouncer")
            yield port
    finally:
        shutil.rmtree(folder)


def _as_nobody(folder: Path) -> list[str]:
    """pgbouncer refuses to run as root."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam("nobody")
    for path in (folder, *folder.iterdir()):
        os.chown(path, account.pw_uid, account.pw_gid)
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    return [setpriv, "--reuid=nobody", f"--regid={account.pw_gid}", "--clear-groups"]


@asynccontextmanager
async def _logins(postgres: EmbeddedPostgres) -> AsyncIterator[None]:
    owner = await asyncpg.connect(postgres.url("postgres"))
    try:
        for role in (Role.APP, Role.ENGINE):
            await owner.execute(f"alter role {role} login password '{PASSWORD}'")
        yield
    finally:
        for role in (Role.APP, Role.ENGINE):
            await owner.execute(f"alter role {role} nologin password null")
        await owner.close()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
