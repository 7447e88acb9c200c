"""The secrets of a data directory: made once, kept beside the data that they protect."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from app.core.embedded import files
from app.kit.errors import ConfigurationError


class SecretsFile:
    """Named secrets in a JSON file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = self._read()

    def get_or_make(self, name: str) -> str:
        """The stored secret; on first use a random one."""
        if name not in self._values:
            self.keep({name: secrets.token_urlsafe(32)})
        return self._values[name]

    def known(self, *names: str) -> dict[str, str]:
        """Those of the named secrets that are stored."""
        return {name: self._values[name] for name in names if name in self._values}

    def keep(self, values: dict[str, str]) -> None:
        self._values |= values
        files.write_private(self._path, json.dumps(self._values, indent=2) + "\n")

    def _read(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        try:
            return {str(name): str(value) for name, value in json.loads(self._path.read_text("utf-8")).items()}
        except (OSError, ValueError, AttributeError) as error:
            raise ConfigurationError(
                f"{self._path} cannot be read as a JSON object: {error}.",
                cure="Put it back from a backup, or move it away: then new keys are made, and what the old master "
                "key encrypted stays unreadable.",
            ) from error
