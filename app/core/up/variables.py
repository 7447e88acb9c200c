"""The environment of what `homeroom up` runs, for a shell beside it: `eval "$(homeroom environment)"`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from app.core.up.secrets_file import SecretsFile
from app.core.up.workspace import Workspace
from app.kit.errors import ConfigurationError


def environment_of(data_dir: Path) -> str:
    """Lines of `export NAME=value`."""
    workspace = Workspace(data_dir)
    try:
        ready = json.loads(workspace.announcement.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigurationError(
            f"No `homeroom up` runs on {workspace.root}.", cure="Start it, or name its folder with --data-dir."
        ) from None
    variables = {
        "DATABASE_URL": ready["database_url"],
        "REDIS_URL": ready["redis_url"],
        "MASTER_KEY": SecretsFile(workspace.secrets).get_or_make("master_key"),
        "ADMIN_KEY": ready["admin_key"],
        "STORAGE_DIR": str(workspace.files),
        "HOMEROOM_URL": ready["url"],
        "HOMEROOM_API_KEY": ready["api_key"],
        "HOMEROOM_OPERATOR_KEY": ready["operator_key"],
    }
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
