"""A confined Python process, as its parent sees it: started without environment, watched, and killed as a group."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

import app

ROOT = str(Path(app.__file__).parents[1])
START = "import sys; sys.path.insert(0, sys.argv[1]); from {module} import main; main(*sys.argv[2:])"
ENVIRONMENT = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "2"}
WATCH_SECONDS = 0.05
COMPLAINT_BYTES = 4_096
STREAM_BYTES = 1024 * 1024


class ChildProcess:
    """Use `async with`: whatever happens inside, nothing of the process group survives the block."""

    def __init__(self, process: asyncio.subprocess.Process, *, resident_bytes: int) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.stdin = process.stdin
        self.stdout = process.stdout
        self.outgrown = False
        self._complaint = b""
        self._tasks = [
            asyncio.create_task(self._watch(resident_bytes)),
            asyncio.create_task(self._listen()),
        ]

    @classmethod
    async def start(
        cls, module: str, arguments: Sequence[str], *, resident_bytes: int, pass_fds: Sequence[int] = ()
    ) -> Self:
        # -I: no PYTHON* variable, no user site, no working directory in the path.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            START.format(module=module),
            ROOT,
            str(os.getpid()),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            pass_fds=tuple(pass_fds),
            limit=STREAM_BYTES,
        )
        return cls(process, resident_bytes=resident_bytes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.kill()

    @property
    def complaint(self) -> str:
        """The end of what it wrote to stderr."""
        return self._complaint.decode("utf-8", "replace").strip()

    async def kill(self) -> None:
        """The group first, while the unreaped leader still holds its number, then the leader's exit status."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        for task in self._tasks:
            task.cancel()
        self.stdin.close()
        await asyncio.shield(self.process.wait())
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self, resident_bytes: int) -> None:
        """The kernel limits the address space; only we can limit what is really used."""
        with suppress(psutil.Error, ProcessLookupError):
            watched = psutil.Process(self.process.pid)
            while watched.memory_info().rss <= resident_bytes:  # noqa: ASYNC110 - nobody tells when a process grows
                await asyncio.sleep(WATCH_SECONDS)
            self.outgrown = True
            os.killpg(self.process.pid, signal.SIGKILL)

    async def _listen(self) -> None:
        stderr = self.process.stderr
        assert stderr is not None
        while piece := await stderr.read(COMPLAINT_BYTES):
            self._complaint = (self._complaint + piece)[-COMPLAINT_BYTES:]
