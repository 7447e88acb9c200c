"""The Dockerfile and .dockerignore, as far as reading them tells; what they build is in test_deploy_files_image.py."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.workloads import WORKLOADS

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
EXEC_FORM = ("ENTRYPOINT", "CMD", "HEALTHCHECK")


@dataclass(frozen=True)
class Stage:
    """One `FROM ... AS name` with what it inherits from stages before it."""

    name: str
    image: str  # outside the Dockerfile
    own: tuple[tuple[str, str], ...]  # (keyword, the rest on one line)
    inherited: tuple[tuple[str, str], ...] = ()

    def every(self, keyword: str) -> list[str]:
        return [text for each, text in self.inherited + self.own if each == keyword]

    def last(self, keyword: str) -> str | None:
        return next(reversed(self.every(keyword)), None)

    def argv(self, command: list[str] | None = None) -> list[str]:
        """What a container runs, with the orchestrator's command in place of the image's."""
        entry, default = (json.loads(self.last(each) or "[]") for each in ("ENTRYPOINT", "CMD"))
        return [*entry, *(default if command is None else command)]

    @property
    def environment(self) -> dict[str, str]:
        return dict(word.split("=", 1) for text in self.every("ENV") for word in shlex.split(text))


@dataclass(frozen=True)
class Copy:
    sources: tuple[str, ...]
    target: str
    stage: str | None  # None: the build context

    @classmethod
    def read(cls, text: str) -> Copy:
        words = shlex.split(text)
        stage = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), None)
        *sources, target = (word for word in words if not word.startswith("--"))
        return cls(tuple(sources), target, stage)


def instructions(text: str) -> list[tuple[str, str]]:
    without_comments = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", without_comments).splitlines()
    return [(keyword.upper(), rest.strip()) for keyword, _, rest in (line.partition(" ") for line in lines if line)]


def read_stages() -> dict[str, Stage]:
    arguments: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    body: list[tuple[str, str]] = []
    for keyword, text in instructions((ROOT / "Dockerfile").read_text()):
        if keyword == "FROM":
            image, _, name = re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], text).partition(" AS ")
            parent = stages.get(image)
            body = []
            stages[name] = Stage(
                name, parent.image if parent else image, (), parent.inherited + parent.own if parent else ()
            )
        elif not stages:
            name, _, arguments[name] = text.partition("=")
        else:
            body.append((keyword, text))
            stages[name] = Stage(name, stages[name].image, tuple(body), stages[name].inherited)
    return stages


def targets() -> dict[str, Stage]:
    """The stages that are built for somebody: those that say what to run."""
    return {name: stage for name, stage in read_stages().items() if stage.last("ENTRYPOINT")}


def context_copies() -> list[Copy]:
    every = [Copy.read(text) for stage in read_stages().values() for each, text in stage.own if each == "COPY"]
    return [copy for copy in every if copy.stage is None]


def pattern_of(glob: str) -> re.Pattern[str]:
    """Docker's rules: `*` stays within a name, `**` crosses folders, what names a folder means all that is in it."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    words = re.split(r"(\*\*/|\*\*|\*|\?)", glob.strip("/"))
    return re.compile("".join(parts.get(word, re.escape(word)) for word in words) + "(?:/.*)?")


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out of the build: the last line that matches it decides."""
    verdict = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#") and pattern_of(line.removeprefix("!")).fullmatch(path):
            verdict = not line.startswith("!")
    return verdict


def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run([BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_copied_exists_and_enters_the_build() -> None:
    for source in (source for copy in context_copies() for source in copy.sources):
        found = list(ROOT.glob(source))
        assert found, source
        for path in found:
            inside = path.rglob("*") if path.is_dir() else [path]
            names = [each.relative_to(ROOT).as_posix() for each in inside if "__pycache__" not in each.parts]
            assert names
            assert [name for name in names if ignored(name)] == []


def test_nothing_enters_the_build_but_what_is_copied() -> None:
    copied = {path.name for copy in context_copies() for source in copy.sources for path in ROOT.glob(source)}
    assert {path.name for path in ROOT.iterdir() if not ignored(path.name)} == copied


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".git/config", ".homeroom/secrets.json", ".venv/bin/python", "tests/conftest.py"),
        *("docker-compose.yml", "app/__pycache__/main.cpython-311.pyc", "migrations/versions/__pycache__/env.pyc"),
    ],
)
def test_secrets_data_tests_and_caches_stay_outside(path: str) -> None:
    assert ignored(path)


def test_there_is_a_target_per_run_script_one_for_the_api_and_one_for_migrations() -> None:
    scripts = {f"run_{name}_worker.py" for name in targets().keys() - {"api", "migrate"}}
    assert scripts == {workload.run_script for workload in WORKLOADS}
    for script in scripts:
        name = script.removeprefix("run_").removesuffix("_worker.py")
        assert targets()[name].argv() == ["python", script]


def test_without_a_target_the_api_is_built() -> None:
    assert list(read_stages())[-1] == "api"


def test_processes_get_signals_themselves() -> None:
    for stage in targets().values():
        assert stage.last("STOPSIGNAL") == "SIGTERM"
        for text in (text for keyword in EXEC_FORM for text in stage.every(keyword)):
            words = json.loads(text[text.index("[") :])  # a shell would stand between signal and process
            assert words
            assert all(isinstance(word, str) for word in words)


def test_processes_are_an_ordinary_user_known_by_number() -> None:
    for stage in targets().values():
        user = re.fullmatch(r"(\d+):(\d+)", stage.last("USER") or "")
        assert user is not None
        assert int(user[1]) == int(user[2]) >= 10_000  # below are ids that hosts give to people


def test_production_is_what_an_image_starts_as() -> None:
    for stage in targets().values():
        assert stage.environment["APP_ENV"] == "production"


def test_only_the_api_has_a_health_check() -> None:
    assert [name for name, stage in targets().items() if stage.last("HEALTHCHECK")] == ["api"]


def test_images_say_what_they_are() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for stage in targets().values():
        labels = dict(word.split("=", 1) for text in stage.every("LABEL") for word in shlex.split(text))
        assert labels["org.opencontainers.image.licenses"] == project["license"]
        assert labels.keys() >= {f"org.opencontainers.image.{name}" for name in ("title", "version", "revision")}


def test_images_have_the_python_that_the_code_is_checked_against() -> None:
    checked = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["python_version"]
    for stage in read_stages().values():
        assert stage.image.startswith(f"python:{checked}-slim-")


def test_no_secret_and_no_host_is_built_in() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "://" not in text
    assert not re.search(r"^# *syntax", text, re.MULTILINE)
    for stage in read_stages().values():
        assert not stage.every("ADD")  # it may fetch from anywhere
        assert "." not in stage.image.partition("/")[0].partition(":")[0]
        for word in shlex.split(" ".join(stage.every("ARG") + stage.every("ENV"))):
            assert not re.search(r"KEY|PASSWORD|SECRET|TOKEN", word.partition("=")[0]), word
