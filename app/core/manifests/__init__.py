"""What a platform runs Homeroom with, rendered from the workloads' specs: `homeroom manifests`.

Nothing here reads the environment: the files are the same on every machine, and a test fails where one is stale. What
differs between deployments is for an overlay of theirs to say.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from app.core.manifests import alerts, base, compose, dashboard, keda, overlays
from app.core.manifests.document import RENDERED
from app.workloads import WORKLOADS


def render() -> dict[str, str]:
    """Every file by its path below the project's root."""
    files: dict[str, str] = {}
    for room in (compose, base, keda, overlays, alerts, dashboard):
        files |= room.render(WORKLOADS)
    return files


def stale(root: Path) -> list[str]:
    """What is missing, is not what the specs say today, or is left over from a queue that is gone."""
    rendered = render()
    changed = {name for name, text in rendered.items() if not _holds(root / name, text)}
    return sorted(changed | _leftovers(root, rendered))


def write(root: Path) -> list[str]:
    """Make the files what the specs say; returns those that were not."""
    rendered, changed = render(), stale(root)
    for name in changed:
        path = root / name
        if name in rendered:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(rendered[name])
        else:
            path.unlink()
    return changed


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


def _leftovers(root: Path, rendered: Collection[str]) -> set[str]:
    found = {path.relative_to(root).as_posix(): path for path in (root / "deploy").rglob("*.yaml")}
    return {name for name, path in found.items() if name not in rendered and path.read_text().startswith(RENDERED)}
