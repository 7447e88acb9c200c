"""A `homeroom up` of the demonstration's own, on a folder that is made anew, and five schools in it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from app.kit.db import Database, DatabaseOptions
from app.library.demo import seed_demo
from demo.people import School

START_WITHIN = 120.0  # seconds
SCHOOLS = ("north-school", "river-school", "hill-school", "lake-school", "harbour-school")
SERVERS = ("DATABASE_URL", "REDIS_URL", "DATABASE_APP_URL", "DATABASE_ENGINE_URL")


class Up:
    """What runs, by its ready file; a child that dies is restarted, and its new pid stands there."""

    def __init__(self, ready_file: Path) -> None:
        self._ready_file = ready_file

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._ready_file.read_text())
        return document

    @property
    def url(self) -> str:
        return str(self.document["url"])

    @property
    def admin(self) -> dict[str, str]:
        return {"X-Admin-Key": self.document["admin_key"]}

    def pid(self, part: str) -> int | None:
        pid: int | None = self.document["pids"][part]
        return pid


@asynccontextmanager
async def running(folder: Path, port: int) -> AsyncIterator[Up]:
    """All of it, ready; stopped in good order at the end."""
    _make_anew(folder)
    ready_file, log = folder / "up.json", folder / "up.log"
    command = [sys.executable, "-m", "app.cli", "up", "--data-dir", str(folder / "data"), "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name not in SERVERS}
    environment["LLM_TENANT_HOSTS"] = "127.0.0.1"  # where one school believes that its model is
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, "--ready-file", str(ready_file), env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        async with asyncio.timeout(START_WITHIN):
            while not ready_file.exists():
                if process.returncode is not None:
                    raise RuntimeError(f"homeroom up ended with {process.returncode}:\n{log.read_text()}")
                await asyncio.sleep(0.1)
        yield Up(ready_file)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


def _make_anew(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


@asynccontextmanager
async def schools(up: Up) -> AsyncIterator[list[School]]:
    """Registered, each with a key and a small library of its own."""
    options = DatabaseOptions(app_url=up.document["database_url"], engine_url=up.document["database_url"], pool_size=2)
    database = Database(options, application_name="homeroom demo")
    await database.open()
    opened: list[School] = []
    try:
        async with httpx.AsyncClient(base_url=up.url, headers=up.admin, timeout=60) as operator:
            for name in SCHOOLS:
                await operator.put(f"/admin/tenants/{name}", json={})
                wish = {"name": "demo", "scopes": ["jobs:read", "jobs:write", "admin"]}
                key = (await operator.post(f"/admin/tenants/{name}/keys", json=wish)).json()["key"]
                async with database.session(name) as session:
                    await seed_demo(session, name)
                opened.append(School(name, up.url, key))
        yield opened
    finally:
        for school in opened:
            await school.close()
        await database.close()
