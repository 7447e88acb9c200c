"""What the images of workers carry, and how docker-compose.yml runs them: by their specs."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
import tomllib
from typing import Any

import pytest

from app.core.worker.probe import Vitals, probe
from app.engine.workload import Workload
from app.workloads import WORKLOADS
from tests.contract.test_deploy_files import ROOT, Copy, Stage, read_stages, targets
from tests.contract.test_deploy_files_compose import service

LOCKS = ("requirements.lock", "requirements-upload.lock", "requirements-dev.lock")
QUEUES = [each.name for each in WORKLOADS]


def locked(name: str) -> dict[str, set[str]]:
    """What a lock says of each distribution, hashes included; more than once where Python's version decides."""
    found: dict[str, set[str]] = {}
    for package, says in re.findall(r"^([\w.-]+)==((?:.*\\\n)*.*)$", (ROOT / name).read_text(), re.MULTILINE):
        version, _, hashes = says.partition("--hash")
        found.setdefault(package, set()).add(version.partition(";")[0].strip(" \\\n") + hashes)
    return found


def extra(name: str) -> set[str]:
    """The distributions of one of the project's extras."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    return {re.split(r"[<>=\[]", each)[0].lower() for each in extras[name]}


def environment_of(stage: Stage) -> str:
    """The stage whose Python environment an image has."""
    (copied,) = (
        copy.stage for copy in map(Copy.read, stage.every("COPY")) if copy.stage and copy.sources == ("/opt/venv",)
    )
    assert copied is not None
    return copied


def installed(stage: Stage) -> list[str]:
    return re.findall(r"--requirement (\S+)", " ".join(stage.every("RUN")))


def test_locks_name_the_same_of_everything() -> None:
    base, upload, dev = map(locked, LOCKS)
    assert base.items() <= upload.items() <= dev.items()


def test_upload_workers_alone_carry_what_reads_documents() -> None:
    base, upload = locked("requirements.lock"), locked("requirements-upload.lock")
    assert extra("documents") <= upload.keys()
    assert extra("documents").isdisjoint(base)
    assert extra("s3") <= base.keys()
    assert (extra("embedded") - extra("documents")).isdisjoint(upload)
    stages = read_stages()
    assert "requirements-upload.lock" not in installed(stages["builder"])
    assert installed(stages["upload-builder"])[-1] == "requirements-upload.lock"
    environments = {name: environment_of(stage) for name, stage in targets().items()}
    assert environments.pop("upload") == "upload-builder"
    assert set(environments.values()) == {"builder"}
    parsing = {each.name for each in WORKLOADS if service(each.name)["build"]["target"] == "upload"}
    assert parsing == {each.name for each in WORKLOADS if each.run_script == "run_upload_worker.py"}


def test_both_environments_run_the_same_program() -> None:
    def program(stage: Stage) -> list[tuple[tuple[str, ...], str]]:
        return [(copy.sources, copy.target) for copy in map(Copy.read, stage.every("COPY"))]

    stages = targets()
    assert program(stages["upload"]) == program(stages["chat"])
    assert stages["upload"].every("LABEL") == stages["chat"].every("LABEL")
    assert read_stages()["upload-builder"].inherited == read_stages()["builder"].own


@pytest.mark.parametrize("workload", WORKLOADS, ids=QUEUES)
def test_a_worker_has_the_files_the_memory_and_the_time_of_its_spec(workload: Workload) -> None:
    worker = service(workload.name)
    expected = ["files:/var/lib/homeroom"] if workload.keeps_files else []
    assert worker.get("volumes", []) == expected
    limits = worker["deploy"]["resources"]["limits"]
    assert limits["memory"] == f"{workload.scaling.memory_limit_mib}M"
    assert int(worker["stop_grace_period"].removesuffix("s")) > workload.grace
    assert service("api")["volumes"] == ["files:/var/lib/homeroom"]


async def test_a_worker_s_health_check_asks_its_probe() -> None:
    """The command as it stands, but for the port."""
    worker = service("chat")
    beats = [time.monotonic()]
    vitals = Vitals(beat_at=beats.pop, serving=lambda: True, stall=60.0, beat_limit=60.0)
    async with probe("127.0.0.1", 0, vitals, lambda: b"") as port:
        assert await healthy(worker, port) is True
        beats.append(time.monotonic() - 120.0)
        assert await healthy(worker, port) is False
    assert await healthy(worker, port) is False


async def healthy(worker: dict[str, Any], port: int) -> bool:
    kind, *command = worker["healthcheck"]["test"]
    asked = str(worker["environment"]["WORKER_PROBE_PORT"])
    assert (kind, asked in command[-1]) == ("CMD", True)
    command[-1] = command[-1].replace(asked, str(port))
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    return await process.wait() == 0
