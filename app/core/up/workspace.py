"""The data directory: what lies where, and who may use it."""

from __future__ import annotations

from pathlib import Path

import psutil

from app.core.embedded import process
from app.core.embedded.lock import FileLock, Held
from app.kit.errors import ConfigurationError

ORPHAN_GRACE_SECONDS = 3.0  # short: what an orphan does not finish is rescued like any crashed worker's job


class Workspace:
    """One data directory, which one launcher at a time may claim."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.postgres = self.root / "postgres"
        self.redis = self.root / "redis"
        self.secrets = self.root / "secrets.json"
        self.announcement = self.root / "ready.json"  # while it runs: `homeroom chat` finds it there
        self.files = self.root / "files"
        self.logs = self.root / "logs"
        self._run = self.root / "run"
        self._lock = FileLock(self.root / "lock")

    def claim(self) -> None:
        """Make it ours until release(), or say whose it is."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o711)  # Postgres' account must pass through
            self._lock.acquire()
            for directory in (self.logs, self._run):
                directory.mkdir(exist_ok=True, mode=0o700)
        except Held as held:
            raise ConfigurationError(
                f"Homeroom already runs on {self.root}, started by pid {held.pid}.",
                cure="Stop that one (Ctrl-C, or kill it), or choose another --data-dir.",
            ) from held
        except OSError as error:
            raise ConfigurationError(
                f"The data directory {self.root} cannot be used: {error}.",
                cure="Choose a --data-dir that you may write to, or give this one to your user with chown.",
            ) from error

    def release(self) -> None:
        self._lock.release()

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def pid_file(self, part: str) -> process.PidFile:
        return process.PidFile(self._run / f"{part}.pid")

    def ready_file(self, part: str) -> Path:
        """Where a part says that it is ready, by writing its pid."""
        return self._run / f"{part}.ready"

    def end_orphans(self) -> int:
        """End what a killed launcher left running; its database servers are recognised by their own directories."""
        pid_files = [process.PidFile(path) for path in self._run.glob("*.pid")]
        orphans: list[psutil.Process] = [found for file in pid_files if (found := file.process()) is not None]
        process.end(orphans, grace=ORPHAN_GRACE_SECONDS)
        for file in pid_files:
            file.remove()
        return len(orphans)
