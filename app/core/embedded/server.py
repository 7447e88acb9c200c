"""What the embedded servers share: a data directory with one owner, one process, one port, one password."""

from __future__ import annotations

import secrets
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import psutil

from app.core.embedded import files, ports, process
from app.core.embedded.lock import FileLock, Held
from app.kit.errors import ConfigurationError

READY_WITHIN_SECONDS = 120.0  # recovery after a crash may have much to replay
STOPPED_WITHIN_SECONDS = 20.0


class EmbeddedServer(ABC):
    """A server that is started on a directory and stopped, blocking, by one owner at a time.

    Whatever a crash left behind (an orphan, stale files, a port that is now a stranger's) is dealt with by start().
    """

    label: ClassVar[str]
    process_name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    directory_mode: ClassVar[int] = 0o700

    def __init__(
        self, data_dir: Path, *, port: int | None = None, durable: bool = True, log_file: Path | None = None
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.log_file = log_file or self.data_dir / "server.log"
        self._durable = durable
        self._port = port  # ours from the first start on, so that our urls outlive a restart
        self._lock = FileLock(self.data_dir / "lock")
        self._pid_file = process.PidFile(self.data_dir / "server.pid")
        self._port_file = self.data_dir / "port"
        self._password_file = self.data_dir / "password"
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _prepare(self, port: int) -> list[str]:
        """Make the data directory fit to start on that port; return the command line."""

    @abstractmethod
    def _is_ready(self, pid: int) -> bool:
        """Whether the server with that pid accepts connections."""

    @abstractmethod
    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start the process."""

    @property
    @abstractmethod
    def _working_dir(self) -> Path:
        """Where the running server's working directory is: it tells our processes from all others of their name."""

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None and self.running else None

    @property
    def port(self) -> int:
        """The port of this server, fixed from its first start on."""
        if self._port is None:
            raise RuntimeError(f"{self.label} has no port before its first start: call start()")
        return self._port

    @property
    def password(self) -> str:
        return self._password_file.read_text(encoding="utf-8").strip()

    @property
    def exit_code(self) -> int | None:
        """How the process ended (minus the signal's number if by one); None while it runs and after stop()."""
        return None if self._child is None else self._child.poll()

    def start(self) -> None:
        """Start and wait until connections are accepted; no-op while it runs."""
        if self.running:
            return
        self._own_data_dir()
        try:
            self._clear_orphans()
            self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop in good order, by force as the last resort; no-op when it does not run."""
        child, self._child = self._child, None
        if child is not None:
            with suppress(psutil.NoSuchProcess):
                process.end([psutil.Process(child.pid)], first=self.stop_signal, grace=STOPPED_WITHIN_SECONDS)
            child.wait()
            self._end_helpers()
            self._pid_file.remove()
        self._lock.release()

    def kill(self) -> None:
        """End the process at once, as a crash would; stop() or start() then clears up."""
        if self._child is not None:
            self._child.kill()

    def _own_data_dir(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=self.directory_mode)
            self._lock.acquire()
        except Held as held:
            raise ConfigurationError(
                f"The {self.label} in {self.data_dir} is in use by pid {held.pid}.",
                cure="Stop that process, or choose another data directory.",
            ) from held
        except OSError as error:
            raise ConfigurationError(
                f"{self.label} cannot use {self.data_dir}: {error}.",
                cure="Choose a data directory that you may write to, or give this one to your user with chown.",
            ) from error

    def _clear_orphans(self) -> None:
        """Nobody else holds the lock, so any server on this directory has lost its launcher."""
        orphan = self._pid_file.process()
        if orphan is not None:
            process.end([orphan], first=self.stop_signal, grace=STOPPED_WITHIN_SECONDS)
        self._end_helpers()
        self._pid_file.remove()

    def _end_helpers(self) -> None:
        process.end(
            process.running_in(self._working_dir, self.process_name),
            first=self.stop_signal,
            grace=STOPPED_WITHIN_SECONDS,
        )

    def _launch(self) -> None:
        port = self._choose_port()
        command = self._prepare(port)
        files.rotate(self.log_file)
        log_start = files.size(self.log_file)
        self._child = self._spawn(command)
        self._port = port
        files.write_private(self._port_file, f"{port}\n")
        self._wait_until_ready(self._child, log_start)

    def _make_password(self) -> None:
        files.write_private(self._password_file, secrets.token_urlsafe(24) + "\n")

    def _choose_port(self) -> int:
        """The wanted port, else the last one of this directory (urls stay as they were), else a free one."""
        if self._port is not None:
            if not ports.is_free(self._port):
                raise ConfigurationError(
                    f"{self.label} cannot listen on port {self._port}: {ports.holder(self._port)} does.",
                    cure="Stop that process, or choose another port.",
                )
            return self._port
        try:
            last = int(self._port_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ports.pick()
        return last if ports.is_free(last) else ports.pick()

    def _wait_until_ready(self, child: subprocess.Popen[bytes], log_start: int) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not self._is_ready(child.pid):
            if child.poll() is not None:
                fate = f"ended at start with exit code {child.returncode}"
            elif time.monotonic() > deadline:
                fate = f"accepts no connections after {READY_WITHIN_SECONDS:.0f} s"
            else:
                time.sleep(process.POLL_SECONDS)
                continue
            raise ConfigurationError(
                f"{self.label} {fate}. Its log, {self.log_file}, ends with:\n"
                f"{files.tail(self.log_file, since=log_start)}",
                cure="Put right what the log names; if the data are damaged beyond use, move "
                f"{self.data_dir} away and start afresh.",
            )
