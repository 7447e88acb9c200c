"""`homeroom up`: everything on one machine, for development, demonstrations and scripts."""

from __future__ import annotations

import sys
from pathlib import Path

from app.kit.errors import EX_CONFIG, ConfigurationError


def run_up(*, data_dir: Path, port: int, ready_file: Path | None) -> int:
    """Start all parts, watch over them until a signal comes, stop them; returns the exit code."""
    try:
        from app.core.up.launcher import launch  # noqa: PLC0415 - needs psutil, which production images leave out

        return launch(data_dir=data_dir, port=port, ready_file=ready_file)
    except ModuleNotFoundError as missing:
        if missing.name != "psutil":
            raise
        return _refuse("psutil is not installed.", cure="pip install 'homeroom[embedded]'")
    except ConfigurationError as error:
        return _refuse(error.problem, error.cure)
    except KeyboardInterrupt:  # before anything was started; later it is a signal like the others
        return 0


def _refuse(problem: str, cure: str) -> int:
    sys.stderr.write(f"homeroom up: {problem} Cure: {cure}\n")
    return EX_CONFIG
