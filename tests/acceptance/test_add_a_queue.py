"""docs/ADD_A_QUEUE.md, followed to the letter on a copy of the project."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx

from tests.support.deployment import Deployment, free_port
from tests.support.processes import running
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
COPIED = ("app", "migrations", "alembic.ini", ".env.example")

FILE = re.compile(r"`(?P<path>app/workloads/report/[\w.]+)`:\n\n```\w+\n(?P<text>.*?)```", re.DOTALL)
LINE = re.compile(r"add it to the tuple:\n\n```python\n(?P<imported>[^\n]+)\n\n(?P<tuple>[^\n]+)\n```")


def follow_the_page(project: Path) -> None:
    page = (ROOT / "docs" / "ADD_A_QUEUE.md").read_text()
    (project / "app/workloads/report").mkdir()
    (project / "app/workloads/report/__init__.py").touch()
    for match in FILE.finditer(page):
        (project / match["path"]).write_text(match["text"])
    line = LINE.search(page)
    assert line is not None
    registration = project / "app/workloads/__init__.py"
    text = re.sub(
        r"^WORKLOADS.*$", f"{line['imported']}\n\n{line['tuple']}", registration.read_text(), flags=re.MULTILINE
    )
    registration.write_text(text)


async def test_a_queue_added_by_the_page_runs_its_jobs(deployment: Deployment, tmp_path: Path) -> None:
    for source in (*(ROOT / name for name in COPIED), *ROOT.glob("run_*_worker.py")):
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / source.name)
    follow_the_page(tmp_path)
    port = free_port()
    environment = deployment.environment(PYTHONPATH=str(tmp_path), PORT=str(port))
    cli = [sys.executable, "-m", "app.cli"]

    written = await asyncio.create_subprocess_exec(
        *cli, "workloads", "--write", cwd=tmp_path, env=environment, stdout=subprocess.PIPE
    )
    assert (await written.communicate())[0].decode().split() == [
        "app/core/worker/report.py",
        "run_report_worker.py",
        "app/core/queue.py",
        ".env.example",
    ]
    assert "report_pool: ArqRedis | None = None" in (tmp_path / "app/core/queue.py").read_text()
    assert "REPORT_REDIS_DB=8" in (tmp_path / ".env.example").read_text()

    api = [*cli, "api"]
    worker = [sys.executable, "run_report_worker.py"]
    async with (
        running(api, cwd=tmp_path, environment=environment),
        running(worker, cwd=tmp_path, environment=environment),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=deployment.headers(), timeout=30.0) as client,
    ):

        async def answers() -> bool:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(answers, what="the API")
        body = {"kind": "report.generate", "input": {"title": "Physics", "scores": [80, 92]}}
        response = await client.post("/v1/jobs", json=body, headers={"Prefer": "wait=20"})
        assert response.status_code == 200, response.text
        job = response.json()
        assert (job["queue"], job["status"]) == ("report", "done")
        assert job["result"] == {"title": "Physics", "average": 86.0}
