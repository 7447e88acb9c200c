"""The parts that `up` runs: embedded servers, the API and the workers, all started and stopped the same way."""

from __future__ import annotations

import asyncio
import http.client
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from app.core.embedded import files, process
from app.core.embedded.ports import LOOPBACK
from app.core.embedded.server import EmbeddedServer
from app.core.up.report import fate
from app.core.up.workspace import Workspace

READY_POLL_SECONDS = 0.05
ANSWER_WITHIN_SECONDS = 2.0
STOP_GRACE_SECONDS = 20.0


class DiedAtStart(Exception):
    """A part ended before it was ready."""

    def __init__(self, part: str, exit_code: int, log: Path, log_end: str) -> None:
        self.exit_code = exit_code
        self.what = f"{fate(exit_code)} before it was ready"
        super().__init__(f"{part} {self.what}. Its log, {log}, ends with:\n{log_end}")


class Part(ABC):
    """Something with a process that is started, watched and stopped."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """The running process; None when there is none."""

    @property
    @abstractmethod
    def port(self) -> int | None:
        """Where it listens, if it does."""

    @property
    @abstractmethod
    def exit_code(self) -> int | None:
        """How the process ended; None while it runs."""

    @abstractmethod
    async def start(self) -> None:
        """Start it and wait until it is ready; DiedAtStart or ConfigurationError if it will not be."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop it in good order, by force after a time; works in any state, also in the middle of start()."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once, as a crash would."""


class ServerPart(Part):
    """An embedded Postgres or Redis. Its start and stop block, so they run in threads."""

    def __init__(self, name: str, server: EmbeddedServer) -> None:
        super().__init__(name)
        self._server = server
        self._starting: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._server.pid

    @property
    def port(self) -> int | None:
        return self._server.port

    @property
    def exit_code(self) -> int | None:
        return self._server.exit_code

    async def start(self) -> None:
        self._starting = asyncio.create_task(asyncio.to_thread(self._server.start))
        await asyncio.shield(self._starting)

    async def stop(self) -> None:
        if self._starting is not None:  # a thread cannot be cancelled: let it end before undoing what it does
            await asyncio.gather(self._starting, return_exceptions=True)
        await asyncio.to_thread(self._server.stop)

    def kill(self) -> None:
        self._server.kill()


class ProgramPart(Part):
    """A process of this program, `homeroom NAME ...`, with a log and a pid file of its own."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], workspace: Workspace) -> None:
        super().__init__(name)
        self._command = [sys.executable, "-m", "app.cli", *arguments]
        self._log = workspace.log(name)
        self._pid_file = workspace.pid_file(name)
        self._ready_file = workspace.ready_file(name)
        self._environment = {**environment, "HOMEROOM_READY_FILE": str(self._ready_file)}
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    async def _is_ready(self, pid: int) -> bool:
        """Whether the process does its work."""

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None and self.exit_code is None else None

    @property
    def port(self) -> int | None:
        return None

    @property
    def exit_code(self) -> int | None:
        return None if self._child is None else process.reap(self._child)

    async def start(self) -> None:
        self._ready_file.unlink(missing_ok=True)
        files.rotate(self._log)
        log_start = files.size(self._log)
        self._child = process.spawn(
            self._command, pid_file=self._pid_file, log=self._log, environment=self._environment
        )
        while not await self._is_ready(self._child.pid):
            if (exit_code := self.exit_code) is not None:
                raise DiedAtStart(self.name, exit_code, self._log, files.tail(self._log, since=log_start))
            await asyncio.sleep(READY_POLL_SECONDS)

    async def stop(self) -> None:
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        if self._child is not None:
            with suppress(psutil.NoSuchProcess):
                process.end([psutil.Process(self._child.pid)], grace=STOP_GRACE_SECONDS)
            process.reap(self._child)
        self._pid_file.remove()
        self._ready_file.unlink(missing_ok=True)

    def kill(self) -> None:
        if self._child is not None and self.exit_code is None:
            self._child.kill()


class ApiPart(ProgramPart):
    """The API: ready when it says so over HTTP."""

    def __init__(self, environment: Mapping[str, str], workspace: Workspace, *, port: int) -> None:
        super().__init__("api", ["api"], environment, workspace)
        self._port = port

    @property
    def port(self) -> int | None:
        return self._port

    async def _is_ready(self, pid: int) -> bool:
        return await asyncio.to_thread(self._answers)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=ANSWER_WITHIN_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class WorkerPart(ProgramPart):
    """A worker: ready when it has written its pid to its ready file, which it does once it claims jobs."""

    def __init__(self, name: str, environment: Mapping[str, str], workspace: Workspace) -> None:
        super().__init__(name, ["worker", name], environment, workspace)

    async def _is_ready(self, pid: int) -> bool:
        return self._ready_file.exists() and self._ready_file.read_text(encoding="utf-8").strip() == str(pid)
