"""Processes that may outlive their launcher: spawned in sessions of their own, found again by pid files, ended safely.

A pid alone names nobody: after a crash the number may belong to a stranger. So a pid file also records the process's
identity, and only the process that still has both is ever signalled.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.core.embedded.files import append_private, write_private
from app.kit.failpoints import failpoint

POLL_SECONDS = 0.02
KILLED_WITHIN_SECONDS = 10.0
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
RUN_WHEN_TOLD = 'read -r go && exec "$@" </dev/null'  # reads the end of the file when we die before telling
START_TICK_FIELD = 19  # of /proc/PID/stat, counted after the command's closing parenthesis


def identity(pid: int) -> str:
    """What tells this process from a later one of the same pid.

    On Linux the boot's id and the start tick in it: unlike a wall-clock start time they do not move with the clock.
    """
    if BOOT_ID.exists():
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return f"{BOOT_ID.read_text(encoding='utf-8').strip()}/{fields[START_TICK_FIELD]}"
    return f"{psutil.Process(pid).create_time():.2f}"


def is_gone(process: psutil.Process) -> bool:
    """Ended, or a zombie that its parent (perhaps a container's idle init) has not reaped."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    """Poll until the condition holds; False when the time is over first."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


@dataclass(frozen=True)
class PidFile:
    """Remembers a process across our own death: its pid on the first line, its identity on the second."""

    path: Path

    def record(self, pid: int) -> None:
        write_private(self.path, f"{pid}\n{identity(pid)}\n")

    def process(self) -> psutil.Process | None:
        """The recorded process, if it still lives; never a stranger that has inherited the pid."""
        try:
            pid, recorded = self.path.read_text(encoding="utf-8").split()
            process = psutil.Process(int(pid))
            known = identity(process.pid) == recorded
        except (OSError, ValueError, psutil.Error):
            return None
        return process if known and not is_gone(process) else None

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def spawn(
    command: Sequence[str | Path],
    *,
    pid_file: PidFile,
    log: Path,
    environment: Mapping[str, str],
    directory: Path | None = None,
    user: int | None = None,
    group: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own (a Ctrl-C at our terminal must not reach it), its output in the log.

    It is written down before it runs: whenever we are killed, it has either a pid file or no life.
    """
    with append_private(log) as stream:
        child = subprocess.Popen(  # noqa: S603 - our own programs with our own paths
            ["/bin/sh", "-c", RUN_WHEN_TOLD, "sh", *(str(part) for part in command)],
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )
    assert child.stdin is not None
    with suppress(BrokenPipeError), child.stdin as tell:  # broken: killed already, as its exit code will show
        failpoint("spawn.unrecorded")
        pid_file.record(child.pid)
        tell.write(b"go\n")
    return child


def end(processes: Sequence[psutil.Process], *, first: signal.Signals = signal.SIGTERM, grace: float) -> None:
    """Ask all to stop, kill those that have not within the grace time, and the helpers that they leave behind."""
    helpers = _helpers(processes)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(first)
    wait_until(lambda: all(map(is_gone, processes)), grace)
    for process in (*processes, *helpers):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until(lambda: all(map(is_gone, processes)), KILLED_WITHIN_SECONDS)


def _helpers(leaders: Sequence[psutil.Process]) -> list[psutil.Process]:
    """The other members of the groups that these processes lead."""
    groups = {leader.pid for leader in leaders}
    members: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError):
            if process.pid not in groups and os.getpgid(process.pid) in groups:
                members.append(process)
    return members


def reap(child: subprocess.Popen[bytes]) -> int | None:
    """The exit code of a child that has ended, None while it runs.

    Helpers that a crashed child left in its group are ended first: while the child is an unreaped zombie its pid, and
    so the group's number, cannot be anybody else's.
    """
    with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
        if child.returncode is None and is_gone(psutil.Process(child.pid)):
            os.killpg(child.pid, signal.SIGKILL)
    return child.poll()


def running_in(directory: Path, name: str) -> list[psutil.Process]:
    """Processes of that name whose working directory this is.

    Database servers work in their data directory, so this finds those that no pid file names: the children of a killed
    server, or a server whose pid file was lost.
    """
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name() == name and Path(process.cwd()) == directory and not is_gone(process):
                found.append(process)
    return found
