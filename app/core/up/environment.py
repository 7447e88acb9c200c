"""What the launcher hands to the API and the workers: the caller's environment, completed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.core.embedded.ports import LOOPBACK
from app.core.up.secrets_file import SecretsFile


def program_environment(
    inherited: Mapping[str, str], secrets: SecretsFile, *, database_url: str, redis_url: str, port: int, files: Path
) -> dict[str, str]:
    """Everything that a part needs to find the others; keys in the environment win over the stored ones."""
    return {
        "APP_ENV": "development",
        "DIAGNOSTICS": "true",
        **inherited,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "HOST": LOOPBACK,
        "PORT": str(port),
        "MASTER_KEY": inherited.get("MASTER_KEY") or secrets.get_or_make("master_key"),
        "ADMIN_KEY": inherited.get("ADMIN_KEY") or secrets.get_or_make("admin_key"),
        "STORAGE_DIR": inherited.get("STORAGE_DIR") or str(files),
        "PYTHONUNBUFFERED": "1",  # a log that lags behind helps nobody
    }
