"""`homeroom up`, as a person or a script meets it: real processes, real signals, real crashes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from app.core.embedded.process import is_gone, wait_until
from app.core.up.supervisor import LONGEST_PAUSE_SECONDS, STEADY_AFTER_SECONDS, next_pause
from tests.support.deployment import Deployment
from tests.support.waiting import eventually

WORKERS = {"chat", "exam", "assignment", "profile", "base"}
PARTS = {"api", "postgres", "redis"} | WORKERS
START_WITHIN = 60.0
SETTINGS = ("DATABASE_URL", "REDIS_URL", "MASTER_KEY", "ADMIN_KEY", "APP_ENV", "DIAGNOSTICS", "HOST", "PORT")


class Up:
    """The command on one data directory, started as often as a test needs."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.data_dir = directory / "data"
        self.ready_file = directory / "ready.json"
        self.output_file = directory / "output.txt"
        inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        self.environment = inherited | {"LOG_LEVEL": "warning"} | environment
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "app.cli", "up", "--data-dir", str(self.data_dir)]

    @property
    def ready(self) -> bool:
        return self.ready_file.exists()

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    @property
    def document(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.ready_file.read_text())
        return loaded

    @property
    def pids(self) -> dict[str, int]:
        pids: dict[str, int] = self.document["pids"]
        return pids

    @property
    def launcher(self) -> subprocess.Popen[bytes]:
        assert self.process is not None
        return self.process

    def begin(self) -> None:
        with self.output_file.open("wb") as output:
            self.process = subprocess.Popen(
                [*self.command, "--port", "0", "--ready-file", str(self.ready_file)],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def start(self) -> None:
        """Start unless it runs, and wait until it says that all is ready."""
        if self.process is None or self.process.poll() is not None:
            self.begin()
        await eventually(self._ready_or_ended, within=START_WITHIN, what="`homeroom up`")
        assert self.ready, self.output

    async def _ready_or_ended(self) -> bool:
        return self.ready or self.launcher.poll() is not None

    async def end(self, signal_number: signal.Signals = signal.SIGTERM) -> int:
        self.launcher.send_signal(signal_number)
        return await self.wait()

    async def wait(self) -> int:
        await eventually(self._ended, within=START_WITHIN, what="the end of `homeroom up`")
        return self.launcher.returncode

    async def _ended(self) -> bool:
        return self.launcher.poll() is not None

    def processes(self) -> list[psutil.Process]:
        """All that run because of it, whatever sessions they are in."""
        found: list[psutil.Process] = psutil.Process(self.launcher.pid).children(recursive=True)
        return found

    def clean_up(self) -> None:
        """Whatever the test did: nothing runs afterwards."""
        if self.process is None:
            return
        if self.process.poll() == -signal.SIGKILL:  # the next run ends what this one left
            self.begin()
            wait_until(lambda: self.ready or self.launcher.poll() is not None, START_WITHIN)
        self.process.terminate()
        self.process.wait(START_WITHIN)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One installation for all tests that leave it usable; each calls start(), which mostly finds it running."""
    up = Up(tmp_path_factory.mktemp("up"))
    yield up
    up.clean_up()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path)
    yield up
    up.clean_up()


def run_briefly(up: Up, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Another run of the command, which is expected to refuse."""
    command = [*up.command, *arguments]
    return subprocess.run(
        command, env=up.environment | environment, capture_output=True, text=True, timeout=START_WITHIN, check=False
    )


def assert_one_line(text: str) -> None:
    assert len(text.strip().splitlines()) == 1, text


async def assert_gone(processes: Sequence[psutil.Process]) -> None:
    async def all_gone() -> bool:
        return all(map(is_gone, processes))

    await eventually(all_gone, what=f"the end of {processes}")


async def submit(document: Mapping[str, Any]) -> dict[str, Any]:
    """One job, done."""
    async with httpx.AsyncClient(base_url=document["url"], timeout=30) as client:
        answer = await client.post(
            "/v1/jobs",
            headers={"Authorization": f"Bearer {document['api_key']}", "Prefer": "wait=10"},
            json={"kind": "diagnostics.echo", "queue": "exam", "input": {"hello": "again"}},
        )
        job: dict[str, Any] = answer.raise_for_status().json()
        assert job["status"] == "done"
        return job


async def read(document: Mapping[str, Any], job_id: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=document["url"], timeout=30) as client:
        answer = await client.get(f"/v1/jobs/{job_id}", headers={"Authorization": f"Bearer {document['api_key']}"})
        job: dict[str, Any] = answer.raise_for_status().json()
        return job


async def test_the_ready_file_says_all_that_a_script_needs(shared: Up) -> None:
    await shared.start()
    document = shared.document
    assert document.keys() == {
        *("url", "tenant", "api_key", "admin_key", "operator_key", "database_url", "redis_url", "pids")
    }
    assert document["tenant"] == "demo"
    assert document["pids"].keys() == PARTS
    assert shared.ready_file.stat().st_mode & 0o777 == 0o600
    assert (shared.data_dir / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert {process.pid for process in shared.processes()} >= set(document["pids"].values())
    assert {log.stem for log in (shared.data_dir / "logs").iterdir()} >= PARTS
    async with httpx.AsyncClient(base_url=document["url"]) as client:
        assert (await client.get("/readyz")).status_code == 200


async def test_the_printed_request_works_as_it_stands(shared: Up) -> None:
    await shared.start()
    command = re.search(r"curl .*?\}'$", shared.output, re.DOTALL | re.MULTILINE)
    assert command is not None
    answer = subprocess.run(["bash", "-c", command[0]], capture_output=True, text=True, check=True)  # noqa: ASYNC221
    job = json.loads(answer.stdout)
    assert (job["status"], job["queue"]) == ("done", "chat")


async def test_every_part_is_reported_and_every_page_named_exists(shared: Up) -> None:
    await shared.start()
    for part, pid in shared.pids.items():
        assert re.search(rf"^  {part} +(ready|down).*", shared.output, re.MULTILINE), part
        assert psutil.pid_exists(pid)
    assert "\033[" not in shared.output
    async with httpx.AsyncClient(follow_redirects=True) as client:
        for page in set(re.findall(r"http://\S+", shared.output)) - {f"{shared.document['url']}/v1/jobs"}:
            if page != shared.document["url"]:
                assert (await client.get(page)).status_code == 200, page


async def test_a_second_run_on_the_same_directory_is_refused(shared: Up) -> None:
    await shared.start()
    before = shared.document
    refused = run_briefly(shared, "--port", "0", "--ready-file", str(shared.ready_file))
    assert refused.returncode == 78
    assert_one_line(refused.stderr)
    assert f"pid {shared.launcher.pid}" in refused.stderr
    assert "--data-dir" in refused.stderr
    assert shared.document == before


async def test_a_busy_port_is_refused_before_anything_starts(own: Up) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        refused = run_briefly(own, "--port", str(port))
    assert refused.returncode == 78
    assert_one_line(refused.stderr)
    assert f"Port {port} is in use by pid {os.getpid()}" in refused.stderr
    assert "--port" in refused.stderr
    assert not (own.data_dir / "postgres").exists()


@pytest.mark.parametrize("part", ["chat", "api", "redis", "postgres"])
async def test_a_killed_part_comes_back_and_the_ready_file_says_so(shared: Up, part: str) -> None:
    await shared.start()
    before = shared.document
    killed: int = before["pids"].pop(part)
    os.kill(killed, signal.SIGKILL)

    async def replaced() -> bool:
        return shared.pids[part] != killed

    await eventually(replaced, what=f"a new {part} in the ready file")
    after = shared.document
    assert psutil.pid_exists(after["pids"].pop(part))
    assert after == before
    await submit(after)


async def test_a_stop_ends_every_process_and_a_new_start_keeps_keys_and_data(shared: Up) -> None:
    await shared.start()
    before, processes = shared.document, shared.processes()
    job = await submit(before)
    assert await shared.end(signal.SIGTERM) == 0
    await assert_gone(processes)
    assert not shared.ready
    assert list((shared.data_dir / "run").iterdir()) == []

    await shared.start()
    after = shared.document
    for name in ("api_key", "admin_key", "operator_key", "database_url", "redis_url"):
        assert after[name] == before[name], name
    assert (await read(after, job["job_id"]))["result"] == job["result"]


async def test_after_kill_9_of_the_launcher_a_new_start_takes_over(shared: Up) -> None:
    await shared.start()
    before, orphans = shared.document, shared.processes()
    job = await submit(before)
    old_api: int = before["pids"]["api"]
    shared.launcher.kill()
    shared.launcher.wait()
    assert not any(map(is_gone, (psutil.Process(pid) for pid in before["pids"].values())))
    shared.begin()

    async def new_ready_file() -> bool:
        with contextlib.suppress(FileNotFoundError):
            return shared.pids["api"] != old_api
        return shared.launcher.poll() is not None

    await eventually(new_ready_file, within=START_WITHIN, what="the take-over")
    after = shared.document
    await assert_gone(orphans)
    assert after["api_key"] == before["api_key"]
    assert (await read(after, job["job_id"]))["status"] == "done"


async def test_a_signal_in_the_middle_of_the_start_leaves_nothing(own: Up) -> None:
    own.begin()

    async def half_started() -> bool:
        return "postgres     ready" in own.output

    await eventually(half_started, what="a started Postgres")
    processes = own.processes()
    assert processes
    assert await own.end(signal.SIGINT) == 0
    await assert_gone(processes)
    assert not own.ready
    assert list((own.data_dir / "run").iterdir()) == []


async def test_a_second_interrupt_kills_at_once(own: Up) -> None:
    await own.start()
    processes = own.processes()
    os.kill(own.pids["base"], signal.SIGSTOP)  # deaf to SIGTERM: without a second Ctrl-C it has 20 s of grace
    own.launcher.send_signal(signal.SIGINT)

    async def stopping() -> bool:
        return "stopping" in own.output

    await eventually(stopping, what="the word that it stops")
    assert own.launcher.poll() is None
    assert await own.end(signal.SIGINT) == 128 + signal.SIGINT
    await assert_gone(processes)
    assert not own.ready


async def test_a_part_that_is_configured_wrongly_stops_it_all(own: Up) -> None:
    refused = run_briefly(own, "--port", "0", "--ready-file", str(own.ready_file), LEASE_SECONDS="soon")
    assert refused.returncode == 78
    assert "LEASE_SECONDS" in refused.stderr  # quoted from the part's own log
    assert not own.ready
    assert list((own.data_dir / "run").iterdir()) == []


async def test_one_server_without_the_other_is_refused(own: Up) -> None:
    refused = run_briefly(own, REDIS_URL="redis://127.0.0.1:1")
    assert refused.returncode == 78
    assert_one_line(refused.stderr)
    assert "DATABASE_URL" in refused.stderr


async def test_the_servers_of_the_environment_are_used_and_left_alone(deployment: Deployment, tmp_path: Path) -> None:
    up = Up(tmp_path, DATABASE_URL=deployment.database_url, REDIS_URL=deployment.redis_url)
    try:
        await up.start()
        document = up.document
        assert (document["pids"]["postgres"], document["pids"]["redis"]) == (None, None)
        assert (document["database_url"], document["redis_url"]) == (deployment.database_url, deployment.redis_url)
        assert not (up.data_dir / "postgres").exists()
        await submit(document)
    finally:
        up.clean_up()


def test_a_part_that_keeps_dying_is_started_less_and_less_often() -> None:
    pauses = [0.0]
    for _ in range(10):
        pauses.append(next_pause(pauses[-1], lived=1.0))
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
    assert next_pause(pauses[-1], lived=STEADY_AFTER_SECONDS) == pauses[1]
