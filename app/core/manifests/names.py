"""What the manifests' rooms agree on: names, numbers, and the parts that every pod has."""

from __future__ import annotations

import math
from typing import Final

from app import __version__
from app.core.manifests.document import Document
from app.engine.workload import Workload

NAMESPACE: Final = "homeroom"
SECRET: Final = "homeroom"  # noqa: S105 - the name of one
SETTINGS: Final = "homeroom-settings"
FILES: Final = "homeroom-files"

USER: Final = 10001  # the image's; volumes take it over
FILES_DIR: Final = "/var/lib/homeroom"
API_PORT: Final = 8000
PROBE_PORT: Final = 9000

# What a worker needs beyond its grace period: to hand back what did not end in time, and to close its connections.
GRACE_MARGIN: Final = 15
API_GRACE: Final = 30

# Of the Secret, and which processes see them. Without the optional ones the defaults of .env.example hold.
REQUIRED: Final = ("DATABASE_URL", "REDIS_URL", "MASTER_KEY")
OF_ALL: Final = ("DATABASE_APP_URL", "DATABASE_ENGINE_URL", "MASTER_KEY_PREVIOUS")
OF_THE_API: Final = ("ADMIN_KEY",)
OF_STORAGE: Final = ("STORAGE_ACCESS_KEY_ID", "STORAGE_SECRET_ACCESS_KEY")
OF_THE_MODEL: Final = ("LLM_API_KEY",)


def target(workload: Workload) -> str:
    """The image's target in the Dockerfile: one per run script."""
    return workload.run_script.removeprefix("run_").removesuffix("_worker.py")


def arguments(workload: Workload, workloads: tuple[Workload, ...]) -> list[str]:
    """A script that serves several queues is told which."""
    shared = [each for each in workloads if each.run_script == workload.run_script]
    return [workload.name] if len(shared) > 1 else []


def image(part: str) -> str:
    return f"homeroom-{part}:{__version__}"


def grace_seconds(workload: Workload) -> int:
    """How long a worker's process may take to end."""
    return math.ceil(workload.grace) + GRACE_MARGIN


def redis_variables(workloads: tuple[Workload, ...]) -> tuple[str, ...]:
    """Where a queue has a Redis of its own; everybody submits to every queue."""
    return tuple(f"{each.name.upper()}_REDIS_URL" for each in workloads)


def selector(component: str) -> Document:
    return {"app.kubernetes.io/name": "homeroom", "app.kubernetes.io/component": component}


def labels(component: str) -> Document:
    return selector(component) | {
        "app.kubernetes.io/part-of": "homeroom",
        "app.kubernetes.io/version": __version__,
    }


def metadata(component: str, name: str | None = None) -> Document:
    return {"name": name or f"homeroom-{component}", "labels": labels(component)}
