"""`homeroom chat` as a process at a terminal of its own, over the public API alone."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest_asyncio

from tests.support.chat import chat_worker, messages, say
from tests.support.deployment import Deployment
from tests.support.processes import ROOT, running
from tests.support.provider import ScriptedProvider, Step, serve_provider
from tests.support.waiting import eventually


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with serve_provider() as server:
        yield server


class Terminal:
    """What the person types, and what the screen shows."""

    def __init__(self, process: asyncio.subprocess.Process, screen: Path) -> None:
        self.process = process
        self._screen = screen

    @property
    def text(self) -> str:
        return self._screen.read_text()

    async def shows(self, text: str) -> None:
        async def is_there() -> bool:
            return text in self.text

        await eventually(is_there, what=f"{text!r} on the screen, which shows {self.text!r}")


@asynccontextmanager
async def homeroom_chat(place: Path, *arguments: str) -> AsyncIterator[Terminal]:
    screen = place / "screen"
    command = [sys.executable, "-m", "app.cli", "chat", "--ready-file", str(place / "ready.json"), *arguments]
    shell = ["sh", "-c", f'exec "$@" > {screen} 2>&1', "sh", *command]
    screen.touch()
    async with running(shell, environment={"PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}, cwd=ROOT) as process:
        yield Terminal(process, screen)


def write_place(api: httpx.AsyncClient, deployment: Deployment, place: Path) -> None:
    """As `homeroom up` does."""
    known = {"url": str(api.base_url), "api_key": deployment.keys["api_key"]}
    (place / "ready.json").write_text(json.dumps(known))


async def test_a_question_is_asked_where_up_runs_and_answered_with_an_exit_code(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, tmp_path: Path
) -> None:
    write_place(api, deployment, tmp_path)
    provider.script(Step(text="Half of two is one.", delay=0.05), Step(status=400))
    async with chat_worker(deployment, provider):
        async with homeroom_chat(tmp_path, "--teacher", "t1", "--once", "Half of two?") as terminal:
            assert await asyncio.wait_for(terminal.process.wait(), 30) == 0
            assert terminal.text == "Half of two is one.\n"
        async with homeroom_chat(tmp_path, "--teacher", "t1", "--once", "And?") as terminal:
            assert await asyncio.wait_for(terminal.process.wait(), 30) == 1
    said = await messages(api, "teacher:t1:main")
    assert [each["content"] for each in said] == ["Half of two?", "Half of two is one.", "And?"]


async def test_it_tells_the_place_in_the_lane_and_ctrl_c_cancels_the_reply(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, tmp_path: Path
) -> None:
    write_place(api, deployment, tmp_path)
    earlier = await say(api, "An earlier one.", student="impatient", session="here")
    provider.script(Step(text="first"), Step(text="so far and no further", piece=7, after=1, end="stall"))
    async with homeroom_chat(tmp_path, "--student", "impatient", "--session", "here", "--once", "Long?") as terminal:
        await terminal.shows("[waiting: 1 before you in this session]")
        async with chat_worker(deployment, provider):
            await terminal.shows("so far ")
            terminal.process.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(terminal.process.wait(), 30) == 130
    assert re.sub(r"\[.*?\]\n?", "", terminal.text) == "so far \n"
    said = await messages(api, earlier["lane_id"])
    assert [(each["content"], each["partial"]) for each in said[2:]] == [("Long?", False), ("so far ", True)]


async def test_without_a_place_it_says_what_to_do(tmp_path: Path) -> None:
    async with homeroom_chat(tmp_path, "--once", "Anybody?") as terminal:
        assert await asyncio.wait_for(terminal.process.wait(), 30) == 1
        assert "homeroom up" in terminal.text
