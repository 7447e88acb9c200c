"""Run workers: what the run scripts, `homeroom worker` and the launcher call."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import uvloop

from app.core.config import load_settings
from app.core.exit import exit_when_misconfigured
from app.core.worker.build import open_runtime
from app.kit.heap import settle_heap
from app.kit.logging import configure_logging


def run(*names: str) -> None:
    """Serve one queue in this process; several get a process each, since a queue's fleet is its own."""
    if len(names) == 1:
        with exit_when_misconfigured(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(names[0]))
    else:
        sys.exit(_run_each(names))


async def _serve(name: str) -> None:
    settings = load_settings()
    configure_logging(level=settings.app.log_level, json_lines=settings.app.json_logs)
    async with open_runtime(name, settings) as runtime:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, runtime.drain)
        await runtime.main(on_ready=lambda: _report_ready(settings.app.ready_file))


def _report_ready(ready_file: str | None) -> None:
    """Tell whoever started this process that jobs are being claimed."""
    settle_heap()
    if ready_file is not None:
        path = Path(ready_file)
        draft = path.with_suffix(".tmp")
        draft.write_text(str(os.getpid()))
        draft.replace(path)


def _run_each(names: tuple[str, ...]) -> int:
    """One child per queue. The first that ends takes the others along, so that whoever supervises us restarts all."""
    children: list[subprocess.Popen[bytes]] = []
    told: list[int] = []

    def pass_on(number: int, _frame: object) -> None:
        told.append(number)
        for child in children:
            child.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, pass_on)
    command = [sys.executable, "-m", "app.cli", "worker"]
    children.extend(subprocess.Popen([*command, name]) for name in names if not told)  # noqa: S603
    if not told:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    if not told:  # a second signal would kill a child that is on its way out
        pass_on(signal.SIGTERM, None)
    return max(abs(child.wait()) for child in children)
