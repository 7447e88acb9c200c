"""The ready file: how a script learns that all of it runs, where, and under which keys."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.core.embedded import files
from app.kit.errors import ConfigurationError


class ReadyFile:
    """One JSON object that is there only while everything runs. Without a path, nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def prepare(self) -> None:
        """Remove what an earlier run left, and see now, not when all is started, whether the place can be used."""
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self.remove()
            tempfile.TemporaryFile(dir=self._path.parent).close()
        except OSError as error:
            raise ConfigurationError(
                f"The ready file {self._path} cannot be written: {error}.",
                cure="Choose another --ready-file, in a directory that you may write to.",
            ) from error

    def write(self, announcement: Mapping[str, str], pids: Mapping[str, int | None]) -> None:
        if self._path is not None:
            files.write_private(self._path, json.dumps({**announcement, "pids": pids}, indent=2) + "\n")

    def remove(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
