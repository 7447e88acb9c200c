"""Prometheus' own tool, on rules that a test writes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.kit import json

CURE = "promtool is missing. Cure: as .ci/run does, or apt install prometheus"


def require() -> None:
    """Skip where it is missing; in CI it has to be there."""
    if shutil.which("promtool"):
        return
    if os.environ.get("CI"):
        pytest.fail(CURE)
    pytest.skip(CURE)


def check_rules(path: Path) -> subprocess.CompletedProcess[str]:
    return _run("check", "rules", path)


def check_metrics(text: str) -> subprocess.CompletedProcess[str]:
    return _run("check", "metrics", told=text)


def test_rules(path: Path, document: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    path.write_bytes(json.dumps(document))  # JSON is YAML, too
    return _run("test", "rules", path)


def _run(*words: str | Path, told: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], input=told, capture_output=True, text=True, check=False)
