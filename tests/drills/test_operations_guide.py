"""docs/OPERATIONS.md and the runbooks: every command of the guide runs and shows what the page shows; links lead on.

The `console` blocks run as one session in one shell, top down, beside a `homeroom up` of their own.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from app.core.doctor.budget import connection_budget
from app.core.embedded.postgres import _binary
from app.core.manifests.alerts import every
from app.workloads import WORKLOADS
from tests.support.deployment import Deployment
from tests.support.processes import ROOT, running
from tests.support.waiting import eventually

GUIDE = ROOT / "docs" / "OPERATIONS.md"
RUNBOOKS = ROOT / "docs" / "runbooks"
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
SECTIONS = ["Look", "Cure", "Over when"]
KINDS_OF_BLOCKS = {"console", "text"}
LINK = re.compile(r"\[[^\]]+\]\((?!https?://)([^)\s]+)\)")
MARK = "@@@ command"


@dataclass
class Command:
    line: int
    text: str
    shows: list[str] = field(default_factory=list)  # lines that its output has, in this order, other lines between


def commands() -> list[Command]:
    found: list[Command] = []
    guide = GUIDE.read_text()
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL):
        language, text = match.groups()
        line = guide.count("\n", 0, match.start()) + 1
        assert language in KINDS_OF_BLOCKS, f"line {line}: a block of `{language}`: neither run nor plain text"
        if language == "text":
            continue
        for offset, each in enumerate(text.splitlines(), 1):
            if each.startswith("$ "):
                found.append(Command(line + offset, each[2:]))
            else:
                found[-1].shows.append(each)
    return found


COMMANDS = commands()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def printed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[int, str]]:
    """What each command printed, by its line."""
    folder = tmp_path_factory.mktemp("guide")
    ready = folder / ".homeroom" / "ready.json"
    programs = (Path(sys.executable).parent, _binary("pg_dump").parent)
    environment = {
        "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
        "HOME": os.environ.get("HOME", "/"),
        "LOG_LEVEL": "warning",
    }
    up = [sys.executable, "-m", "app.cli", "up", "--port", "0"]
    async with running(up, cwd=folder, environment=environment):
        await eventually(lambda: asyncio.to_thread(ready.exists), within=240, what="`homeroom up`")
        yield await _run(folder, environment)


async def _run(folder: Path, environment: dict[str, str]) -> dict[int, str]:
    script = folder / "session.sh"
    script.write_text("\n".join(f"printf '\\n{MARK} %d\\n' {each.line}\n{each.text}" for each in COMMANDS))
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", str(script)),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    parts = re.split(rf"^{MARK} (\d+)\n", output, flags=re.MULTILINE)[1:]
    texts = dict(zip(map(int, parts[::2]), parts[1::2], strict=True))
    last = max(texts, default=0)
    assert process.returncode == 0, f"docs/OPERATIONS.md:{last}: exit code {process.returncode}\n{texts.get(last)}"
    return texts


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: f"line-{each.line}")
async def test_a_command_shows_what_the_page_shows(printed: dict[int, str], command: Command) -> None:
    output = printed[command.line]
    lines = iter(output.splitlines())
    for wanted in command.shows:
        assert any(wanted in line for line in lines), f"{wanted!r} is not in, or not in order:\n{output}"


def test_the_guide_names_the_real_budget(deployment: Deployment) -> None:
    api, worker = connection_budget(deployment.settings().database)
    assert f"| API | {api} |" in GUIDE.read_text()
    assert f"| worker | {worker} |" in GUIDE.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda each: each.stem)
def test_a_runbook_says_what_it_has_to(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert text.index("**It means**") < text.index("**Users feel**") < text.index("## Look")
    assert f"({page.name})" in (RUNBOOKS / "README.md").read_text()


@pytest.mark.parametrize("page", [GUIDE, *RUNBOOKS.glob("*.md")], ids=lambda each: each.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}, link


def test_runbooks_name_commands_and_routes_that_exist() -> None:
    from app.cli import _parser  # noqa: PLC0415 - the parser and nothing that it would start

    known = (ROOT / "docs" / "openapi.json").read_text()
    for page in (GUIDE, *RUNBOOKS.glob("*.md")):
        text = page.read_text()
        for verb in re.findall(r"^homeroom ([a-z][a-z -]*[a-z])", text, re.MULTILINE):
            _parser().parse_args(verb.split())
        for route in re.findall(r"\$HOMEROOM_URL(/(?:admin|v1)/[a-z/]+)", text):
            path = re.sub(r"/queues/[a-z]+/", "/queues/{name}/", route)
            assert f'"{path}"' in known, f"{page.name}: {route}"


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert {ROOT / each.runbook for each in every(WORKLOADS)} == set(PAGES)
