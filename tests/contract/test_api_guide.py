"""docs/API.md, run as it stands against a real API and workers: every snippet works and shows what it prints."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.kit.db import Database
from app.library.demo import seed_demo
from tests.support.deployment import Deployment, serve_worker
from tests.support.processes import ROOT

GUIDE = ROOT / "docs" / "API.md"
RUN, SHOWN = ("bash", "python"), ("json", "text")
MARK = "@@@ snippet"
ECHO = {"bash": f"printf '\\n{MARK} %d\\n'", "python": f'print("\\n{MARK} %d", flush=True)'}
COMMAND = {"bash": ["bash", "-euo", "pipefail"], "python": [sys.executable]}

# What differs from run to run is compared by its shape.
SHAPES = (
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"), "<moment>"),
    (re.compile(r"\b[0-9]{13}-[0-9]+\b"), "<event id>"),
    (re.compile(r"\bWyIy[A-Za-z0-9_-]+"), "<cursor>"),
)


@dataclass
class Snippet:
    line: int
    language: str
    code: str
    shows: str | None = None
    shown_as: str = ""


def snippets() -> list[Snippet]:
    """The fenced blocks that run, each with the block of output that follows it."""
    found: list[Snippet] = []
    guide = GUIDE.read_text()
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL):
        language, text = match.groups()
        line = guide.count("\n", 0, match.start()) + 1
        if language in RUN:
            found.append(Snippet(line, language, text))
        else:
            assert language in SHOWN, f"line {line}: a block of `{language}` neither runs nor shows output"
            assert found[-1].shows is None, f"line {line}: output of nothing"
            found[-1].shows, found[-1].shown_as = text, language
    return found


SNIPPETS = snippets()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def printed(
    api: httpx.AsyncClient, deployment: Deployment, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """What each snippet printed, by its line; those of a language run in one session, from the top down."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOMEROOM_URL": str(api.base_url).rstrip("/"),
        "HOMEROOM_KEY": deployment.keys["api_key"],
        "HOMEROOM_OPERATOR_KEY": deployment.keys["operator_key"],
    }
    async with database.session("demo") as session:
        await seed_demo(session, "demo")
    async with (
        serve_worker(deployment, "base"),
        serve_worker(deployment, "chat"),
        serve_worker(deployment, "profile"),
        serve_worker(deployment, "exam"),
    ):
        folder = tmp_path_factory.mktemp("guide")
        return {k: v for language in RUN for k, v in (await _run(language, environment, folder)).items()}


async def _run(language: str, environment: dict[str, str], folder: Path) -> dict[int, str]:
    mine = [each for each in SNIPPETS if each.language == language]
    script = folder / f"guide.{language}"
    script.write_text("\n".join(f"{ECHO[language] % each.line}\n{each.code}" for each in mine))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *COMMAND[language], str(script), cwd=folder, env=environment, stdout=pipe, stderr=pipe
    )
    try:
        async with asyncio.timeout(120):
            output, errors = (part.decode() for part in await process.communicate())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    parts = re.split(rf"^{MARK} (\d+)\n", output, flags=re.MULTILINE)[1:]
    texts = dict(zip(map(int, parts[::2]), parts[1::2], strict=True))
    last = max(texts, default=0)
    assert process.returncode == 0, f"docs/API.md:{last}: exit code {process.returncode}\n{texts.get(last)}\n{errors}"
    assert set(texts) == {each.line for each in mine}
    return texts


def shape(text: str) -> str:
    for pattern, name in SHAPES:
        text = pattern.sub(name, text)
    return text


def differences(shown: Any, found: Any, where: str = "") -> list[str]:
    """Where what is shown is not found; members that the page leaves out may be anything."""
    if isinstance(shown, dict) and isinstance(found, dict):
        missing = [f"{where}/{name} is not there" for name in shown if name not in found]
        shared = [name for name in shown if name in found]
        return missing + [each for name in shared for each in differences(shown[name], found[name], f"{where}/{name}")]
    if isinstance(shown, list) and isinstance(found, list) and len(shown) == len(found):
        pairs = enumerate(zip(shown, found, strict=True))
        return [each for n, (one, other) in pairs for each in differences(one, other, f"{where}/{n}")]
    same = shape(shown) == shape(found) if isinstance(shown, str) and isinstance(found, str) else shown == found
    return [] if same else [f"{where} is {found!r}, not {shown!r}"]


def test_the_guide_is_in_both_languages_and_shows_what_comes_out() -> None:
    languages = [each.language for each in SNIPPETS]
    assert min(languages.count("bash"), languages.count("python")) >= 10
    assert len([each for each in SNIPPETS if each.shows]) >= len(SNIPPETS) - 2


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda each: f"line-{each.line}-{each.language}")
async def test_a_snippet_prints_what_the_page_shows(printed: dict[int, str], snippet: Snippet) -> None:
    output = printed[snippet.line]
    if snippet.shown_as == "json":
        assert not differences(json.loads(snippet.shows or ""), json.loads(output))
    elif snippet.shown_as == "text":
        lines = iter(shape(output).splitlines())
        for wanted in shape(snippet.shows or "").splitlines():
            if wanted != "...":
                assert any(line.startswith(wanted) for line in lines), (
                    f"{wanted!r} is not in, or not in order:\n{output}"
                )


@pytest.mark.parametrize(
    ("shown", "found", "wrong"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, 0),
        ({"a": 1}, {"b": 2}, 1),
        ({"a": [1, 2]}, {"a": [1]}, 1),
        ({"a": "2026-09-01T08:00:00Z"}, {"a": "2027-01-01T00:00:00.5Z"}, 0),
        ({"a": "2026-09-01T08:00:00Z"}, {"a": None}, 1),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, 1),
    ],
)
def test_the_comparison_can_fail(shown: Any, found: Any, wrong: int) -> None:
    assert len(list(differences(shown, found))) == wrong
