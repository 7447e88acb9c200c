"""The order in which `up` starts things, and its undoing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from app.core.bootstrap import ensure_tenant, seed_library
from app.core.embedded import ports
from app.core.embedded.ports import LOOPBACK
from app.core.migrate import migrate
from app.core.up import servers
from app.core.up.environment import program_environment
from app.core.up.parts import ApiPart, DiedAtStart, Part, ProgramPart, WorkerPart
from app.core.up.ready_file import ReadyFile
from app.core.up.report import Report
from app.core.up.secrets_file import SecretsFile
from app.core.up.supervisor import Supervisor
from app.core.up.workspace import Workspace
from app.kit.errors import EX_CONFIG, ConfigurationError
from app.workloads import WORKLOADS

TENANT = "demo"
INTERRUPTED = 128 + signal.SIGINT


def launch(*, data_dir: Path, port: int, ready_file: Path | None) -> int:
    """Run everything until a signal comes; returns the exit code."""
    return asyncio.run(Launcher(data_dir=data_dir, port=port, ready_file=ready_file).run())


class Launcher:
    """One run of `homeroom up`."""

    def __init__(self, *, data_dir: Path, port: int, ready_file: Path | None) -> None:
        self._workspace = Workspace(data_dir)
        self._servers = servers.choose(os.environ, self._workspace)
        self._wanted_port = port
        self._ready_file = ReadyFile(ready_file or self._workspace.announcement)
        self._report = Report(sys.stdout)
        self._supervisor = Supervisor(self._report, self._on_ready)
        self._programs: list[ProgramPart] = []
        self._pids: dict[str, int | None] = {"postgres": None, "redis": None}
        self._announcement: dict[str, str] = {}
        self._stopping = False
        self._killed = False

    async def run(self) -> int:
        """Live until a signal; a failure to start is told in words."""
        life = asyncio.create_task(self._live())
        self._listen_for_signals(life)
        try:
            await life
        except DiedAtStart as death:
            self._report.failure(str(death))
            return EX_CONFIG if death.exit_code == EX_CONFIG else 1
        except asyncio.CancelledError:
            pass
        return INTERRUPTED if self._killed else 0

    async def _live(self) -> None:
        """Start in order, watch, and whatever happens undo what was begun, last things first."""
        async with AsyncExitStack() as undo:
            self._workspace.claim()
            undo.callback(self._workspace.release)
            self._ready_file.prepare()
            self._report.opening(self._workspace.root)
            await self._end_orphans()
            port = self._choose_port()
            for part in self._servers.parts:
                undo.push_async_callback(part.stop)
            undo.push_async_callback(self._stop_programs)
            undo.push_async_callback(self._supervisor.let_go)
            undo.callback(self._ready_file.remove)
            undo.callback(self._begin_to_stop)
            await self._start(port)
            await self._supervisor.watch()

    async def _start(self, port: int) -> None:
        self._report.columns()
        await self._supervisor.bring_up(*self._servers.parts)
        database_url, redis_url = await self._servers.urls()
        secrets = SecretsFile(self._workspace.secrets)
        environment = program_environment(
            os.environ,
            secrets,
            database_url=database_url,
            redis_url=redis_url,
            port=port,
            files=self._workspace.files,
        )
        keys = await self._prepare_database(database_url, environment["MASTER_KEY"], secrets)
        self._programs.append(ApiPart(environment, self._workspace, port=port))
        self._programs.extend(WorkerPart(each.name, environment, self._workspace) for each in WORKLOADS)
        await self._supervisor.bring_up(*self._programs)
        self._announcement = {
            "url": f"http://{LOOPBACK}:{port}",
            "tenant": TENANT,
            **keys,
            "admin_key": environment["ADMIN_KEY"],
            "database_url": database_url,
            "redis_url": redis_url,
        }
        self._ready_file.write(self._announcement, self._pids)
        self._report.welcome(self._announcement, data_dir=self._workspace.root, log_dir=self._workspace.logs)

    async def _prepare_database(self, database_url: str, master_key: str, secrets: SecretsFile) -> dict[str, str]:
        """Bring the schema up to date and make sure of a tenant that one can try things with."""
        began = time.monotonic()
        known = secrets.known("api_key", "operator_key")
        keys = await asyncio.to_thread(_migrate_and_ensure_tenant, database_url, master_key, known)
        secrets.keep(keys)
        self._report.ready("schema", pid=None, port=None, seconds=time.monotonic() - began)
        return keys

    async def _end_orphans(self) -> None:
        if ended := await asyncio.to_thread(self._workspace.end_orphans):
            self._report.note(f"ended {ended} processes that a killed launcher had left behind")

    def _choose_port(self) -> int:
        """Before anything is started: a busy port is the likeliest of all mishaps."""
        if self._wanted_port == 0:
            return ports.pick()
        if not ports.is_free(self._wanted_port):
            raise ConfigurationError(
                f"Port {self._wanted_port} is in use by {ports.holder(self._wanted_port)}.",
                cure="Stop that process, or choose another port with --port (0 takes any that is free).",
            )
        return self._wanted_port

    def _on_ready(self, part: Part) -> None:
        self._pids[part.name] = part.pid
        if self._announcement:
            self._ready_file.write(self._announcement, self._pids)

    async def _stop_programs(self) -> None:
        await asyncio.gather(*(program.stop() for program in self._programs))

    def _listen_for_signals(self, life: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_IGN and number == signal.SIGHUP:
                continue  # started with nohup
            loop.add_signal_handler(number, self._on_signal, number, life)

    def _on_signal(self, number: signal.Signals, life: asyncio.Task[None]) -> None:
        if not self._stopping:
            self._begin_to_stop()
            life.cancel()
        elif number == signal.SIGINT:
            self._killed = True
            for part in (*self._programs, *self._servers.parts):
                part.kill()

    def _begin_to_stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._report.note("stopping; Ctrl-C kills at once")


def _migrate_and_ensure_tenant(database_url: str, master_key: str, known: dict[str, str]) -> dict[str, str]:
    try:
        migrate(database_url)
        keys = ensure_tenant(database_url, master_key, TENANT, known)
        seed_library(database_url, TENANT)
        return keys
    except (OSError, asyncpg.PostgresError) as error:
        raise ConfigurationError(
            f"The database could not be prepared: {error}.",
            cure="See that DATABASE_URL is right and its role may create tables; without one, see the Postgres log.",
        ) from error
